"""Drawn metal surfaces with scratches, holes and worn patches, and their masks: for a try-out.

Example:

    source = surfaces(seed=0)

Streaks along one side, uneven light and noise; one in five is without a defect. The picture's
size varies, and its id begins with the kind of its defect: "hole_17".
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

import tfpipe as tp

KINDS = ("free", "hole", "patch", "scratch")
NUMBERS = {"train": 120, "val": 30, "test": 50}


def surfaces(seed: int) -> tp.records.Source:
    """200 grey pictures of 90 to 150 pixels a side, each with a `mask` of free and defect."""
    print("The surfaces are drawn: the scores say nothing of real ones.")
    features = {
        "image": tp.records.Feature("image", (None, None, 1)),
        "mask": tp.records.Feature("mask", table=(0,) * 128 + (1,) * 128),
    }
    examples = list(_examples(np.random.default_rng(seed)))
    return tp.records.examples(
        examples, features, class_names=("free", "defect"), name="drawn_surfaces"
    )


def kind_of(name: str) -> str:
    """The kind of the defect, from a picture's id.

    >>> kind_of("hole_17")
    'hole'
    """
    return name.split("_")[0]


def _examples(generator: np.random.Generator) -> Iterator[dict[str, Any]]:
    splits = [split for split, number in NUMBERS.items() for _ in range(number)]
    for number, split in enumerate(splits):
        kind = str(generator.choice(KINDS, p=(0.2, 0.3, 0.2, 0.3)))
        image, mask = draw(generator, kind)
        yield {"id": f"{kind}_{number}", "split": split, "image": image, "mask": mask}


def draw(generator: np.random.Generator, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """A surface and its mask, 0 or 255, both uint8 (H, W, 1)."""
    height, width = generator.integers(90, 151, 2)
    streaks = cv2.GaussianBlur(generator.normal(0, 9, (1, width)), (0, 0), 1.0)
    slope = np.linspace(-1, 1, height)[:, None] * generator.uniform(-20, 20)
    image = generator.uniform(70, 150) + streaks + slope + generator.normal(0, 4, (height, width))
    mask = np.zeros((height, width), np.uint8)
    depth = _mark(mask, generator, kind)
    image += depth * cv2.GaussianBlur(mask, (0, 0), 0.7) / 255
    return np.clip(image, 0, 255).astype(np.uint8)[..., None], mask[..., None]


def _mark(mask: np.ndarray, generator: np.random.Generator, kind: str) -> float:
    """Draws the defect into the mask; returns how much brighter its pixels are."""
    height, width = mask.shape
    x, y = (int(generator.integers(12, side - 12)) for side in (width, height))
    if kind == "hole":
        radii = tuple(map(int, generator.integers(3, 8, 2)))
        cv2.ellipse(mask, (x, y), radii, generator.uniform(0, 180), 0, 360, 255, -1)
    elif kind == "scratch":
        steps = np.array((x, y)) + generator.integers(-9, 10, (4, 2)).cumsum(0)
        cv2.polylines(mask, [steps.astype(np.int32)], False, 255, 2)
    elif kind == "patch":
        radii = tuple(map(int, generator.integers(14, 35, 2)))
        cv2.ellipse(mask, (x, y), radii, 0, 0, 360, 255, -1)
    return {"patch": 30.0, "scratch": -35.0}.get(kind, -45.0)
