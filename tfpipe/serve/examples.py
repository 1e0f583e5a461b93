"""What a request's instances are: each is looked at before anything is computed.

Example:

    parse = numbers((32, 32, 1), "uint8")
    parse([[[0], [255], ...], ...])         # uint8 (32, 32, 1), or a RequestError that says why not
"""

import base64
import binascii
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tfpipe.errors import RequestError

Parse = Callable[[Any], Any]


def parse_all(instances: Sequence[Any], parse: Parse) -> list[Any]:
    """Every instance by `parse`.

    Raises:
        RequestError: one is not what it should be; which, where there are several.

    Example:

    >>> parse_all(["a", 7], text)
    Traceback (most recent call last):
        ...
    tfpipe.errors.RequestError: Instance 1: expected a text. Received: a number.
    """
    parsed = []
    for place, instance in enumerate(instances):
        try:
            parsed.append(parse(instance))
        except RequestError as error:
            raise RequestError(numbered(str(error), place, len(instances))) from None
    return parsed


def numbered(sentence: str, place: int, count: int) -> str:
    """A sentence about one of several instances, which are counted from 0.

    >>> numbered("Expected a text.", 1, 2), numbered("Expected a text.", 0, 1)
    ('Instance 1: expected a text.', 'Expected a text.')
    """
    return f"Instance {place}: {sentence[0].lower()}{sentence[1:]}" if count > 1 else sentence


def text(instance: Any) -> str:
    """A string that UTF-8 can hold (JSON can write halves of characters).

    >>> text("A fine film!")
    'A fine film!'
    """
    if not isinstance(instance, str):
        raise RequestError(f"Expected a text. Received: {kind(instance)}.")
    try:
        instance.encode()
    except UnicodeEncodeError as error:
        raise RequestError(
            f"Expected a text in Unicode. Received: half a character at {error.start:,}."
        ) from None
    return instance


def numbers(shape: Sequence[int], dtype: str) -> Parse:
    """The function that makes an array of nested lists.

    Args:
        shape: of one example.
        dtype: "uint8" for whole numbers from 0 to 255, "int32" for whole numbers, "float32".

    >>> numbers((2, 1), "uint8")([[0], [255]])
    array([[  0],
           [255]], dtype=uint8)
    """
    axes = " x ".join(map(str, shape))
    low, high = (0, 255) if dtype == "uint8" else (-(2**31), 2**31 - 1)
    whole = dtype != "float32"
    wanted = f"whole numbers from {low} to {high}" if whole else "numbers"
    expected = f"Expected {axes} {wanted} in nested lists."

    def parse(instance: Any) -> np.ndarray:
        """One instance as an array."""
        values = _leaves(instance, shape, expected)
        kinds = set(map(type, values))
        if not kinds <= ({int} if whole else {int, float}):
            odd = next(v for v in values if type(v) is not int and (whole or type(v) is not float))
            raise RequestError(f"{expected} Received: {kind(odd)} among them.")
        if whole and not low <= min(values) <= max(values) <= high:
            raise RequestError(f"{expected} Received: from {min(values)} to {max(values)}.")
        return _array(values, shape, dtype, expected)

    return parse


def b64(instance: Any) -> bytes:
    """The bytes of {"b64": "..."}.

    >>> b64({"b64": "aGVsbG8="})
    b'hello'
    """
    value = instance["b64"]
    if not isinstance(value, str):
        raise RequestError(f'Expected {{"b64": "..."}} with a string. Received: {kind(value)}.')
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:  # the second: letters beyond ASCII
        raise RequestError(f'Expected base64 in {{"b64": "..."}}. It is not ({error}).') from None


def kind(value: Any) -> str:
    """What a JSON value is.

    >>> kind({}), kind(None), kind(1.5), kind("a"), kind(True)
    ('an object', 'null', 'a number', 'a string', 'true or false')
    """
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}
    return "null" if value is None else names.get(type(value), "a number")


def _leaves(instance: Any, shape: Sequence[int], expected: str) -> list[Any]:
    """What is in lists of lists, axis by axis: nothing is allocated before the sizes are known."""
    level = [instance]
    for axis, size in enumerate(shape):
        for value in level:
            if type(value) is not list:
                raise RequestError(f"{expected} Received: {kind(value)} on axis {axis}.")
            if len(value) != size:
                raise RequestError(f"{expected} Received: {len(value):,} on axis {axis}.")
        level = list(itertools.chain.from_iterable(level))
    return level


def _array(values: list[Any], shape: Sequence[int], dtype: str, expected: str) -> np.ndarray:
    try:
        # A number beyond float32 becomes infinite, which the predictor refuses.
        with np.errstate(over="ignore"):
            return np.array(values, np.float64).astype(dtype).reshape(shape)
    except OverflowError:
        raise RequestError(f"{expected} Received: one of more than 308 digits.") from None
