"""Writes a Keras model as a `.tflite` file, with its preprocessing inside.

Example:

    to_tflite(model, "out/int8.tflite", mode="int8", prepare=prepare, calibration=pixels)
"""

import contextlib
import pathlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError, one_of
from tfpipe.export.calibration import calibration_images
from tfpipe.export.graph import (
    Scoring,
    Size,
    float32_twin,
    input_spec,
    lowered,
    ops_inside,
    scoring,
)
from tfpipe.export.integers import require_integers
from tfpipe.export.joining import joined
from tfpipe.files import Path, write_bytes
from tfpipe.ops import Chain, Op

MODES = ("float32", "int8")


def to_tflite(
    model: keras.Model,
    path: Path,
    *,
    mode: str = "float32",
    prepare: Chain | None = None,
    calibration: tf.data.Dataset | None = None,
    input_size: Size | None = None,
) -> pathlib.Path:
    """Writes the model as a TFLite file of builtin operators, for one image at a time.

    The file takes `images`, uint8 pixels (1, H, W, C), and gives `scores`, float32
    (1, num_classes), whatever the mode. What `prepare` does to pixels is inside; decoding is
    not, and resizing only with `input_size`. What makes pixels of pixels (`Resize`, `Clahe`) is
    the same arithmetic in every mode: int8 is about what comes after.

    Args:
        model: a Keras model with one image input and one output, in any precision.
        path: the file to write.
        mode: "float32", or "int8": integer weights, activations and arithmetic.
        prepare: the chain that the model was trained with. Without one the file takes what the
            model takes, float32.
        calibration: for int8, batches of what the file takes, from the training data
            (`records.read(manifest, "train", prepare.outside(), batch_size=...)`). The ranges of
            the activations come from its first 500 examples.
        input_size: (height, width) of the `images`, if not the size after the chain's last
            resizing: that of the camera, say. Then resizing is inside.

    Returns:
        The path.

    Raises:
        RequestError: no such mode; a model with several inputs or outputs, of an open size, or of
            another size than the chain gives; for int8, an operator that has no integer form, or
            a calibration that is missing, too small, or of other images than the file takes.

    Example:

    >>> import tempfile
    >>> from tfpipe import export, ops
    >>> x = keras.Input((8, 8, 1))
    >>> model = keras.Model(x, keras.layers.GlobalAveragePooling2D()(x))
    >>> prepare = ops.Chain([ops.Decode(1), ops.Resize((8, 8)), ops.ToFloat()])
    >>> path = to_tflite(model, pathlib.Path(tempfile.mkdtemp()) / "a.tflite", prepare=prepare)
    >>> export.load(path).predict(np.full((1, 8, 8, 1), 255, np.uint8))
    array([[1.]], dtype=float32)
    """
    if mode not in MODES:
        raise RequestError(one_of("mode", mode, MODES))
    if mode == "int8" and model.inputs[0].dtype != "float32":
        raise RequestError(
            "Expected the preprocessing of an int8 file as `prepare`, and a model that takes "
            f"float32. Received: {model.name!r}, which takes {model.inputs[0].dtype}."
        )
    spec, ops = input_spec(model, prepare, input_size), ops_inside(prepare, input_size)
    ahead = tuple(op for op in ops if op.gives == "uint8")
    images = tf.TensorSpec((1, *spec.shape[1:]), spec.dtype, "images")
    taken = _given(ahead, images)
    twin = float32_twin(model)
    scores = scoring(twin, ops[len(ahead) :], "tflite")
    if mode == "int8":
        examples = calibration_images(calibration, images, ahead)
        network = _quantised(twin, scores, taken, examples)
    else:
        with _converter(scores, taken) as converter:
            network = converter.convert()
    if ahead:
        with _converter(lambda pixels: lowered(ahead, pixels, "tflite"), images) as converter:
            network = joined(converter.convert(), network)
    return write_bytes(path, network)


def _quantised(
    model: keras.Model, scores: Scoring, takes: tf.TensorSpec, examples: np.ndarray
) -> bytes:
    floats = tf.TensorSpec(takes.shape, tf.float32, "images")
    with _converter(scores, floats) as converter:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: ([image[None]] for image in examples)
        if takes.dtype == tf.uint8:
            converter.inference_input_type = tf.uint8
        data = converter.convert()
    require_integers(model.name, data)
    return data


@contextlib.contextmanager
def _converter(
    function: Callable[..., Any], takes: tf.TensorSpec
) -> Iterator[tf.lite.TFLiteConverter]:
    """The function as a SavedModel, whose signature gives the TFLite file its names.

    Keras' archive finds the variables; a plain tf.Module with a Keras 3 model inside converts
    to a file whose weights are missing.
    """
    archive = keras.export.ExportArchive()
    archive.add_endpoint("serving_default", function, input_signature=[takes])
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        yield tf.lite.TFLiteConverter.from_saved_model(folder)


def _given(ops: Sequence[Op], images: tf.TensorSpec) -> tf.TensorSpec:
    """What the network takes: the pixels that the ops before it give."""
    traced = tf.function(lambda pixels: lowered(ops, pixels, "tflite"))
    shape = traced.get_concrete_function(images).output_shapes
    return tf.TensorSpec(shape, images.dtype, "images")
