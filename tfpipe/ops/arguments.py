"""What the arguments of several ops must be, and the sentences for those that are not."""

import math
from typing import Any

from tfpipe.errors import RequestError, received


def require_size(name: str, value: Any) -> None:
    """Refuses what is not (height, width), whole numbers from 1.

    >>> require_size("size", (224, 224))
    >>> require_size("size", 224)
    Traceback (most recent call last):
        ...
    tfpipe.errors.RequestError: Expected `size` to be (height, width) in pixels. Received: size=224
    """
    good = isinstance(value, tuple) and len(value) == 2 and all(is_whole(v, 1) for v in value)
    if not good:
        raise RequestError(received(f"`{name}` to be (height, width) in pixels", **{name: value}))


def require_fraction(name: str, value: Any) -> None:
    """Refuses what is not a number from 0 to 1."""
    if not is_number(value) or not 0 <= value <= 1:
        raise RequestError(received(f"`{name}` to be a fraction from 0 to 1", **{name: value}))


def require_range(name: str, value: Any, least: float, most: float) -> None:
    """Refuses what is not (smallest, largest), two numbers in order and within the bounds.

    >>> require_range("zoom", (0.8, 1.2), 0.1, 10)
    """
    good = isinstance(value, tuple) and len(value) == 2 and all(map(is_number, value))
    if not good or not least <= value[0] <= value[1] <= most:
        expected = f"`{name}` to be (smallest, largest), in order and from {least:g} to {most:g}"
        raise RequestError(received(expected, **{name: value}))


def require_bool(name: str, value: Any) -> None:
    """Refuses what is neither True nor False."""
    if not isinstance(value, bool):
        raise RequestError(received(f"`{name}` to be True or False", **{name: value}))


def require_whole(name: str, value: Any, least: int) -> None:
    """Refuses what is not a whole number from `least`."""
    if not is_whole(value, least):
        raise RequestError(received(f"`{name}` to be a whole number from {least}", **{name: value}))


def is_number(value: Any) -> bool:
    """Whether it is an int or a float, and finite.

    >>> is_number(0.5), is_number(math.nan), is_number("1"), is_number(True)
    (True, False, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_whole(value: Any, least: int) -> bool:
    """Whether it is an int from `least`.

    >>> is_whole(3, 1), is_whole(0, 1), is_whole(3.0, 1), is_whole(True, 1)
    (True, False, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
