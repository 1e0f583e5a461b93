"""joined(): one file does what two did, one after the other."""

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tools.flatbuffer_utils import read_model_from_bytearray

from tfpipe.export.writing.joining import joined

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (1, 6, 5, 1), np.uint8)
WEIGHTS = RNG.normal(size=(30, 4)).astype(np.float32)


def converted(function, shape, dtype):
    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec(shape, dtype, "images")])
        def run(self, images):
            return {"scores": function(images)}

    module = Module()
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.run.get_concrete_function()], module
    )
    return converter.convert()


def flipped(images):
    return tf.cast(255 - tf.cast(images, tf.int32), tf.uint8)


def turned(images):
    """With an operator that leaves an input out: a product without a bias."""
    product = tf.cast(tf.reshape(images, (1, 30)), tf.float32) @ np.eye(30, dtype=np.float32)[::-1]
    return tf.cast(tf.reshape(product, (1, 6, 5, 1)), tf.uint8)


def weighted(images):
    return tf.cast(tf.reshape(images, (1, 30)), tf.float32) @ WEIGHTS


def looped(images):
    """A network with a second graph in it."""
    return tf.while_loop(
        lambda i, x: i < 3, lambda i, x: (i + 1, x * 0.5 + 1), (0, weighted(images))
    )[1]


FIRST = converted(flipped, PIXELS.shape, tf.uint8)


@pytest.mark.parametrize("network", [weighted, looped])
def test_the_second_takes_what_the_first_gives(network):
    whole = Interpreter(model_content=joined(FIRST, converted(network, PIXELS.shape, tf.uint8)))
    assert whole.get_signature_list() == {
        "serving_default": {"inputs": ["images"], "outputs": ["scores"]}
    }
    found = whole.get_signature_runner("serving_default")(images=PIXELS)["scores"]
    np.testing.assert_allclose(found, network(255 - PIXELS), rtol=1e-5)


def test_an_operators_missing_input_stays_missing():
    first = converted(turned, PIXELS.shape, tf.uint8)
    graph = read_model_from_bytearray(bytearray(first)).subgraphs[0]
    assert any(-1 in op.inputs for op in graph.operators)
    whole = joined(first, converted(weighted, PIXELS.shape, tf.uint8))
    found = Interpreter(model_content=whole).get_signature_runner("serving_default")(images=PIXELS)
    expected = weighted(PIXELS.ravel()[::-1].reshape(PIXELS.shape))
    np.testing.assert_allclose(found["scores"], expected, rtol=1e-5)


def test_what_came_first_is_named_so():
    network = converted(weighted, PIXELS.shape, tf.uint8)
    graph = read_model_from_bytearray(bytearray(joined(FIRST, network))).subgraphs[0]
    own = read_model_from_bytearray(bytearray(network)).subgraphs[0].tensors
    names = [tensor.name.decode() for tensor in graph.tensors]
    assert names[: len(own)] == [tensor.name.decode() for tensor in own]
    assert {name.partition("/")[0] for name in names[len(own) :]} == {"prepare"}


def test_three_files_become_one():
    whole = joined(FIRST, joined(FIRST, converted(weighted, PIXELS.shape, tf.uint8)))
    found = Interpreter(model_content=whole).get_signature_runner("serving_default")(images=PIXELS)
    np.testing.assert_allclose(found["scores"], weighted(PIXELS), rtol=1e-5)


def test_all_data_are_aligned_to_16_bytes():
    data = joined(FIRST, converted(weighted, PIXELS.shape, tf.uint8))
    whole = schema.Model.GetRootAs(data, 0)
    starts = [
        whole.Buffers(place)._tab.Vector(4)
        for place in range(whole.BuffersLength())
        if not whole.Buffers(place).DataIsNone()
    ]
    assert len(starts) >= 2
    assert {start % 16 for start in starts} == {0}
