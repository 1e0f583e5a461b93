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
from tfpipe.files import Path, write_bytes, write_text
from tfpipe.ops import Chain

MODES = ("float32", "int8")


def to_labels(class_names: Sequence[str], path: Path) -> pathlib.Path:
    """Writes one class name a line, in the order of the scores, and returns the path."""
    return write_text(path, "".join(f"{name}\n" for name in class_names))


def to_tflite(
    model: keras.Model,
    path: Path,
    *,
    mode: str = "float32",
    prepare: Chain | None = None,
    calibration: tf.data.Dataset | None = None,
) -> pathlib.Path:
    """Writes the model as a TFLite file of builtin operators, for one image at a time.

    The file takes `images`, uint8 pixels (1, H, W, C), and gives `scores`, float32
    (1, num_classes), whatever the mode. What `prepare` does to pixels is inside; decoding and
    resizing are not.

    Args:
        model: a Keras model with one image input and one output, in any precision.
        path: the file to write.
        mode: "float32", or "int8": integer weights, activations and arithmetic.
        prepare: the chain that the model was trained with. Without one the file takes what the
            model takes, float32.
        calibration: for int8, batches of what the file takes, from the training data
            (`records.read(manifest, "train", prepare.pixels(), batch_size=...)`). The ranges of
            the activations come from its first 500 examples.

    Returns:
        The path.

    Raises:
        RequestError: no such mode; a model with several inputs or outputs, or of an open size; a
            calibration that is missing, too small, or of other images than the file takes.
    """
    if mode not in MODES:
        raise RequestError(one_of("mode", mode, MODES))
    _require_image_model(model)
    shape = tuple(model.input_shape[1:])
    ops = () if prepare is None else prepare.in_graph().ops
    quantised = mode == "int8"
    takes = tf.uint8 if ops and not quantised else tf.float32
    images = calibration_images(calibration, shape, pixels=bool(ops)) if quantised else None

    def scores(images: tf.Tensor) -> dict[str, tf.Tensor]:
        for op in ops:
            images = op.lower(images, "tflite")
        return {"scores": twin(images)}

    twin = float32_twin(model)
    with _saved(twin, scores, tf.TensorSpec((1, *shape), takes, "images")) as folder:
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if images is not None:
            _quantise(converter, images, pixels=bool(ops))
        return write_bytes(path, converter.convert())


def float32_twin(model: keras.Model) -> keras.Model:
    """A copy whose layers compute in float32: converters refuse mixed precision."""

    def in_float32(layer: keras.Layer) -> keras.Layer:
        return layer.__class__.from_config(_in_float32(layer.get_config()))

    twin = keras.models.clone_model(model, clone_function=in_float32)
    twin.set_weights(model.get_weights())
    return twin


def _in_float32(config: Any) -> Any:
    """A layer's config with every dtype policy replaced: those of the layers in it too."""
    if isinstance(config, list | tuple):
        return [_in_float32(value) for value in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return "float32"
    return {name: _in_float32(value) for name, value in config.items()}


def _require_image_model(model: keras.Model) -> None:
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise RequestError(
            "Expected a model with one input and one output. "
            f"Received: {model.name!r} with {len(model.inputs)} and {len(model.outputs)}."
        )
    if None in model.input_shape[1:]:
        raise RequestError(
            "Expected a model with a fixed input size, as files have. "
            f"Received: input_shape={model.input_shape}"
        )


@contextlib.contextmanager
def _saved(model: keras.Model, function: Callable[..., Any], spec: tf.TensorSpec) -> Iterator[str]:
    """The function as a SavedModel, whose signature gives the TFLite file its names.

    Keras' archive tracks the variables; a plain tf.Module with a Keras 3 model inside converts
    to a file whose weights are missing.
    """
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serving_default", function, input_signature=[spec])
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        yield folder


def _quantise(converter: tf.lite.TFLiteConverter, images: np.ndarray, *, pixels: bool) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: ([image[None]] for image in images)
    if pixels:
        converter.inference_input_type = tf.uint8
