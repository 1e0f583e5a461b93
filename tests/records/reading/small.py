"""Records of small pictures, and how they are read."""

import numpy as np

from tfpipe import records

NUM_TRAIN = 45


def pictures():
    return np.random.default_rng(0).integers(0, 256, (60, 8, 6, 3), np.uint8)


def read(manifest, prepare=None, **options):
    return records.read(manifest, "train", prepare, **{"batch_size": 8, **options})


def rows(dataset):
    """Every example's image as bytes, with its label."""
    return [
        (image.tobytes(), int(label))
        for images, labels, *_ in dataset.as_numpy_iterator()
        for image, label in zip(images, labels, strict=True)
    ]
