"""Overlaps against scikit-learn, and masks painted over their images."""

import math
import re

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from tfpipe.export.bundling.sections import Results, evidence
from tfpipe.export.bundling.sections.masks import overlap, painted

RNG = np.random.default_rng(0)
TRUTHS = RNG.integers(0, 3, (4, 8, 8, 1))
IMAGES = RNG.integers(0, 256, (4, 8, 8, 1)).astype(np.uint8)


def scores(masks):
    return masks[..., 0].astype(np.uint8)


def test_the_overlap_is_scikit_learns():
    masks = RNG.integers(0, 3, TRUTHS.shape)
    expected = jaccard_score(TRUTHS.ravel(), masks.ravel(), average=None)
    for place in range(3):
        assert overlap(masks[..., 0], TRUTHS[..., 0], place) == pytest.approx(expected[place])


def test_a_class_that_is_nowhere_has_none_and_what_is_ignored_is_left_out():
    assert math.isnan(overlap(np.zeros((2, 2)), np.zeros((2, 2)), 5))
    assert overlap(np.array([[1, 1]]), np.array([[1, -1]]), 1) == 1.0


def test_the_masks_that_differ_most_come_first():
    file = TRUTHS.copy()
    file[2] = (file[2] + 1) % 3
    results = Results(IMAGES, TRUTHS, {"model": scores(TRUTHS), "f": scores(file)})
    sections = dict(evidence("mask", results, ["ground", "crack", "hole"]))
    cells = re.findall("<td[^>]*>(.*?)</td>", sections["Classes"])
    assert cells[:2] == ["ground", "1.0000"]
    captions = re.findall("<figcaption>(.*?)</figcaption>", sections["Masks that differ most"])
    assert captions[:3] == [
        "example 2: label",
        "model: 1.000 of its pixels right",
        "f: 0.000 of its pixels right",
    ]


def test_class_0_is_left_as_it_is_and_another_is_coloured():
    image = np.full((1, 2, 1), 100, np.uint8)
    done = painted(image, np.array([[0, 1]]))
    assert done.shape == (1, 2, 3)
    assert done[0, 0].tolist() == [100, 100, 100]
    assert done[0, 1].tolist() == [165, 129, 50]


def test_without_pictures_there_is_the_table_alone():
    results = Results(IMAGES.astype(np.float32), TRUTHS, {"model": scores(TRUTHS)})
    assert [head for head, _ in evidence("mask", results, ["a", "b", "c"])] == ["Classes"]
