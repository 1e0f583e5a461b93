"""Instances are taken as they are meant, or refused by number and reason."""

import json

import numpy as np
import pytest

from tfpipe.errors import RequestError
from tfpipe.serve import examples

PIXELS = "Expected 2 x 1 whole numbers from 0 to 255 in nested lists. Received: "
FLOATS = "Expected 2 x 1 numbers in nested lists. Received: "


def refused(parse, instance):
    with pytest.raises(RequestError) as caught:
        parse(instance)
    return str(caught.value)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
def test_nested_lists_are_the_array_that_numpy_makes_of_them(dtype):
    value = np.random.default_rng(0).integers(0, 256, (3, 4, 2)).tolist()
    parsed = examples.numbers((3, 4, 2), dtype)(value)
    np.testing.assert_array_equal(parsed, np.array(value, dtype))
    assert parsed.dtype == dtype


def test_float32_survives_the_way_through_json():
    given = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    sent = json.loads(json.dumps(given.tolist()))
    np.testing.assert_array_equal(examples.numbers((5, 2), "float32")(sent), given)


@pytest.mark.parametrize(
    ("instance", "received"),
    [
        (7, "a number on axis 0."),
        ([[1]], "1 on axis 0."),
        ([[1], [2], [3]], "3 on axis 0."),
        ([[1], []], "0 on axis 1."),
        ([[1], 2], "a number on axis 1."),
        ([[1], [[2]]], "a list among them."),
        ([[1], ["2"]], "a string among them."),
        ([[1], [None]], "null among them."),
        ([[1], [True]], "true or false among them."),
        ([[1], [2.0]], "a number among them."),
        ([[1], [256]], "from 1 to 256."),
        ([[-1], [0]], "from -1 to 0."),
    ],
)
def test_what_are_no_pixels_is_told(instance, received):
    assert refused(examples.numbers((2, 1), "uint8"), instance) == PIXELS + received


def test_a_number_that_no_float_holds_is_told():
    parse = examples.numbers((2, 1), "float32")
    assert refused(parse, [[1], [10**400]]) == FLOATS + "one of more than 308 digits."
    assert np.isinf(parse([[1], [1e300]])[1, 0])  # the predictor refuses that


def test_a_wide_list_is_refused_before_it_is_opened():
    wide = [[0] * 100_000] * 100_000  # 80 GB, were it copied
    assert refused(examples.numbers((100_000, 1), "uint8"), wide).endswith("100,000 on axis 1.")


@pytest.mark.parametrize(
    ("instance", "sentence"),
    [
        ({"b64": 7}, 'Expected {"b64": "..."} with a string. Received: a number.'),
        ({"b64": "a"}, "(Invalid base64-encoded string: number of data characters (1)"),
        ({"b64": "a*=="}, 'Expected base64 in {"b64": "..."}. It is not ('),
        ({"b64": "\xe4aaa"}, "(string argument should contain only ASCII characters)."),
    ],
)
def test_what_is_no_base64_is_told(instance, sentence):
    assert sentence in refused(examples.b64, instance)


def test_what_is_no_text_is_told():
    assert refused(examples.text, ["a"]) == "Expected a text. Received: a list."
    sentence = "Expected a text in Unicode. Received: half a character at 1."
    assert refused(examples.text, "a\ud800") == sentence


def test_of_several_instances_the_wrong_one_is_named():
    with pytest.raises(RequestError) as caught:
        examples.parse_all(["a", "b", None], examples.text)
    assert str(caught.value) == "Instance 2: expected a text. Received: null."
