"""What is shown of an example to a person: a small picture, or the beginning of a text.

Example:

    small = shown(examples, side_px=64)
"""

from typing import NamedTuple

import cv2
import numpy as np

from tfpipe.drift.inputs import Examples

MOST_LETTERS = 200

Shown = np.ndarray | str | None


class Seen(NamedTuple):
    """One example: its id, and its picture, uint8 (H, W, 1 or 3), or its text, or neither.

    Example:

    >>> Seen("a17", "Fine film").id
    'a17'
    """

    id: str
    shown: Shown


def shown(examples: Examples, side_px: int) -> list[Shown]:
    """For each example a picture that fits a square, or a text of at most 200 letters, or None.

    Args:
        examples: N.
        side_px: of the square; 0 keeps neither pictures nor texts.
    """
    if side_px == 0 or examples.kind not in ("image", "text"):
        return [None] * len(examples)
    if examples.kind == "text":
        return [text[:MOST_LETTERS] for text, _ in examples.texts]
    return [small(image, side_px) for image in examples.takes]


def small(image: np.ndarray, side_px: int) -> np.ndarray:
    """A uint8 picture (H, W, 1 or 3) that fits a square; numbers that are no greys are stretched.

    >>> small(np.zeros((100, 50, 3), np.uint8), 64).shape
    (64, 32, 3)
    """
    pixels = image if image.shape[-1] in (1, 3) else image[..., :1]
    height, width = image.shape[:2]
    scale = min(1.0, side_px / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    if pixels.dtype != np.uint8:
        pixels = cv2.normalize(pixels, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return pixels.reshape(*size[::-1], -1)
