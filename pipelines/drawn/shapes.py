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

    def disc(distance: float, size: float, value: float = 1.0) -> None:
        middle = centre + distance * radius * np.array([np.cos(turn), np.sin(turn)])
        cv2.circle(mask, tuple(middle.round().astype(int)), round(size * radius), value, -1)

    def polygon(angles: np.ndarray, radii: np.ndarray | float = 1.0) -> None:
        points = np.stack([np.cos(angles + turn), np.sin(angles + turn)], 1)
        points *= radius * np.broadcast_to(radii, angles.shape)[:, None]
        cv2.fillPoly(mask, [(centre + points).round().astype(np.int32)], 1.0)

    corners = {"triangle": 3, "square": 4, "pentagon": 5}
    if kind in corners:
        polygon(np.arange(corners[kind]) * 2 * np.pi / corners[kind])
    elif kind == "star":
        polygon(np.arange(10) * np.pi / 5, np.tile([1.0, 0.4], 5))
    elif kind in ("bar", "cross"):
        for quarter in range(1 if kind == "bar" else 2):
            polygon(np.array([-0.25, 0.25, np.pi - 0.25, np.pi + 0.25]) + quarter * np.pi / 2)
    elif kind == "two discs":
        disc(-0.55, 0.42)
        disc(0.55, 0.42)
    else:
        disc(0, 0.85)
        if kind != "disc":
            distance, size = (0, 0.5) if kind == "ring" else (0.45, 0.7)
            disc(distance, size, 0.0)
    return mask
