"""The examples that int8 and int16x8 take their ranges from, checked before they are believed."""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from tfpipe.errors import RequestError, received
from tfpipe.ops import Chain, Op
from tfpipe.untuned import untuned

MIN_EXAMPLES = 100
MAX_EXAMPLES = 500


def calibration_examples(
    dataset: tf.data.Dataset | None,
    takes: tf.TensorSpec,
    ahead: Sequence[Op] = (),
    *,
    mode: str = "int8",
    least: int = MIN_EXAMPLES,
) -> np.ndarray:
    """The distinct ones among the first 500 examples of `dataset`, as the network gets them.

    Args:
        dataset: batches of inputs, or of (inputs, targets).
        takes: what the file takes, (1, ...), named "images", "sequences", "tokens" or "features".
            Of uint8 pixels, one corner of the first image is made black and one white after the
            last op that gives pixels: so the range is exactly 0 to 255, and int8's scale exactly 1.
        ahead: what happens to the pixels before the network.
        mode: for the error.
        least: how many distinct ones there must be.

    Returns:
        float32 (N, ...), or int32 where the file takes tokens.

    Raises:
        RequestError: there are none; they do not fit the file, hold NaN or infinity, or are
            normalised already; or fewer than `least` of them differ and hold more than one value.
    """
    if dataset is None:
        raise RequestError(
            f"mode={mode!r} takes the ranges of the activations from examples. Give "
            f"`calibration`, batches of the training {takes.name}."
        )
    if not isinstance(dataset, tf.data.Dataset):
        expected = "`calibration` to be a tf.data.Dataset of batches"
        raise RequestError(received(expected, calibration=type(dataset).__name__))
    examples = np.stack(_distinct(dataset, takes, least))
    if takes.dtype.is_integer and takes.name == "tokens":
        return examples.astype(np.int32)
    if takes.dtype == tf.uint8:
        _require_pixels(examples)
        return _prepared(examples, ahead)
    return examples


def _prepared(pixels: np.ndarray, ahead: Sequence[Op]) -> np.ndarray:
    on_pixels = [op for op in ahead if op.gives == "uint8"]
    pixels = np.stack([Chain(on_pixels)({"image": image})["image"] for image in pixels])
    pixels[0, 0, 0], pixels[0, -1, -1] = 0, 255
    images = Chain(ahead[len(on_pixels) :])({"image": pixels})["image"]
    return np.asarray(images, np.float32)


def _distinct(dataset: tf.data.Dataset, takes: tf.TensorSpec, least: int) -> list[np.ndarray]:
    """The first examples without their repetitions, and without those of a single value."""
    chosen: dict[bytes, np.ndarray] = {}
    seen = constant = 0
    for example in _first(dataset):
        _require_fit(example, takes)
        seen += 1
        if example.size > 1 and example.min() == example.max():
            constant += 1
        else:
            chosen.setdefault(hashlib.sha256(example.tobytes()).digest(), example)
    if len(chosen) < least:
        blank = f" {constant} hold one value throughout, and do not count." if constant else ""
        raise RequestError(
            f"Expected `calibration` to hold at least {least} distinct "
            f"{'sequences of ' * (takes.name == 'tokens')}{takes.name}. "
            f"Received: {len(chosen)} among the first {seen}.{blank}"
        )
    return list(chosen.values())


def _require_fit(example: np.ndarray, takes: tf.TensorSpec) -> None:
    shape, dtype = tuple(takes.shape[1:]), takes.dtype.name
    fits = example.dtype == dtype or (takes.name == "tokens" and example.dtype.kind in "iu")
    if example.shape != shape or not fits:
        raise RequestError(
            f"Expected `calibration` to hold {dtype} {takes.name} of shape {shape}. "
            f"Received: {example.dtype} of shape {example.shape}. "
            "`records.read(..., prepare.outside())` gives what a file takes."
        )
    if example.dtype.kind == "f" and not np.isfinite(example).all():
        raise RequestError(
            f"Expected `calibration` to hold finite numbers. Received: {takes.name} with NaN or "
            "infinity. Mend them, or leave them out, as in training."
        )


def _require_pixels(images: np.ndarray) -> None:
    if images.max() <= 1:
        raise RequestError(
            "Expected `calibration` to hold pixels from 0 to 255. Received: none above "
            f"{images.max()}: they are normalised already. "
            "`records.read(..., prepare.outside())` gives what a file takes."
        )


def _first(dataset: tf.data.Dataset) -> Iterator[np.ndarray]:
    spec = dataset.element_spec
    inputs = dataset.map(lambda *batch: batch[0]) if isinstance(spec, tuple) else dataset
    if not isinstance(inputs.element_spec, tf.TensorSpec):
        expected = "`calibration` to hold batches of inputs, or of (inputs, targets)"
        raise RequestError(received(expected, element_spec=inputs.element_spec))
    return iter(untuned(inputs.unbatch().take(MAX_EXAMPLES)).as_numpy_iterator())
