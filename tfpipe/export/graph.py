"""What every exported file holds: a float32 twin of the model, with its preprocessing before it.

Example:

    ops = ops_inside(prepare, input_size)
    spec = input_spec(model, prepare, input_size)        # uint8 pixels, (None, H, W, C)
    scores = scoring(float32_twin(model), ops, "onnx")   # images -> {"scores": ...}
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.ops import Chain, Op

Size = tuple[int, int]
Scoring = Callable[[tf.Tensor], dict[str, tf.Tensor]]

PREPARE = "prepare"  # begins the names of the preprocessing in a file


def ops_inside(prepare: Chain | None, input_size: Size | None) -> tuple[Op, ...]:
    """What happens to pixels inside a file, in order.

    Raises:
        RequestError: an `input_size` without a chain that could resize from it.
    """
    if prepare is None and input_size is not None:
        raise RequestError(
            "`input_size` puts the resizing of `prepare` into the file. "
            f"Received: input_size={input_size} without `prepare`."
        )
    return () if prepare is None else prepare.inside(input_size).ops


def input_spec(
    model: keras.Model, prepare: Chain | None, input_size: Size | None = None
) -> tf.TensorSpec:
    """The `images` that a file of this model takes: (None, H, W, C), uint8 after a chain.

    Raises:
        RequestError: a model without one image input of a fixed size and one output, or one that
            does not take what the chain gives.
    """
    _require_image_model(model)
    ops = ops_inside(prepare, input_size)
    if prepare is None or not prepare.ops:
        return tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype, "images")
    known = _pixels_shape(prepare, input_size)
    # Without Resize, the images must have the model's size.
    shape = [given or own for given, own in zip(known, model.input_shape[1:], strict=True)]
    spec = tf.TensorSpec((None, *shape), tf.uint8, "images")
    _require_fit(model, ops, spec)
    return spec


def scoring(model: keras.Model, ops: Sequence[Op], runtime: str) -> Scoring:
    """The function inside a file: the ops' operators for a runtime, then the model."""

    def scores(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": model(lowered(ops, images, runtime))}

    return scores


def lowered(ops: Sequence[Op], images: tf.Tensor, runtime: str) -> tf.Tensor:
    """Applies the ops with the operators that a file's runtime has, named as preprocessing.

    By these names a file's reader tells their constants from the model's weights.
    """
    with tf.name_scope(PREPARE):
        for op in ops:
            images = op.lower(images, runtime)
            if runtime == "saved_model":
                # TensorFlow would merge a product by a constant with the next op's: other bits.
                images = tf.ensure_shape(images, images.shape)
        return images


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
    if len(model.input_shape) != 4:
        raise RequestError(
            "Expected a model that takes images (B, H, W, C). "
            f"Received: input_shape={model.input_shape}"
        )
    if None in model.input_shape[1:]:
        raise RequestError(
            "Expected a model with a fixed input size, as files have. "
            f"Received: input_shape={model.input_shape}"
        )


def _pixels_shape(prepare: Chain, input_size: Size | None) -> list[int | None]:
    """(H, W, C) of what the chain makes of an encoded image; None where images may differ."""
    pixels = prepare.outside(input_size)
    encoded = bool(pixels.ops) and pixels.ops[0].takes == "encoded"
    shape, dtype = ((), tf.string) if encoded else ((*(input_size or (None,) * 2), None), tf.uint8)
    traced = tf.function(lambda image: pixels({"image": image})["image"])
    return traced.get_concrete_function(tf.TensorSpec(shape, dtype)).output_shapes.as_list()


def _require_fit(model: keras.Model, ops: Sequence[Op], spec: tf.TensorSpec) -> None:
    traced = tf.function(lambda images: lowered(ops, images, "saved_model"))
    given = traced.get_concrete_function(spec).output_shapes
    if not given.is_compatible_with(model.input_shape):
        raise RequestError(
            f"Expected `prepare` to give what the model takes, images of {model.input_shape[1:]}. "
            f"Received: images of {tuple(given[1:])}, from pixels of {tuple(spec.shape[1:])}."
        )
