"""The images that int8 takes its ranges from, checked before they are believed."""

import numpy as np
import tensorflow as tf

from tfpipe.errors import RequestError

MIN_EXAMPLES = 100
MAX_EXAMPLES = 500


def calibration_images(
    dataset: tf.data.Dataset | None, shape: tuple[int, ...], *, pixels: bool
) -> np.ndarray:
    """The first 500 images of `dataset`, as float32 (N, H, W, C).

    Args:
        dataset: batches of images, or of (images, targets).
        shape: (H, W, C) that the file takes.
        pixels: the file takes uint8 pixels. Then one corner of the first image is made black and
            one white: so the range is exactly 0 to 255, the scale exactly 1, and the pixels go
            into the file as they are.

    Raises:
        RequestError: there are none, they do not fit the file, or fewer than 100 are distinct.
    """
    if dataset is None:
        raise RequestError(
            "mode='int8' takes the ranges of the activations from examples. Give `calibration`, "
            "batches of the training images."
        )
    images = _first(dataset)
    dtype = "uint8" if pixels else "float32"
    for image in images:
        if image.shape != shape or image.dtype != dtype:
            raise RequestError(
                f"Expected `calibration` to hold {dtype} images of shape {shape}. "
                f"Received: {image.dtype} of shape {image.shape}. "
                "`records.read(..., prepare.pixels())` gives what a file takes."
            )
    distinct = len({image.tobytes() for image in images})
    if distinct < MIN_EXAMPLES:
        raise RequestError(
            f"Expected `calibration` to hold at least {MIN_EXAMPLES} distinct images. "
            f"Received: {distinct} among the first {len(images)}."
        )
    chosen = np.stack(images).astype(np.float32)
    if pixels:
        chosen[0, 0, 0], chosen[0, -1, -1] = 0.0, 255.0
    return chosen


def _first(dataset: tf.data.Dataset) -> list[np.ndarray]:
    spec = dataset.element_spec
    images = dataset.map(lambda *batch: batch[0]) if isinstance(spec, tuple) else dataset
    return list(images.unbatch().take(MAX_EXAMPLES).as_numpy_iterator())
