"""Overlaps against scikit-learn, and masks painted over their images."""

import re

import numpy as np
from sklearn.metrics import jaccard_score

from tfpipe.export.bundling.sections import evidence
from tfpipe.export.bundling.sections.masks import overlaps, painted
from tfpipe.export.scoring.measures import overlap_rows

RNG = np.random.default_rng(0)
TRUTHS = RNG.integers(0, 3, (4, 8, 8, 1))
IMAGES = RNG.integers(0, 256, (4, 8, 8, 1)).astype(np.uint8)


def scores(masks):
    return np.eye(3)[masks[..., 0]]


def test_the_overlaps_are_scikit_learns():
    masks = RNG.integers(0, 3, TRUTHS.shape)
    expected = jaccard_score(TRUTHS.ravel(), masks.ravel(), average=None)
    rows = overlap_rows(scores(masks), TRUTHS, 3)
    np.testing.assert_allclose(overlaps(rows), expected)


def test_a_class_that_is_nowhere_has_none():
    rows = overlap_rows(scores(TRUTHS * 0), TRUTHS * 0, 3)
    np.testing.assert_array_equal(overlaps(rows), [1, np.nan, np.nan])


def test_the_masks_that_differ_most_come_first(results_of):
    file, model = TRUTHS.copy(), TRUTHS.copy()
    file[2] = (file[2] + 1) % 3  # leaves the model everywhere
    model[1, 0], file[1, 0] = (model[1, 0] + 1) % 3, (file[1, 0] + 1) % 3  # both wrong in a row
    results = results_of(IMAGES, TRUTHS, {"model": scores(model), "f": scores(file)})
    sections = dict(evidence("mask", results, ["ground", "crack", "hole"]))
    cells = re.findall("<td[^>]*>(.*?)</td>", sections["Classes"])
    expected = jaccard_score(TRUTHS.ravel(), model.ravel(), average=None)
    assert cells[:2] == ["ground", f"{expected[0]:.4f}"]
    captions = re.findall("<figcaption>(.*?)</figcaption>", sections["Masks that differ most"])
    assert captions[:6] == [
        "example 2: label",
        "model: 1.000 of its pixels right",
        "f: 0.000 of its pixels right",
        "example 1: label",
        "model: 0.875 of its pixels right",
        "f: 0.875 of its pixels right",
    ]


def test_class_0_is_left_as_it_is_and_another_is_coloured():
    image = np.full((1, 2, 1), 100, np.uint8)
    done = painted(image, np.array([[0, 1]]))
    assert done.shape == (1, 2, 3)
    assert done[0, 0].tolist() == [100, 100, 100]
    assert done[0, 1].tolist() == [165, 129, 50]


def test_without_pictures_there_is_the_table_alone(results_of):
    results = results_of(IMAGES.astype(np.float32), TRUTHS, {"model": scores(TRUTHS)})
    assert [head for head, _ in evidence("mask", results, ["a", "b", "c"])] == ["Classes"]
