"""What ops refuse: the sentences for an image, or what is beside it, or a text that does not fit.

What is known while a graph is being made is refused then. What shows only when it runs (an image
without pixels, of unknown channels) is an InvalidArgumentError with the same sentence.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tfpipe.errors import RequestError

if TYPE_CHECKING:
    from tfpipe.ops.base import Op

KINDS = {
    "encoded": "encoded images (bytes)",
    "uint8": "uint8 images, 0 to 255",
    "float32": "float32 images",
    "text": "texts (strings)",
    "tokens": "tokens (int32)",
    "windows": "tokens in windows",
    "sequence": "float32 sequences",
}
# The axes of a single one.
RANKS = {"encoded": 0, "uint8": 3, "float32": 3, "text": 0, "tokens": 1, "sequence": 2}
_SHAPES = {
    "text": ("()", "(B,)"),
    "tokens": ("(T,)", "(B, T)"),
    "sequence": ("(T, C)", "(B, T, C)"),
}
_DTYPES = {"text": tf.string, "tokens": tf.int32, "sequence": tf.float32}


def checked_image(op: "Op", image: tf.Tensor) -> tf.Tensor:
    """The image, unless it is not one, or a batch, of the kind that the op takes."""
    _require_kind(op, image)
    _require_rank(op, image)
    sizes = image.shape.as_list()
    expected = f"{op!r} expected at least one image, of at least one pixel. Received: shape"
    if 0 in sizes:
        raise RequestError(f"{expected} {_words(image.shape)}")
    if None in sizes:
        return checked(image, tf.size(image) > 0, expected, tf.shape(image))
    return image


def checked_value(op: "Op", value: Any) -> tf.Tensor:
    """A text, tokens or a sequence, or a batch of them, unless it is not what the op takes."""
    tensor = tf.convert_to_tensor(value)
    if tensor.dtype != _DTYPES[op.takes]:
        raise RequestError(
            f"{op!r} expected {KINDS[op.takes]}. Received: {tensor.dtype.name} as `{op.on}`."
        )
    rank = RANKS[op.takes]
    if tensor.shape.rank not in (rank, rank + 1):
        one, batch = _SHAPES[op.takes]
        raise RequestError(
            f"{op!r} expected {KINDS[op.takes]} of shape {one}, or a batch {batch}. "
            f"Received: shape {tensor.shape}"
        )
    return tensor


def _require_kind(op: "Op", image: tf.Tensor) -> None:
    found = "encoded" if image.dtype == tf.string else image.dtype.name
    if found != op.takes:
        raise RequestError(f"{op!r} expected {KINDS[op.takes]}. Received: {found} images.")


def _require_rank(op: "Op", image: tf.Tensor) -> None:
    rank = image.shape.rank
    ranks: tuple[int, ...]
    if op.takes == "encoded":
        expected, ranks = "one encoded image, a scalar", (0,)
    elif op.per_batch:
        expected, ranks = "a batch of images (B, H, W, C)", (4,)
    else:
        expected, ranks = "an image (H, W, C) or a batch (B, H, W, C)", (3, 4)
    if rank is None:
        raise RequestError(
            f"{op!r} expected {expected}. Received: an image of unknown rank; "
            "`tf.ensure_shape` tells it."
        )
    if rank not in ranks:
        raise RequestError(f"{op!r} expected {expected}. Received: shape {_words(image.shape)}")


def require_fitting(op: "Op", example: dict[str, tf.Tensor]) -> None:
    """Refuses a mask that has not its image's axes (one still encoded), and boxes without four."""
    rank = example["image"].shape.rank
    mask, boxes = example.get("mask"), example.get("boxes")
    if mask is not None and (mask.dtype == tf.string or mask.shape.rank != rank):
        raise RequestError(
            f"{op!r} expected a `mask` of classes with the axes of its image, "
            f"{'(H, W, 1)' if rank == 3 else '(B, H, W, 1)'}. "
            f"Received: {mask.dtype.name} of shape {mask.shape}"
        )
    if boxes is None:
        return
    if boxes.dtype != tf.float32 or boxes.shape.rank != rank - 1 or boxes.shape[-1] != 4:
        raise RequestError(
            f"{op!r} expected `boxes` as float32 {'(N, 4)' if rank == 3 else '(B, N, 4)'}. "
            f"Received: {boxes.dtype.name} of shape {boxes.shape}"
        )


def checked_channels(op: "Op", image: tf.Tensor, channels: int) -> tf.Tensor:
    """The image, unless it has other than `channels` channels."""
    expected = f"{op!r} expected images with {channels} channels. Received: shape"
    found = image.shape[-1]
    if found is None:
        shape = tf.shape(image)
        return tf.ensure_shape(
            checked(image, shape[-1] == channels, expected, shape), (*image.shape[:-1], channels)
        )
    if found != channels:
        raise RequestError(f"{expected} {_words(image.shape)}")
    return image


def checked(value: tf.Tensor, holds: tf.Tensor, sentence: str, found: tf.Tensor) -> tf.Tensor:
    """The value, unless something does not hold: now, or when the graph runs."""
    if tf.executing_eagerly():
        if not bool(holds):
            raise RequestError(f"{sentence} {np.asarray(found).tolist()}")
        return value
    # Before anything else is done with the value, or another error may come first.
    with tf.control_dependencies([tf.debugging.Assert(holds, [sentence, found], summarize=9)]):
        return tf.identity(value)


def _words(shape: tf.TensorShape) -> str:
    return str(tuple(shape.as_list()))
