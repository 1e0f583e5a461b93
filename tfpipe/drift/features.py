"""An input as a row of numbers: how bright, how sharp, how long, how much of it is known.

Example:

    names = input_names(examples)               # ("input/mean", "input/contrast", ...)
    rows = input_rows(examples)                 # float32 (N, len(names))
    vectors = layouts(examples)                 # float32 (N, 32), of images
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from tfpipe.drift.inputs import Examples
from tfpipe.drift.projecting import projected
from tfpipe.tokens import PADDING, UNKNOWN

LAYOUT_PX = 16
MOST_COLUMNS = 32  # of a sequence; of more, all columns together are measured
# Immerkaer, "Fast Noise Variance Estimation", Computer Vision and Image Understanding 64(2), 1996:
# the difference of two Laplacians, which edges and slopes leave at nought.
_NOISE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_NOISE_SCALE = math.sqrt(math.pi / 2) / 6
_CHANNELS: dict[int, tuple[str, ...]] = {1: ("",), 3: (" red", " green", " blue")}


def input_names(examples: Examples) -> tuple[str, ...]:
    """The names of the columns that `input_rows` gives."""
    if examples.kind == "image":
        channels = examples.shape[-1]
        which = _CHANNELS.get(channels, tuple(f" {place}" for place in range(channels)))
        names = [f"{name}{each}" for name in ("mean", "contrast") for each in which]
        names += ["sharpness", "noise", "height_px", "width_px"]
    elif examples.kind == "sequence":
        columns = examples.shape[-1]
        pooled = columns > MOST_COLUMNS
        which = ("",) if pooled else tuple(f" {place}" for place in range(columns))
        spread = len(examples.shape) == 2 or pooled  # a single number has none
        names = [f"mean{each}" for each in which]
        names += [f"spread{each}" for each in which] if spread else []
    else:
        names = ["words", "unknown", *(["letters per word"] if examples.kind == "text" else [])]
    return tuple(f"input/{name}" for name in names)


def input_rows(examples: Examples) -> np.ndarray:
    """A row per example, float32; nan where something of an example is not known."""
    if examples.kind == "image":
        rows = [image_row(image) for image in examples.takes]
        return np.column_stack([rows, examples.sizes_px]).astype(np.float32)
    if examples.kind == "sequence":
        return _sequence_rows(examples.takes.astype(np.float64)).astype(np.float32)
    if examples.kind == "text":
        return np.array([text_row(*each) for each in examples.texts], np.float32)
    return np.array([_known(row[row != PADDING]) for row in examples.takes], np.float32)


def layouts(examples: Examples) -> np.ndarray:
    """Where images are light and where dark, whatever their brightness and contrast.

    The grey image of 16 x 16 pixels less its mean, in standard deviations, projected: float32
    (N, 32). What is not an image has none: (N, 0).
    """
    if examples.kind != "image":
        return np.empty((len(examples), 0), np.float32)
    return projected(np.stack([_evened(image) for image in examples.takes]))


def _evened(image: np.ndarray) -> np.ndarray:
    small = cv2.resize(image.astype(np.float32), (LAYOUT_PX,) * 2, interpolation=cv2.INTER_AREA)
    grey = small if small.ndim == 2 else small.mean(2)
    mean, spread = cv2.meanStdDev(grey)
    return (grey.ravel() - np.float32(mean[0, 0])) / np.float32(spread[0, 0] or 1)


def image_row(image: np.ndarray) -> list[float]:
    """The mean and the contrast of each channel, the sharpness and the noise of the grey image.

    In the image's own units (grey levels, of uint8). The contrast is the standard deviation; the
    sharpness that of the Laplacian; the noise is Immerkær's estimate of the standard deviation of
    the noise, which falls with blur and with JPEG's compression.

    Args:
        image: uint8 or float (H, W, C), C from 1 to 4.

    >>> image_row(np.full((8, 8, 1), 7, np.uint8))
    [7.0, 0.0, 0.0, 0.0]
    """
    whole = image.dtype == np.uint8
    pixels = image if whole else image.astype(np.float32)
    depth = cv2.CV_16S if whole else cv2.CV_32F
    mean, contrast = cv2.meanStdDev(pixels)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if image.shape[-1] == 3 else pixels[..., 0]
    _, sharpness = cv2.meanStdDev(cv2.Laplacian(grey, depth))
    second = cv2.filter2D(grey, depth, _NOISE)
    noise = cv2.norm(second, cv2.NORM_L1) / grey.size * _NOISE_SCALE
    return [*mean[:, 0].tolist(), *contrast[:, 0].tolist(), float(sharpness[0, 0]), float(noise)]


def text_row(text: str, ids: Sequence[int]) -> list[float]:
    """How many words a text has, the share of those that are not known, letters per word.

    >>> text_row("Fine film", [2, 1])
    [2.0, 0.5, 4.0]
    """
    letters = sum(character.isalnum() for character in text)
    return [*_known(np.array(ids)), letters / len(ids) if ids else math.nan]


def _known(ids: np.ndarray) -> list[float]:
    return [float(len(ids)), float(np.mean(ids == UNKNOWN)) if len(ids) else math.nan]


def _sequence_rows(values: np.ndarray) -> np.ndarray:
    if values.shape[-1] > MOST_COLUMNS:
        values = values.reshape(len(values), -1, 1)
    if values.ndim == 2:
        return values
    return np.concatenate([values.mean(1), values.std(1)], axis=1)
