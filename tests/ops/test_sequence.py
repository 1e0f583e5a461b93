"""Sequences are standardised by column, in the batch as alone, and their targets with them."""

import numpy as np
import pytest
import tensorflow as tf

from tfpipe.errors import RequestError
from tfpipe.ops import Chain, Standardize

OP = Standardize((1.0, -2.0), (2.0, 0.5), target=(1,))
NUMBERS = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
TARGETS = np.array([0.5, 1.5, -3.0], np.float32)


def refused(function, *arguments, **named):
    with pytest.raises(RequestError) as caught:
        function(*arguments, **named)
    return str(caught.value)


def test_it_is_numpys_arithmetic_for_one_and_for_a_batch():
    batch = OP({"sequence": NUMBERS, "target": TARGETS, "id": "a"})
    expected = (NUMBERS - np.float32([1, -2])) / np.float32([2, 0.5])
    np.testing.assert_allclose(batch["sequence"], expected, rtol=1e-6)
    np.testing.assert_allclose(batch["target"], (TARGETS + 2) / 0.5, rtol=1e-6)
    assert batch["id"] == "a"
    for place in range(3):
        alone = OP({"sequence": NUMBERS[place], "target": TARGETS[place]})
        np.testing.assert_array_equal(alone["sequence"], batch["sequence"][place])
        assert alone["target"].shape == ()
        assert alone["target"] == batch["target"][place]


def test_several_targets_and_none():
    both = Standardize((1.0, -2.0), (2.0, 0.5), target=(1, 0))
    targets = np.stack([TARGETS, TARGETS], 1)
    found = both({"sequence": NUMBERS, "target": targets})["target"].numpy()
    np.testing.assert_allclose(found, (targets - [-2, 1]) / [0.5, 2], rtol=1e-6)
    plain = Standardize((1.0, -2.0), (2.0, 0.5))({"sequence": NUMBERS, "target": TARGETS})
    np.testing.assert_array_equal(plain["target"], TARGETS)
    assert "target" not in OP({"sequence": NUMBERS})


def test_all_of_it_is_before_a_file(tmp_path):
    chain = Chain([OP])
    assert (chain.outside(), chain.inside()) == (chain, Chain([]))
    assert Chain.from_json(chain.to_json(tmp_path / "chain.json")) == chain
    assert repr(chain) == ("Chain([Standardize(mean=(1.0, -2.0), std=(2.0, 0.5), target=(1,))])")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ((), ()),
            "Expected `mean` to hold a number per column, as (0.5,). Received: mean=()",
        ),
        (
            ((0.0,), 1.0),
            "Expected `std` to hold a number per column, as (0.5,). Received: std=1.0",
        ),
        (
            ((0.0,), (1.0, 2.0)),
            "Expected `mean` and `std` to hold as many numbers as each other. "
            "Received: mean=(0.0,), std=(1.0, 2.0)",
        ),
        (
            ((0.0,), (0.0,)),
            "Expected `std` to be positive (leave a column out whose values are all the same). "
            "Received: std=(0.0,)",
        ),
        (
            ((0.0,), (1.0,), (1,)),
            "Expected `target` to hold columns from 0 to 0, or None. Received: target=(1,)",
        ),
    ],
)
def test_wrong_numbers_are_refused(arguments, sentence):
    assert refused(Standardize, *arguments) == sentence


@pytest.mark.parametrize(
    ("example", "sentence"),
    [
        (
            {"text": "a"},
            "Standardize(mean=(0.0,), std=(1.0,)) expected an example with a `sequence`. "
            "Received: 'text'",
        ),
        (
            {"sequence": tf.zeros((4, 1), tf.float64)},
            "Standardize(mean=(0.0,), std=(1.0,)) expected float32 sequences. "
            "Received: float64 as `sequence`.",
        ),
        (
            {"sequence": tf.zeros((4,))},
            "Standardize(mean=(0.0,), std=(1.0,)) expected float32 sequences of shape (T, C), or a "
            "batch (B, T, C). Received: shape (4,)",
        ),
        (
            {"sequence": tf.zeros((4, 2))},
            "Standardize(mean=(0.0,), std=(1.0,)) expected 1 columns. Received: shape (4, 2)",
        ),
    ],
)
def test_what_it_does_not_take_is_refused(example, sentence):
    assert refused(Standardize((0.0,), (1.0,)), example) == sentence
