"""CLAHE inside files, run by the runtimes themselves: LiteRT, ONNX Runtime, a SavedModel."""

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
import tf2onnx
from ai_edge_litert.interpreter import Interpreter

from tfpipe.ops import Clahe

CASES = {
    "grey": (Clahe(), (40, 52, 1)),
    "even": (Clahe(0.0, (4, 2)), (32, 64, 1)),
    "lab": (Clahe(3.0, colour="lab"), (33, 26, 3)),
    "channels": (Clahe(2.0, (3, 5), "channels"), (37, 50, 3)),
}
LARGE = {
    "224": (Clahe(), (224, 224, 1)),
    "299": (Clahe(4.0, (7, 6)), (299, 299, 1)),
    "lab 224": (Clahe(colour="lab"), (224, 224, 3)),
}
EACH = pytest.mark.parametrize(
    "case",
    [*CASES.values(), *(pytest.param(case, marks=pytest.mark.slow) for case in LARGE.values())],
    ids=[*CASES, *LARGE],
)


@pytest.fixture
def images(case, pictures, opencv):
    """Pictures for the case, and what OpenCV makes of them."""
    clahe, shape = case
    drawn = pictures(np.random.default_rng(0), 6, *shape)
    return drawn, opencv(drawn, clahe.clip_limit, clahe.tile_grid, clahe.colour)


@EACH
def test_tflite(case, images):
    """Builtin operators alone."""
    clahe, shape = case
    pixels, expected = images
    lowered = tf.function(lambda images: clahe.lower(images, "tflite"), autograph=False)
    spec = tf.TensorSpec((1, *shape), tf.uint8, "images")
    traced = lowered.get_concrete_function(spec)
    file = tf.lite.TFLiteConverter.from_concrete_functions([traced], lowered).convert()
    interpreter = Interpreter(model_content=file)
    interpreter.allocate_tensors()
    found = []
    for image in pixels:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    np.testing.assert_array_equal(np.stack(found), expected)
    # Tables and names; no image of ids or of weights.
    assert len(file) < (240_000 if clahe.colour == "lab" else 45_000)


def onnx_session(clahe, shape):
    lowered = tf.function(lambda images: clahe.lower(images, "onnx"), autograph=False)
    spec = tf.TensorSpec((None, *shape), tf.uint8, "images")
    made, _ = tf2onnx.convert.from_function(lowered, input_signature=[spec], opset=18)
    return onnxruntime.InferenceSession(
        made.SerializeToString(), providers=["CPUExecutionProvider"]
    )


@EACH
def test_onnx(case, images):
    session = onnx_session(*case)
    pixels, expected = images
    for batch in (pixels, pixels[:1], pixels[:0]):
        (found,) = session.run(None, {"images": batch})
        np.testing.assert_array_equal(found, expected[: len(batch)])


def test_onnx_loses_no_pixel_where_all_are_alike(opencv):
    """Where threads add to one count, some of it is lost, in images that are large enough."""
    images = np.full((6, 224, 224, 1), 18, np.uint8)
    (found,) = onnx_session(Clahe(), (224, 224, 1)).run(None, {"images": images})
    np.testing.assert_array_equal(found, opencv(images))


@EACH
def test_saved_model(case, images, tmp_path):
    clahe, shape = case
    pixels, expected = images
    module = tf.Module()
    spec = tf.TensorSpec((None, *shape), tf.uint8)
    module.run = tf.function(lambda images: clahe.lower(images, "saved_model"), [spec])
    tf.saved_model.save(module, tmp_path)
    np.testing.assert_array_equal(tf.saved_model.load(tmp_path).run(pixels), expected)
    # Nothing in it asks for XLA, which not every runtime has.
    assert b"_XlaMustCompile" not in (tmp_path / "saved_model.pb").read_bytes()
