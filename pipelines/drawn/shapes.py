"""Drawn shapes of ten kinds in colour, 32x32: for a try-out without real data.

Example:

    source = shapes(seed=0)

A shape of any colour, size, place and turn on a ground of another colour, under noise: neither
colour nor brightness tells the kind.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import cv2
import numpy as np

import tfpipe as tp

SIZE_PX, FINE = 32, 4  # drawn this many times larger, for smooth edges
KINDS = (
    *("disc", "ring", "triangle", "square", "pentagon"),
    *("star", "cross", "bar", "crescent", "two discs"),
)
# Of a shape of radius 1: discs as (distance from the middle, radius, whether it is filled or cut
# out), in their order; polygons as the angles and the radii of their corners.
DISCS = {
    "disc": ((0, 0.85, 1.0),),
    "ring": ((0, 0.85, 1.0), (0, 0.5, 0.0)),
    "crescent": ((0, 0.85, 1.0), (0.45, 0.7, 0.0)),
    "two discs": ((-0.55, 0.42, 1.0), (0.55, 0.42, 1.0)),
}
BAR = np.array([-0.25, 0.25, np.pi - 0.25, np.pi + 0.25])
POLYGONS = {
    "triangle": ((np.arange(3) * 2 * np.pi / 3, np.ones(3)),),
    "square": ((np.arange(4) * 2 * np.pi / 4, np.ones(4)),),
    "pentagon": ((np.arange(5) * 2 * np.pi / 5, np.ones(5)),),
    "star": ((np.arange(10) * np.pi / 5, np.tile([1.0, 0.4], 5)),),
    "bar": ((BAR, np.ones(4)),),
    "cross": ((BAR, np.ones(4)), (BAR + np.pi / 2, np.ones(4))),
}


def shapes(seed: int, *, number: int = 3000) -> tp.records.Source:
    """As many pictures of each kind, with a `label`."""
    print("The shapes are drawn: the scores say nothing of real ones.")
    random = np.random.default_rng(seed)
    labels = np.arange(number) % len(KINDS)
    images = np.stack([draw(KINDS[label], random) for label in labels])
    return tp.records.arrays(
        images, labels, seed=seed, stratify=True, class_names=KINDS, name="drawn_shapes"
    )


def draw(kind: str, random: np.random.Generator) -> np.ndarray:
    """One picture, uint8 (32, 32, 3)."""
    ground, colour = random.integers(0, 256, (2, 3)).astype(np.float32)
    while abs(ground - colour).max() < 80:
        colour = random.integers(0, 256, 3).astype(np.float32)
    mask = cv2.resize(_mask(kind, random), (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA)
    image = ground + (colour - ground) * mask[..., None]
    noisy = image + random.normal(0, 12, image.shape)
    return noisy.clip(0, 255).round().astype(np.uint8)


def _mask(kind: str, random: np.random.Generator) -> np.ndarray:
    """Float32 (128, 128): 1 in the shape."""
    mask = np.zeros((SIZE_PX * FINE,) * 2, np.float32)
    radius, turn = random.uniform(32, 50), random.uniform(0, 2 * np.pi)
    centre = len(mask) / 2 + random.uniform(-10, 10, 2)
    for distance, size, value in DISCS.get(kind, ()):
        middle = centre + distance * radius * np.array([np.cos(turn), np.sin(turn)])
        cv2.circle(mask, tuple(middle.round().astype(int)), round(size * radius), value, -1)
    for angles, radii in POLYGONS.get(kind, ()):
        corners = np.stack([np.cos(angles + turn), np.sin(angles + turn)], 1)
        corners *= radius * radii[:, None]
        cv2.fillPoly(mask, [(centre + corners).round().astype(np.int32)], 1.0)
    return mask
