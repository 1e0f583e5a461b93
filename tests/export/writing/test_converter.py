"""convert(), here without its process: what it makes of a request."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tfpipe.export.writing.converter import convert

EXAMPLES = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("request")
    x = keras.Input((5,))
    model = keras.Model(x, keras.layers.Dense(300)(x))
    archive = keras.export.ExportArchive()
    spec = tf.TensorSpec((1, 5), tf.float32, "features")
    archive.add_endpoint("serving_default", lambda x: {"scores": model(x)}, input_signature=[spec])
    archive.write_out(str(path / "model"), verbose=False)
    np.save(path / "examples.npy", EXAMPLES)
    return path


def details(folder, mode, **request):
    request = {"folder": str(folder), "mode": mode, "scores_dtype": "float32", "pixels": False} | (
        request
    )
    done, data = convert(request)
    assert done, data
    litert = Interpreter(model_content=data)
    litert.allocate_tensors()
    return litert


@pytest.mark.parametrize(
    ("mode", "kernel"),
    [
        ("float32", np.float32),
        ("float16", np.float16),
        ("dynamic", np.int8),
        ("int8", np.int8),
        ("int16x8", np.int8),
    ],
)
def test_the_mode_says_how_the_weights_are_stored(folder, mode, kernel):
    litert = details(folder, mode)
    dtypes = {d["dtype"] for d in litert.get_tensor_details() if tuple(d["shape"]) == (300, 5)}
    assert kernel in dtypes
    takes, gives = litert.get_input_details()[0], litert.get_output_details()[0]
    assert (takes["dtype"], gives["dtype"]) == (np.float32, np.float32)


def test_the_request_says_what_goes_in_and_comes_out(folder):
    litert = details(folder, "int8", scores_dtype="int8", pixels=True)
    takes, gives = litert.get_input_details()[0], litert.get_output_details()[0]
    assert (takes["dtype"], gives["dtype"]) == (np.uint8, np.int8)


def test_what_the_converter_says_comes_back(folder):
    request = {"folder": str(folder), "mode": "int8", "scores_dtype": "int64", "pixels": False}
    done, said = convert(request)
    assert not done
    assert b"inference_output_type must be in" in said
