"""Drawn surfaces: the same again from a seed, and masks that lie over their defects."""

import collections

import numpy as np

from pipelines.drawn.surfaces import KINDS, surfaces


def test_a_seed_gives_the_same_ones_again():
    first, again, other = (list(surfaces(seed)) for seed in (0, 0, 1))
    for a, b in zip(first, again, strict=True):
        assert a.keys() == b.keys()
        assert all(np.array_equal(a[key], b[key]) for key in a)
    assert not np.array_equal(first[0]["image"], other[0]["image"])


def test_every_kind_is_in_every_split_and_its_mask_fits():
    examples = list(surfaces(0))
    splits = collections.Counter(example["split"] for example in examples)
    assert splits == {"train": 120, "val": 30, "test": 50}
    assert {e["id"].split("_")[0] for e in examples if e["split"] == "test"} == set(KINDS)
    for example in examples:
        assert example["mask"].shape == example["image"].shape
        assert set(np.unique(example["mask"])) <= {0, 255}
        assert example["mask"].any() == (not example["id"].startswith("free"))


def test_a_defect_looks_otherwise_than_what_is_around_it():
    for example in surfaces(0):
        image, marked = example["image"].astype(float), example["mask"] == 255
        if marked.any():
            assert abs(image[marked].mean() - image[~marked].mean()) > 8
