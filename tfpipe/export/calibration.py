"""The images that int8 takes its ranges from, checked before they are believed."""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from tfpipe.errors import RequestError
from tfpipe.ops import Chain, Op

MIN_EXAMPLES = 100
MAX_EXAMPLES = 500


def calibration_images(
    dataset: tf.data.Dataset | None, takes: tf.TensorSpec, ahead: Sequence[Op] = ()
) -> np.ndarray:
    """The first 500 images of `dataset` as the network gets them, in float32 (N, H, W, C).

    Args:
        dataset: batches of images, or of (images, targets).
        takes: what the file takes: (1, H, W, C), uint8 or float32. Of uint8, one corner of the
            first image is made black and one white: so the range is exactly 0 to 255, the scale
            exactly 1, and the pixels go into the network as they are.
        ahead: what happens to the pixels before the network.

    Raises:
        RequestError: there are none, they do not fit the file, or fewer than 100 are distinct.
    """
    if dataset is None:
        raise RequestError(
            "mode='int8' takes the ranges of the activations from examples. Give `calibration`, "
            "batches of the training images."
        )
    chosen, seen = [], set()
    for image in _first(dataset):
        _require_fit(image, takes)
        seen.add(hashlib.sha256(image.tobytes()).digest())
        chosen.append(np.asarray(Chain(ahead)({"image": image})["image"], np.float32))
    if len(seen) < MIN_EXAMPLES:
        raise RequestError(
            f"Expected `calibration` to hold at least {MIN_EXAMPLES} distinct images. "
            f"Received: {len(seen)} among the first {len(chosen)}."
        )
    images = np.stack(chosen)
    if takes.dtype == tf.uint8:
        images[0, 0, 0], images[0, -1, -1] = 0.0, 255.0
    return images


def _require_fit(image: np.ndarray, takes: tf.TensorSpec) -> None:
    shape, dtype = tuple(takes.shape[1:]), takes.dtype.name
    if image.shape != shape or image.dtype != dtype:
        raise RequestError(
            f"Expected `calibration` to hold {dtype} images of shape {shape}. "
            f"Received: {image.dtype} of shape {image.shape}. "
            "`records.read(..., prepare.outside())` gives what a file takes."
        )


def _first(dataset: tf.data.Dataset) -> Iterator[np.ndarray]:
    spec = dataset.element_spec
    images = dataset.map(lambda *batch: batch[0]) if isinstance(spec, tuple) else dataset
    return iter(images.unbatch().take(MAX_EXAMPLES).as_numpy_iterator())
