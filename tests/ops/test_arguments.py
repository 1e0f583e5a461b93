"""The sentences for arguments that are not what they must be."""

import math

import pytest

from tfpipe.errors import RequestError
from tfpipe.ops import arguments


@pytest.mark.parametrize(
    ("check", "value", "sentence"),
    [
        (arguments.require_size, (4, 0), "Expected `it` to be (height, width) in pixels."),
        (arguments.require_size, (True, 4), "Expected `it` to be (height, width) in pixels."),
        (arguments.require_fraction, math.nan, "Expected `it` to be a fraction from 0 to 1."),
        (arguments.require_fraction, "0.5", "Expected `it` to be a fraction from 0 to 1."),
        (arguments.require_bool, 1, "Expected `it` to be True or False."),
    ],
)
def test_each_check_says_what_it_expects(check, value, sentence):
    with pytest.raises(RequestError) as caught:
        check("it", value)
    assert str(caught.value) == f"{sentence} Received: it={value!r}"


def test_ranges_say_their_bounds():
    for value in ((2, 1), (0, 1), (1, 3), (1,), 1, (1, math.inf)):
        with pytest.raises(RequestError) as caught:
            arguments.require_range("zoom", value, 0.5, 2)
        assert str(caught.value) == (
            "Expected `zoom` to be (smallest, largest), in order and from 0.5 to 2. "
            f"Received: zoom={value!r}"
        )
    arguments.require_range("zoom", (0.5, 2), 0.5, 2)
