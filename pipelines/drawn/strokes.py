"""What several drawn sets are drawn with."""

import cv2
import numpy as np

ARC = (190, 350)  # degrees: the upper half of an ellipse's edge, as a rib looks from the front


def ellipse(
    image: np.ndarray,
    middle: tuple[float, float],
    radii: tuple[float, float],
    grey: float,
    *,
    arc: bool = False,
) -> None:
    """Fills an ellipse in a square image, or draws the upper part of its edge.

    Args:
        image: float32 (size, size), changed in place.
        middle: (x, y), as fractions of the size, and so are the radii.
        radii: along x and along y.
        grey: the pixels' new value.
        arc: whether it is the edge alone.
    """
    size = len(image)
    places = [tuple(round(value * size) for value in pair) for pair in (middle, radii)]
    start, end = ARC if arc else (0, 360)
    cv2.ellipse(image, *places, 0, start, end, grey, thickness=2 if arc else -1)
