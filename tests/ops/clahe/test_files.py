"""CLAHE inside files, run by the runtimes themselves: LiteRT, ONNX Runtime, a SavedModel."""

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
import tf2onnx
from ai_edge_litert.interpreter import Interpreter

from tfpipe.backend import keras
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


def in_a_model(clahe, shape, folder):
    """A SavedModel that equalises, and scores what comes out with a small network."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(4, 3), keras.layers.GlobalAveragePooling2D()]
    model = keras.Sequential([keras.Input(shape), *layers, keras.layers.Dense(3)])

    def scores(images):
        equalised = clahe.lower(images, "tflite")
        return {"images": equalised, "scores": model(tf.cast(equalised, tf.float32) * (1 / 255))}

    archive = keras.export.ExportArchive()
    archive.track(model)
    spec = tf.TensorSpec((1, *shape), tf.uint8, "images")
    archive.add_endpoint("serving_default", scores, input_signature=[spec])
    archive.write_out(str(folder), verbose=False)


@EACH
@pytest.mark.parametrize("mode", ["float32", "int8"])
def test_tflite(case, images, mode, tmp_path):
    """Builtin operators alone; the network around it is quantised, and CLAHE stays exact."""
    pixels, expected = images
    in_a_model(*case, tmp_path)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path))
    if mode == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: ([image[None]] for image in pixels)
    file = converter.convert()
    interpreter = Interpreter(model_content=file)
    run = interpreter.get_signature_runner()
    found = [run(images=image[None])["images"][0] for image in pixels]
    np.testing.assert_array_equal(np.stack(found), expected)
    # Weights, tables and names; no image of ids or of weights.
    assert len(file) < (240_000 if case[0].colour == "lab" else 45_000)
    names = {operator["op_name"] for operator in interpreter._get_ops_details()}
    assert ("QUANTIZE" in names) == (mode == "int8")


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
