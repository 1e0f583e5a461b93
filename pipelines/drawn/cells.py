"""Drawn blood smears with their boxes: red cells, white ones and platelets, for a try-out.

Example:

    source = cells(seed=0)

Red cells are pale in the middle and may overlap, white ones are large with a dark nucleus,
platelets are small; the ground is uneven and noisy. A box is what is left of its cell in the
picture.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

import tfpipe as tp

CLASSES = ("platelet", "red cell", "white cell")
NUMBERS = {"train": 160, "val": 30, "test": 60}
HEIGHT, WIDTH = 120, 160
# By class: how many there are at most in a picture, the radius in pixels, and the colours (RGB) of
# the rim and of the inside.
KINDS = (
    (3, (5, 7), (120, 70, 150), (150, 100, 175)),
    (8, (10, 14), (205, 120, 120), (230, 170, 160)),
    (1, (17, 22), (185, 165, 205), (105, 60, 150)),
)


def cells(seed: int) -> tp.records.Source:
    """Pictures of 120x160 pixels with `boxes` and `classes`, in their splits."""
    print("The cells are drawn: the scores say nothing of real ones.")
    features = {
        "image": tp.records.Feature("image", (HEIGHT, WIDTH, 3)),
        "boxes": tp.records.Feature("boxes"),
        "classes": tp.records.Feature("classes"),
    }
    drawn = list(_examples(np.random.default_rng(seed)))
    return tp.records.examples(drawn, features, class_names=CLASSES, name="drawn_cells")


def _examples(generator: np.random.Generator) -> Iterator[dict[str, Any]]:
    splits = [split for split, number in NUMBERS.items() for _ in range(number)]
    for number, split in enumerate(splits):
        image, boxes, classes = draw(generator)
        yield {
            "id": f"smear_{number}",
            "split": split,
            "image": image,
            "boxes": boxes,
            "classes": classes,
        }


def draw(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A smear uint8 (H, W, 3), its boxes (N, 4) as y1, x1, y2, x2 in 0..1, their classes (N,)."""
    uneven = cv2.resize(generator.normal(0, 6, (3, 4, 3)), (WIDTH, HEIGHT))
    image = np.array((235, 222, 215)) + uneven
    boxes, classes = [], []
    for label in (1, 2, 0):  # platelets lie on top
        most, radii, rim, inside = KINDS[label]
        for _ in range(generator.integers(most // 2, most + 1)):
            y, x = generator.uniform((4, 4), (HEIGHT - 4, WIDTH - 4))
            axes = generator.uniform(*radii, 2)
            covered = _disc((y, x), axes, 1.0)
            image = np.where(covered[..., None], np.array(rim) + generator.normal(0, 6, 3), image)
            image = np.where(_disc((y, x), axes, 0.6)[..., None], inside, image)
            rows, columns = (np.flatnonzero(covered.any(axis)) for axis in (1, 0))
            edges = np.array([rows[0], columns[0], rows[-1] + 1, columns[-1] + 1])
            boxes.append(edges / (HEIGHT, WIDTH, HEIGHT, WIDTH))
            classes.append(label)
    blurred = cv2.GaussianBlur(image, (0, 0), 0.8) + generator.normal(0, 4, image.shape)
    picture = np.clip(blurred, 0, 255).astype(np.uint8)
    return picture, np.reshape(boxes, (-1, 4)).astype(np.float32), np.array(classes, np.int64)


def _disc(centre: tuple[float, float], axes: np.ndarray, share: float) -> np.ndarray:
    """Which pixels are in the ellipse, of which `share` of both axes is taken."""
    away = np.indices((HEIGHT, WIDTH)) - np.reshape(centre, (2, 1, 1))
    return ((away / (share * axes[:, None, None])) ** 2).sum(0) <= 1
