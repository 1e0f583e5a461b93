"""What drift is measured on: examples as a model file takes them, or as they came.

Example:

    examples = read(images, None)                   # uint8 (N, H, W, C), as the file takes them
    examples = read([jpeg, png], prepare)           # encoded, so that their sizes are known too
    examples = read(["A fine film!"], prepare)      # texts
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfpipe import tokens
from tfpipe.errors import RequestError, received

if TYPE_CHECKING:
    from tfpipe.ops import Chain


@dataclasses.dataclass(frozen=True, eq=False)
class Examples:
    """N examples, read.

    Args:
        kind: "image", "text", "tokens" or "sequence".
        takes: what a model file takes: uint8 or float32 (M, H, W, C), int32 (M, T), float32
            (M, T, C) or (M, C); M is N, but for texts of several windows.
        rows_each: how many of these M rows each example has.
        sizes_px: (height, width) before resizing, float (N, 2); nan where they are not known.
        texts: the texts, and the numbers of their words; () where the examples are none.
    """

    kind: str
    takes: np.ndarray
    rows_each: np.ndarray
    sizes_px: np.ndarray
    texts: Sequence[tuple[str, list[int]]] = ()

    def __len__(self) -> int:
        return len(self.rows_each)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row of `takes`."""
        return self.takes.shape[1:]


def read(
    inputs: Any,
    prepare: "Chain | None",
    sizes_px: Any = None,
    *,
    ids: Sequence[str] | None = None,
) -> Examples:
    """Reads a batch of inputs.

    Args:
        inputs: what a model file takes (an array, or a sequence of arrays of one shape), or
            encoded images, or texts.
        prepare: the model's chain; needed for encoded images and for texts.
        sizes_px: (N, 2), the (height, width) that images had before they were resized.
        ids: N strings, by which errors name an example; their places in the batch without.

    Raises:
        RequestError: there is no example, or one of another kind, or numbers that are not finite,
            or encoded images and texts without a chain.
    """
    if isinstance(inputs, str | bytes):  # a path, or a text of many: its letters are no texts
        raise RequestError(received("a batch of texts or of encoded images", inputs=inputs))
    if len(inputs) == 0:
        raise RequestError("Expected at least one example. Received: none.")
    if isinstance(inputs[0], str | bytes):
        return _unprepared(list(inputs), prepare, ids)
    try:
        values = np.asarray(inputs)
    except ValueError:  # of several shapes
        values = np.empty(0, object)
    kind = _kind(values)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        bad = ~np.isfinite(values.reshape(len(values), -1))
        first = int(np.flatnonzero(bad.any(1))[0])
        raise RequestError(
            f"Expected finite numbers. Received: {bad.sum():,} of {bad.size:,} that are infinite "
            f"or no number, the first in example {ids[first] if ids else first}."
        )
    sizes = np.full((len(values), 2), np.nan) if sizes_px is None else _sizes(sizes_px, len(values))
    return Examples(kind, values, np.ones(len(values), int), sizes)


def require_same(examples: Examples, kind: str, shape: Sequence[int]) -> None:
    """Refuses examples of another kind or shape than the profile's."""
    if (examples.kind, tuple(examples.shape)) != (kind, tuple(shape)):
        raise RequestError(
            f"Expected examples of kind {kind!r} and shape {tuple(shape)}, as in the profile. "
            f"Received: {examples.kind!r} of shape {tuple(examples.shape)}."
        )


def _kind(values: np.ndarray) -> str:
    kind, axes = values.dtype.kind, values.ndim
    if axes == 4 and kind in "uf" and 1 <= values.shape[-1] <= 4 and values.size:
        return "image"
    if axes == 2 and kind in "ui" and values.size:
        return "tokens"
    if axes in (2, 3) and kind == "f" and values.size:
        return "sequence"
    expected = (
        "images (N, H, W, 1 to 4) of one size, tokens (N, T), sequences (N, T, C), features "
        "(N, C), texts or encoded images"
    )
    raise RequestError(f"Expected {expected}. Received: {values.dtype} of shape {values.shape}.")


def _sizes(sizes_px: Any, number: int) -> np.ndarray:
    sizes = np.asarray(sizes_px, np.float64)
    if sizes.shape != (number, 2):
        expected = f"`sizes_px` to hold height and width of {number} images"
        raise RequestError(received(expected, shape=sizes.shape))
    return sizes


def _unprepared(
    inputs: list[str | bytes], prepare: "Chain | None", ids: Sequence[str] | None
) -> Examples:
    if prepare is None or not prepare.ops:
        raise RequestError(
            "Expected `prepare`, the model's chain, with texts or encoded images. Received: none."
        )
    return _texts(inputs, prepare) if prepare.ops[0].on == "text" else _images(inputs, prepare, ids)


def _texts(texts: list[str | bytes], prepare: "Chain") -> Examples:
    from tfpipe.ops import Tokenize, Window

    ops = prepare.inference().ops
    if len(ops) != 2 or not isinstance(ops[0], Tokenize) or not isinstance(ops[1], Window):
        raise RequestError(received("a chain of Tokenize and Window for texts", prepare=prepare))
    known, length, stride = _numbers(ops[0].vocabulary), ops[1].length, ops[1].stride
    plain = [tokens.text_of(text) for text in texts]
    ids = [tokens.to_ids(text, known) for text in plain]
    windows = [tokens.windows(each, length, stride) for each in ids]
    return Examples(
        "text",
        np.concatenate(windows),
        np.array([len(each) for each in windows]),
        np.full((len(texts), 2), np.nan),
        list(zip(plain, ids, strict=True)),
    )


@functools.lru_cache(maxsize=4)
def _numbers(vocabulary: tuple[str, ...]) -> dict[str, int]:
    return tokens.numbers(vocabulary)


def _images(images: list[str | bytes], prepare: "Chain", ids: Sequence[str] | None) -> Examples:
    import tensorflow as tf

    decode, pixels, sizes = _decoder(prepare), [], []
    for place, encoded in enumerate(images):
        try:
            image, size = decode(tf.constant(encoded))
        except tf.errors.InvalidArgumentError:
            raise RequestError(
                f"Expected encoded images. Received: example {ids[place] if ids else place}, which "
                "cannot be decoded."
            ) from None
        pixels.append(image.numpy())
        sizes.append(size.numpy())
    return read(pixels, None, sizes)


@functools.lru_cache(maxsize=4)
def _decoder(prepare: "Chain") -> Callable[[Any], Any]:
    """From one encoded image to what a file takes, and its size before it was resized."""
    import tensorflow as tf

    decode, *rest = prepare.outside().ops

    @tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
    def run(encoded: tf.Tensor) -> Any:
        example = decode({"image": encoded})
        size = tf.shape(example["image"])[:2]
        for op in rest:
            example = op(example)
        return example["image"], size

    return run
