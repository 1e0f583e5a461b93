"""`records.strata`: every class divided by the same fractions, and groups whole."""

import collections
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfpipe.records.sources.strata import stratified

THREE = {"train": 0.7, "val": 0.2, "test": 0.1}


def deviations(labels, parts, fractions):
    """How many examples of each class each split has too many or too few."""
    totals, found = collections.Counter(), collections.Counter()
    for classes, part in zip(labels, parts, strict=True):
        for label in classes or ("none",):
            totals[label] += 1
            found[label, part] += 1
    return [
        abs(found[label, name] - fraction * number)
        for label, number in totals.items()
        for name, fraction in fractions.items()
    ]


@settings(max_examples=200)
@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=80),
    st.lists(st.integers(1, 20), min_size=1, max_size=4),
    st.integers(0, 9),
)
def test_each_class_is_divided_exactly_to_one_example(classes, weights, seed):
    fractions = {f"part{n}": weight / sum(weights) for n, weight in enumerate(weights)}
    labels = [(label,) for label in classes]
    parts = stratified([str(n) for n in range(len(labels))], labels, fractions, seed)
    assert max(deviations(labels, parts, fractions)) < 1 + 1e-6


def test_a_small_split_gets_its_share_of_many_small_classes():
    labels = [(n // 3,) for n in range(300)]
    parts = stratified([str(n) for n in range(300)], labels, THREE, 0)
    assert collections.Counter(parts) == {"train": 210, "val": 60, "test": 30}


def test_several_labels_are_balanced_each():
    rng = random.Random(0)
    labels = [
        tuple(label for label in range(14) if rng.random() < 0.4 / (1 + label)) for _ in range(3000)
    ]
    parts = stratified([str(n) for n in range(3000)], labels, THREE, 0)
    assert max(deviations(labels, parts, THREE)) < 3
    shuffled = rng.sample(parts, len(parts))
    assert max(deviations(labels, shuffled, THREE)) > 10, "chance would do as well"


@settings(max_examples=60)
@given(st.data(), st.integers(2, 60), st.integers(0, 9))
def test_the_order_does_not_matter(data, number, seed):
    classes = st.lists(st.integers(0, 4), max_size=3).map(tuple)
    rows = [(data.draw(st.sampled_from("abcdefghij")), data.draw(classes)) for _ in range(number)]
    order = data.draw(st.permutations(range(number)))

    def places(rows):
        keys, labels = zip(*rows, strict=True)
        return dict(zip(keys, stratified(keys, labels, THREE, seed), strict=True))

    assert places(rows) == places([rows[index] for index in order])


@pytest.mark.parametrize("several", [False, True])
def test_groups_stay_whole_and_come_near_the_fractions(several):
    rng = random.Random(1)
    keys = [str(n // rng.choice([3, 4, 5])) for n in range(3000)]
    labels = [
        tuple(sorted({rng.randrange(8), rng.randrange(8)} if several else {rng.randrange(8)}))
        for _ in keys
    ]
    parts = stratified(keys, labels, THREE, 0)
    assert len(set(zip(keys, parts, strict=True))) == len(set(keys))
    largest = max(collections.Counter(keys).values())
    assert max(deviations(labels, parts, THREE)) <= largest
    for name, fraction in THREE.items():
        assert abs(parts.count(name) - 3000 * fraction) <= largest


@pytest.mark.parametrize("seed", range(10))
def test_large_groups_go_first_and_small_ones_even_them_out(seed):
    keys = ["large"] * 8 + [f"small{n}" for n in range(8)]
    parts = stratified(keys, [(0,)] * 16, {"train": 0.5, "val": 0.5}, seed)
    assert parts.count("train") == 8


def test_examples_without_labels_are_balanced_too():
    labels = [() if n % 2 else (0,) for n in range(400)]
    parts = stratified([str(n) for n in range(400)], labels, THREE, 0)
    assert collections.Counter(zip(labels, parts, strict=True)) == {
        (classes, name): number
        for classes in ((), (0,))
        for name, number in (("train", 140), ("val", 40), ("test", 20))
    }


def test_examples_that_do_not_count_change_nothing():
    keys, labels = ["a", "b", "c", "d"], [(0,), (0,), (1,), (1,)]
    alone = stratified(keys, labels, THREE, 0)
    with_more = stratified([*keys, "e", "a"], [*labels, None, None], THREE, 0)
    assert with_more[:4] == alone
    assert with_more[5] == alone[0], "it goes with its group"


def test_another_seed_gives_another_split():
    keys, labels = [str(n) for n in range(50)], [(n % 2,) for n in range(50)]
    assert stratified(keys, labels, THREE, 0) != stratified(keys, labels, THREE, 1)
