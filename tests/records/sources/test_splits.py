"""`records.splits`: fractions, their names, and chance that is always the same."""

import functools
import hashlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfpipe.errors import RequestError
from tfpipe.records.sources.splits import (
    as_fractions,
    as_split_name,
    described,
    is_given,
    position,
    split_of,
    split_within,
)

THREE = {"train": 0.7, "val": 0.2, "test": 0.1}


@given(st.text(), st.integers(), st.sampled_from(["split", "order"]))
def test_a_position_is_the_digest_of_its_arguments(key, seed, purpose):
    data = f"{purpose}/{seed}/{key}".encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(data, digest_size=8).digest()
    place = position(key, seed, purpose=purpose)
    assert 0 <= place < 1
    assert place == (int.from_bytes(digest) // 2**11) / 2**53


def test_names_that_are_no_text_have_positions_of_their_own():
    names = [os.fsdecode(name) for name in (b"\xff.png", b"\xfe.png")] + ["ÿ.png", "\ud800"]
    assert len({position(name, 0, purpose="split") for name in names}) == 4


def test_a_split_is_where_the_position_falls_among_the_fractions():
    for key in map(str, range(200)):
        place = position(key, 3, purpose="split")
        expected = "train" if place < 0.7 else "val" if place < 0.9 else "test"
        assert split_of(key, THREE, seed=3) == expected


def test_a_fraction_of_zero_gets_nothing():
    fractions = {"train": 0.0, "val": 1.0, "test": 0.0}
    assert {split_of(str(n), fractions, 0) for n in range(100)} == {"val"}


def test_the_sum_of_fractions_may_end_below_one():
    fractions = {"train": 0.5, "val": 0.5 - 1e-9}
    assert {split_of(str(n), fractions, 0) for n in range(1000)} == {"train", "val"}


@pytest.mark.parametrize(
    ("split", "fractions"),
    [
        ((1.0,), {"train": 1.0}),
        ((0.9, 0.1), {"train": 0.9, "val": 0.1}),
        ([0.7, 0.2, 0.1], THREE),
        (
            {"training": 0.5, "Validation": 0.25, "holdout": 0.25},
            {"train": 0.5, "val": 0.25, "holdout": 0.25},
        ),
    ],
)
def test_fractions_have_names(split, fractions):
    assert as_fractions(split) == fractions


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        ((0.7, 0.2), "Expected `split` to hold fractions that add up to 1. "
                     "Received: split=(0.7, 0.2)"),
        ((1.2, -0.2), "Expected `split` to hold fractions that add up to 1. "
                      "Received: split=(1.2, -0.2)"),
        ((float("nan"), 1.0), "Expected `split` to hold fractions that add up to 1. "
                              "Received: split=(nan, 1.0)"),
        ("test", "Expected `split` to hold fractions that add up to 1. Received: split='test'"),
        (0.7, "Expected `split` to hold fractions that add up to 1. Received: split=0.7"),
        (("a", "b"), "Expected `split` to hold fractions that add up to 1. "
                     "Received: split=('a', 'b')"),
        ((0.4, 0.3, 0.2, 0.1), "Expected `split` to hold at most three fractions. "
                               "Received: split=(0.4, 0.3, 0.2, 0.1)"),
        ({"my set": 1.0}, "Expected a split's name to be a letter, then letters, digits or _. "
                          "Received: split='my set'"),
    ],
)  # fmt: skip
def test_what_are_no_fractions_is_an_error(split, sentence):
    with pytest.raises(RequestError) as caught:
        as_fractions(split)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("name", "ours"),
    [("Train", "train"), ("training", "train"), ("valid", "val"), ("VALIDATION", "val"),
     ("testing", "test"), ("Fold_3", "Fold_3")],
)  # fmt: skip
def test_the_names_of_splits_are_made_one(name, ours):
    assert as_split_name(name) == ours


@pytest.mark.parametrize("name", ["", "a-b", "1st", "é", 7, None])
def test_other_names_cannot_be_in_file_names(name):
    with pytest.raises(RequestError) as caught:
        as_split_name(name)
    assert str(caught.value) == (
        "Expected a split's name to be a letter, then letters, digits or _. "
        f"Received: split={name!r}"
    )


def test_mappings_to_names_and_functions_are_given_splits():
    assert is_given({"a": "train"})
    assert is_given(str.upper)
    assert not any(is_given(split) for split in (None, (0.5, 0.5), {"train": 1.0}, {}))


def test_a_description_holds_no_address():
    assert described(functools.partial(str.upper)) == "the function 'partial'"
    assert described({}) == "a mapping"


def test_all_is_no_name_for_a_split():
    with pytest.raises(RequestError) as caught:
        as_split_name("all")
    expected = (
        "Expected a split's name other than 'all', which stands for all. Received: split='all'"
    )
    assert str(caught.value) == expected


def test_evaluation_is_a_word_for_test():
    assert split_within("evaluation") == "test"
