"""`records.assignment`: every example's split, by fractions, groups, classes, or as given."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfpipe.errors import RequestError
from tfpipe.records.sources.assignment import assign
from tfpipe.records.sources.splits import split_of

THREE = (0.7, 0.2, 0.1)
names = st.text(min_size=1, max_size=8)
id_lists = st.lists(names, min_size=1, max_size=60, unique=True)


@given(id_lists, st.integers(0, 9))
def test_without_groups_a_split_is_a_function_of_id_and_seed(ids, seed):
    fractions = {"train": 0.7, "val": 0.2, "test": 0.1}
    assert assign(ids, THREE, seed) == [split_of(key, fractions, seed) for key in ids]
    assert assign(ids, None, seed) == assign(ids, THREE, seed)


@given(id_lists, id_lists, st.integers(0, 9))
def test_adding_examples_moves_none(ids, more, seed):
    both = list(dict.fromkeys(ids + more))
    before = dict(zip(ids, assign(ids, THREE, seed), strict=True))
    after = dict(zip(both, assign(both, THREE, seed), strict=True))
    assert before.items() <= after.items()


@given(st.data(), id_lists, st.integers(0, 9), st.booleans())
def test_no_group_crosses(data, ids, seed, stratify):
    groups = data.draw(st.lists(st.sampled_from("abcdefgh"), min_size=len(ids), max_size=len(ids)))
    labels = [(len(key) % 3,) for key in ids] if stratify else None
    parts = assign(ids, (0.5, 0.3, 0.2), seed, groups=groups, labels=labels)
    assert len(set(zip(groups, parts, strict=True))) == len(set(groups))


@given(st.data(), id_lists)
def test_adding_members_and_groups_moves_no_group(data, ids):
    groups = [key[0] for key in ids]
    few = data.draw(st.integers(1, len(ids)))
    before = assign(ids[:few], THREE, 0, groups=groups[:few])
    assert assign(ids, THREE, 0, groups=groups)[:few] == before


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_chance_meets_the_fractions_within_a_binomial_bound(seed):
    parts = assign(map(str, range(4000)), THREE, seed)
    for name, fraction in zip(("train", "val", "test"), THREE, strict=True):
        # 6 standard deviations: one in 10^9.
        bound = 6 * math.sqrt(4000 * fraction * (1 - fraction))
        assert abs(parts.count(name) - 4000 * fraction) < bound


def test_another_seed_gives_another_split():
    ids = list(map(str, range(100)))
    assert assign(ids, THREE, 0) != assign(ids, THREE, 1)


def test_mappings_and_functions_say_each_split():
    assert assign(["a", "b"], {"a": "Training", "b": "holdout", "c": "x"}, 0) == [
        "train",
        "holdout",
    ]
    assert assign(["a1", "b2"], lambda key: {"1": "valid", "2": "test"}[key[1]], 0) == [
        "val",
        "test",
    ]


def test_given_splits_stay_and_train_is_divided_where_asked():
    ids = [str(n) for n in range(300)]
    parts = ["train"] * 200 + ["testing"] * 100
    assert assign(ids, None, 0, given=parts) == ["train"] * 200 + ["test"] * 100
    divided = assign(ids, (0.8, 0.2), 0, given=parts)
    assert divided[:200] == assign(ids[:200], (0.8, 0.2), 0)
    assert divided[200:] == ["test"] * 100


def test_a_given_train_is_divided_by_group_and_class():
    ids = [str(n) for n in range(300)]
    groups = [str(n // 3) for n in range(300)]
    labels = [(n % 2,) for n in range(300)]
    parts = ["train"] * 240 + ["test"] * 60
    divided = assign(ids, (0.75, 0.25), 0, given=parts, groups=groups, labels=labels)
    assert divided[:240] == assign(
        ids[:240], (0.75, 0.25), 0, groups=groups[:240], labels=labels[:240]
    )
    assert divided[:240].count("val") == 60


@pytest.mark.parametrize(
    ("split", "given_parts"),
    [((0.7, 0.2, 0.1), ["train", "test"]), ((0.9, 0.1), ["val", "test"])],
)
def test_fractions_divide_train_and_only_into_parts_that_are_missing(split, given_parts):
    with pytest.raises(RequestError) as caught:
        assign(["a", "b"], split, 0, given=given_parts)
    assert str(caught.value) == (
        "Expected `split` to hold fractions of the given 'train', for parts that are not given "
        f"(given: {', '.join(sorted(given_parts))}). Received: split={split!r}"
    )


def test_an_id_without_a_split_is_an_error():
    with pytest.raises(RequestError) as caught:
        assign(["a", "b", "c", "d", "e"], {"a": "train"}, 0)
    assert str(caught.value) == (
        "Expected `split` to name a split for every example. It has none for 4 of 5: "
        "'b', 'c', 'd' and 1 more"
    )


def test_splits_cannot_be_given_twice():
    with pytest.raises(RequestError) as caught:
        assign(["a"], {"a": "train"}, 0, given=["train"])
    assert str(caught.value) == (
        "Expected `split` to be fractions or None, because the data has splits of its own. "
        "Received: split=a mapping"
    )


@pytest.mark.parametrize("arguments", [{"split": {"a": "train"}}, {"split": None, "given": ["a"]}])
def test_given_splits_cannot_be_stratified(arguments):
    with pytest.raises(RequestError) as caught:
        assign(["a"], seed=0, labels=[(0,)], **arguments)
    assert str(caught.value) == (
        "Expected `stratify` to be False, because the splits are given. Received: stratify=True"
    )


@pytest.mark.parametrize("split", [None, (0.5, 0.5)])
def test_given_splits_that_cut_a_group_are_an_error(split):
    with pytest.raises(RequestError) as caught:
        assign(["a", "b"], split, 0, groups=["p", "p"], given=["train", "test"])
    side = assign(["a"], split, 0, groups=["p"], given=["train"])[0]
    assert str(caught.value) == (
        "Expected every group to be in one split. "
        f"The group 'p' has 'a' in '{side}' and 'b' in 'test'."
    )
