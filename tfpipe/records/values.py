"""An example's values as they are stored: a file's bytes for its path, a PNG for pixels.

What cannot be stored as its feature says is refused, so that every record can be parsed.
"""

import pathlib
import reprlib
import stat
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from tfpipe.records.sources.base import Example, Feature, Refused

_SHAPES: dict[str, tuple[int | None, ...]] = {"label": (), "classes": (None,), "boxes": (None, 4)}
_WHOLE = ("label", "labels", "classes")


def stored(example: Example, features: Mapping[str, Feature]) -> Example:
    """The values of the features, ready to be stored.

    >>> stored({"id": "a", "text": "fine", "label": 1}, {"text": Feature("text")})
    {'text': b'fine'}

    Raises:
        Refused: a value is missing, cannot be read, or does not fit its feature.
    """
    values = {}
    for key, feature in features.items():
        if key not in example:
            raise Refused(f"it has no {key!r}")
        try:
            values[key] = _stored(example[key], key, feature)
        except Refused as reason:
            if feature.kind != "mask":
                raise
            raise Refused(f"the mask: {reason}") from None
    _require_class_of_each_box(values)
    return values


def to_png(image: np.ndarray[Any, Any]) -> bytes:
    """Encodes uint8 pixels, (H, W, 1) or RGB (H, W, 3), without loss.

    >>> to_png(np.zeros((2, 2, 1), np.uint8))[1:4]
    b'PNG'
    """
    pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.shape[-1] == 3 else image
    _, encoded = cv2.imencode(".png", pixels)
    return encoded.tobytes()


def _stored(value: Any, key: str, feature: Feature) -> Any:
    if isinstance(value, pathlib.Path):
        value = _contents(value)
    if feature.kind in ("image", "mask"):
        return to_png(_pixels(value)) if isinstance(value, np.ndarray) else value
    if feature.kind == "text":
        return _utf8(value) if isinstance(value, str) else value
    _require_numbers(value, key, feature)
    return value


def _contents(path: pathlib.Path) -> bytes:
    try:
        # To read from a pipe or a device might never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise Refused("not a file, but a folder or a device")
        return path.read_bytes()
    except FileNotFoundError:
        raise Refused("there is no such file") from None
    except OSError as error:
        raise Refused(f"the file cannot be read ({error.strerror})") from None
    except ValueError as error:  # a NUL in the name
        raise Refused(f"the file cannot be read ({error})") from None


def _require_class_of_each_box(values: Example) -> None:
    if {"boxes", "classes"} <= set(values) and len(values["boxes"]) != len(values["classes"]):
        raise Refused(f"found {len(values['boxes'])} boxes and {len(values['classes'])} classes")


def _pixels(value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if value.dtype != np.uint8 or value.ndim != 3 or value.shape[2] not in (1, 3) or not value.size:
        raise Refused(
            f"expected pixels as uint8 of shape (H, W, 1) or (H, W, 3), found {value.dtype} of "
            f"shape {value.shape}"
        )
    return value


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Refused(f"the text cannot be stored as UTF-8 ({error.reason})") from None


def _require_numbers(value: Any, key: str, feature: Feature) -> None:
    try:
        numbers = np.asarray(value)
    except ValueError:
        raise Refused(
            f"expected {key!r} to be numbers, found lists that differ in length"
        ) from None
    _require_shape(numbers.shape, key, feature)
    whole = feature.kind in _WHOLE
    if numbers.size and numbers.dtype.kind not in ("iu" if whole else "iuf"):
        kind = "whole numbers" if whole else "numbers"
        raise Refused(f"expected {key!r} to be {kind}, found {reprlib.repr(value)}")
    if not whole:
        _require_float32(numbers, key, finite=feature.kind == "target")


def _require_shape(found: tuple[int, ...], key: str, feature: Feature) -> None:
    expected = _SHAPES.get(feature.kind, feature.shape)
    if feature.kind == "boxes" and found == (0,):  # an empty list
        return
    if len(found) != len(expected) or any(
        want not in (None, have) for want, have in zip(expected, found, strict=True)
    ):
        raise Refused(f"expected {key!r} of shape {expected}, found {found}")


def _require_float32(numbers: np.ndarray[Any, Any], key: str, *, finite: bool) -> None:
    """Refuses what would be stored as infinite without being so; if `finite`, all that is not."""
    with np.errstate(over="ignore"):
        lost = ~np.isfinite(numbers.astype(np.float32))
    if not finite:
        lost &= np.isfinite(numbers)
    if lost.any():
        raise Refused(f"expected {key!r} to be finite numbers of float32, found {numbers[lost][0]}")
