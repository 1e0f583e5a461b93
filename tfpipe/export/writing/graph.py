"""What every exported file holds: a float32 twin of the model, with its preprocessing before it.

Example:

    ops = ops_inside(prepare, input_size)
    spec = input_spec(model, prepare, input_size)        # uint8 pixels, (None, H, W, C)
    scores = scoring(float32_twin(model), ops, "onnx")   # images -> {"scores": ...}
"""

import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError, received
from tfpipe.files import Path
from tfpipe.ops import Chain, Op

Size = tuple[int, int]
Scoring = Callable[[tf.Tensor], dict[str, tf.Tensor]]

PREPARE = "prepare"  # begins the names of the preprocessing in a file


def ops_inside(prepare: Chain | None, input_size: Size | None) -> tuple[Op, ...]:
    """What happens to pixels inside a file, in order.

    Raises:
        RequestError: an `input_size` without a chain that could resize from it.
    """
    if prepare is not None and not isinstance(prepare, Chain):
        raise RequestError(received("`prepare` to be a tfpipe.ops.Chain", prepare=prepare))
    if prepare is None and input_size is not None:
        raise RequestError(
            "`input_size` puts the resizing of `prepare` into the file. "
            f"Received: input_size={input_size} without `prepare`."
        )
    return () if prepare is None else prepare.inside(input_size).ops


def input_name(shape: Sequence[int | None], dtype: str) -> str:
    """What the input of a file is called.

    >>> input_name((None, 32, 32, 1), "uint8"), input_name((None, 100, 8), "float32")
    ('images', 'sequences')
    >>> input_name((None, 64), "int32"), input_name((None, 64), "float32")
    ('tokens', 'features')
    """
    names = {4: "images", 3: "sequences", 2: "tokens" if "int" in dtype else "features"}
    if len(shape) not in names:
        raise RequestError(
            "Expected a model that takes images (B, H, W, C), sequences (B, T, F), tokens (B, T) "
            f"or features (B, F). Received: input_shape={tuple(shape)}"
        )
    return names[len(shape)]


def input_spec(
    model: keras.Model, prepare: Chain | None, input_size: Size | None = None
) -> tf.TensorSpec:
    """What a file of this model takes.

    `images` (None, H, W, C), uint8 after a chain; `sequences` (None, T, F) and `features`
    (None, F), as the model takes them; `tokens` (None, T), int32.

    Raises:
        RequestError: a model without one input of a fixed size and one output, or one that
            does not take what the chain gives.
    """
    require_graph(model)
    ops = ops_inside(prepare, input_size)
    takes = model.inputs[0]
    name = input_name(takes.shape, takes.dtype)
    if name != "images":
        _require_nothing(ops, model)
        return tf.TensorSpec(takes.shape, "int32" if name == "tokens" else takes.dtype, name)
    if prepare is None or not prepare.ops:
        return tf.TensorSpec(takes.shape, takes.dtype, name)
    known = _pixels_shape(prepare, input_size)
    # Without Resize, the images must have the model's size.
    shape = [given or own for given, own in zip(known, takes.shape[1:], strict=True)]
    spec = tf.TensorSpec((None, *shape), tf.uint8, name)
    _require_fit(model, ops, spec)
    return spec


def scoring(model: Any, ops: Sequence[Op], runtime: str) -> Scoring:
    """The function inside a file: the ops' operators for a runtime, then the model."""

    def scores(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": answer(model, lowered(ops, inputs, runtime))}

    return scores


def answer(model: Any, inputs: tf.Tensor) -> tf.Tensor:
    """What a model of one input and one output gives, which may be in lists or dicts of one.

    That it does not train is said: layers like RandomFlip take it that they do.
    """
    given = keras.tree.pack_sequence_as(getattr(model, "_inputs_struct", inputs), [inputs])
    (gives,) = keras.tree.flatten(model(given, training=False))
    return gives


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


def require_ending(path: Path, ending: str) -> None:
    """Refuses a path by whose ending `load` would not know the file."""
    if pathlib.Path(path).suffix != ending:
        raise RequestError(received(f"`path` to end in {ending!r}", path=str(path)))


def require_graph(model: keras.Model) -> None:
    """Refuses a model that is no graph of layers from one input of a fixed size to one output.

    Raises:
        RequestError: it is not, tokens come in as floats, or a weight is NaN or infinite.
    """
    if not hasattr(model, "name"):
        raise RequestError(received("`model` to be a keras.Model", model=model))
    if not hasattr(model, "inputs"):
        raise RequestError(
            "Expected a functional model, or a Sequential one that begins with keras.Input. "
            f"Received: {model.name!r}, a model of the class {type(model).__name__}, whose layers "
            "do not tell what they are called with. Build it from keras.Input with "
            "keras.Model(inputs, outputs)."
        )
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise RequestError(
            "Expected a model with one input and one output. "
            f"Received: {model.name!r} with {len(model.inputs)} and {len(model.outputs)}."
        )
    shape = tuple(model.inputs[0].shape)
    input_name(shape, model.inputs[0].dtype)
    if None in shape[1:]:
        raise RequestError(
            "Expected a model with a fixed input size, as files have. "
            f"Received: input_shape={shape}. Build it with that size, and copy the weights: "
            "`new.set_weights(old.get_weights())`."
        )
    _require_integers(model)
    _require_finite(model)


def _require_finite(model: keras.Model) -> None:
    lost = [w.path for w in model.weights if not np.isfinite(keras.ops.convert_to_numpy(w)).all()]
    if lost:
        raise RequestError(
            "Expected weights that are finite numbers. Received: "
            f"{model.name!r} with NaN or infinity in {', '.join(map(repr, lost[:3]))}"
            f"{f' and {len(lost) - 3} others' if len(lost) > 3 else ''}. Take the weights from "
            "before, and train with a smaller learning rate: `train.fit` stops where that begins."
        )


def require_numbers(model: keras.Model, runtime: str) -> None:
    """Refuses a model that takes texts, which TFLite and ONNX Runtime have no operators for."""
    if model.inputs[0].dtype == "string":
        raise RequestError(
            f"Expected a model that takes numbers: {runtime} has no operators for texts. "
            f"Received: {model.name!r}, which takes strings. Build a model that begins behind the "
            "layer that makes tokens of them, or use `to_saved_model`."
        )


def _require_integers(model: keras.Model) -> None:
    takes = model.inputs[0]
    if "int" in takes.dtype:
        return
    for layer in model.layers:
        if isinstance(layer, keras.layers.Embedding) and layer.input is takes:
            raise RequestError(
                f"Expected tokens as integers before {layer.name!r}. Received: {takes.dtype}. "
                'Build the model with keras.Input(shape, dtype="int32"), and copy the weights: '
                "`new.set_weights(old.get_weights())`."
            )


def _require_nothing(ops: Sequence[Op], model: keras.Model) -> None:
    if ops:
        raise RequestError(
            f"Expected a model that takes images (B, H, W, C) after {ops[-1]!r}. "
            f"Received: {model.name!r} with input_shape={model.inputs[0].shape}"
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
    takes = model.inputs[0].shape
    if not given.is_compatible_with(takes):
        raise RequestError(
            f"Expected `prepare` to give what the model takes, images of {takes[1:]}. "
            f"Received: images of {tuple(given[1:])}, from pixels of {tuple(spec.shape[1:])}."
        )
