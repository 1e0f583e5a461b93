"""Drawn chest X-rays of two classes, clear lungs and hazy ones: for a try-out without real data.

Example:

    source = xrays(seed=0)

Grey bodies with two dark lungs, ribs, spine, heart and noise, no two alike. Hazy lungs have some
pale, blurred patches; clear ones have none. Nothing else tells the classes apart.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import cv2
import numpy as np

import tfpipe as tp
from pipelines.drawn.strokes import ellipse

SIZE_PX = 112
CLASSES = ("clear", "hazy")
LUNGS = (0.3, 0.7)  # their middles, as fractions of the width
DRAWN = "The X-rays are drawn: the scores say nothing of real ones."


def xrays(seed: int, *, number: int = 320) -> tp.records.Source:
    """As many pictures of each class, grey, 112x112, a fifth of them in val."""
    print(DRAWN)
    random = np.random.default_rng(seed)
    labels = np.arange(number) % 2
    images = np.stack([draw(bool(label), random) for label in labels])
    return tp.records.arrays(
        images,
        labels,
        split=(0.8, 0.2),
        seed=seed,
        stratify=True,
        class_names=CLASSES,
        name="drawn_xrays",
    )


def origin(data: str) -> str:
    """Where the classes come from, for the page: a folder's, or drawn ones if there is none."""
    if not data:
        return DRAWN
    return (
        "In public collections of COVID-19 X-rays the two classes come from different hospitals: a "
        "model may tell these apart, and not the disease."
    )


def draw(hazy: bool, random: np.random.Generator) -> np.ndarray:
    """One picture, uint8 (112, 112)."""
    image = np.full((SIZE_PX, SIZE_PX), 130, np.float32)
    width, height = random.uniform(0.12, 0.17), random.uniform(0.28, 0.36)
    middle = random.uniform(0.45, 0.53)
    for x in LUNGS:
        ellipse(image, (x, middle), (width, height), 60)
    lung = image < 100
    ellipse(image, (0.5, 0.5), (0.05, 0.6), 165)
    ellipse(image, (0.55, middle + 0.15), (random.uniform(0.08, 0.12), 0.13), 160)
    for rib in np.arange(0.15, 0.9, 0.09):
        for x in LUNGS:
            ellipse(image, (x, rib + 0.1), (width, 0.1), 95, arc=True)
    if hazy:
        image += _patches(middle, height, random) * lung
    image = cv2.GaussianBlur(image, (0, 0), 1.0) * random.uniform(0.8, 1.2)
    image += random.normal(0, 7, image.shape) + random.uniform(-20, 20)
    return image.clip(0, 255).round().astype(np.uint8)


def _patches(middle: float, height: float, random: np.random.Generator) -> np.ndarray:
    """Two to five pale spots in the lungs, (112, 112)."""
    spots = np.zeros((SIZE_PX, SIZE_PX), np.float32)
    for _ in range(random.integers(2, 6)):
        x = random.choice(LUNGS) + random.uniform(-0.08, 0.08)
        y = middle + random.uniform(-0.4, 0.7) * height
        ellipse(spots, (x, y), tuple(random.uniform(0.04, 0.08, 2)), random.uniform(40, 70))
    return cv2.GaussianBlur(spots, (0, 0), 2.5)
