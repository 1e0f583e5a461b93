"""Parts of a text of the length that a model takes."""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfpipe import tokens
from tfpipe.ops.arguments import require_whole
from tfpipe.ops.base import Example, Op
from tfpipe.ops.draws import RandomOp, between


@dataclasses.dataclass(frozen=True)
class Window(Op):
    """Tokens to the windows of fixed length that a model takes.

    Texts that are shorter are padded with 0 at their end.

    Args:
        length: tokens in a window.
        stride: None for one window, the beginning of the text; what does not fit is cut off. Or
            the tokens from one window's beginning to the next one's, at most `length`: then there
            are as many windows as the text needs, and the last one ends where the text ends. Their
            scores are to be averaged, as `export.on_texts` does it.

    Output shape: (length,), or (B, length) for a batch; with a stride (num_windows, length), or
        (B, num_windows, length), where windows of 0 alone fill up those of shorter texts.

    Raises:
        RequestError: `length` or `stride` is no whole number from 1, or the stride is longer than a
            window.

    Example:

    >>> Window(2, stride=1)({"text": tf.constant([5, 6, 7])})["text"].numpy()
    array([[5, 6],
           [6, 7]], dtype=int32)
    """

    length: int
    stride: int | None = None
    on: ClassVar[str] = "text"
    takes: ClassVar[str] = "tokens"
    gives: ClassVar[str] = "windows"

    def __post_init__(self) -> None:
        super().__post_init__()
        tokens.require_stride(self.stride, self.length)

    def apply(self, text: tf.Tensor) -> tf.Tensor:
        """(T,) or (B, T)."""
        known = _lengths(text)
        if self.stride is None:
            return _cut(text, known, tf.zeros_like(known), self.length)
        last = tf.maximum(known - self.length, 0)
        counts = 1 + -(-last // self.stride)
        places = tf.range(tf.reduce_max(counts)) * self.stride
        starts = tf.minimum(places, last[..., None])
        # Windows that the text does not need begin where it ends.
        starts = tf.where(tf.range(tf.size(places)) < counts[..., None], starts, known[..., None])
        return _cut(text, known, starts, self.length)


@dataclasses.dataclass(frozen=True)
class RandomWindow(RandomOp):
    """So many tokens of each text from a place that is drawn anew in every epoch.

    Texts that are no longer keep all their tokens, and are padded with 0.

    Args:
        length: tokens in a window.

    Output shape: (length,), or (B, length) for a batch.

    Raises:
        RequestError: `length` is no whole number from 1; when it runs, there is no `key`.

    Example:

    >>> example = {"text": tf.range(1, 9), "key": "0/1/a"}
    >>> RandomWindow(3)(example)["text"].shape
    TensorShape([3])
    """

    length: int
    on: ClassVar[str] = "text"
    takes: ClassVar[str] = "tokens"
    gives: ClassVar[str] = "tokens"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_whole("length", self.length, 1)

    def augment(self, example: Example, key: tf.Tensor) -> Example:
        """One draw for each text."""
        text = example["text"]
        known = _lengths(text)
        starts = between(key, 1, 0.0, 1.0) * tf.cast(
            tf.maximum(known - self.length, 0) + 1, "float64"
        )
        return {**example, "text": _cut(text, known, tf.cast(starts, tf.int32), self.length)}


def _lengths(text: tf.Tensor) -> tf.Tensor:
    """How many tokens of each text are no padding: int32, () or (B,)."""
    return tf.reduce_sum(tf.cast(text != tokens.PADDING, tf.int32), axis=-1)


def _cut(text: tf.Tensor, known: tf.Tensor, starts: tf.Tensor, length: int) -> tf.Tensor:
    """`length` tokens from each start, 0 behind the text: (..., S) starts give (..., S, length)."""
    extra = starts.shape.rank - known.shape.rank
    places = starts[..., None] + tf.range(length)
    behind = places >= tf.reshape(known, tf.concat([tf.shape(known), [1] * (extra + 1)], axis=0))
    inside = tf.minimum(places, tf.shape(text)[-1] - 1)
    values = tf.gather(text, inside, axis=-1, batch_dims=text.shape.rank - 1)
    return tf.where(behind, tokens.PADDING, values)
