"""Non-maximum suppression against plain loops."""

import numpy as np
import pytest

from tfpipe import models
from tfpipe.errors import RequestError


def overlap(one, other):
    """Intersection over union of two boxes y1, x1, y2, x2."""
    height, width = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    both = max(height, 0) * max(width, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


def by_loops(outputs, score, iou, most):
    """Greedy suppression of one image, class by class."""
    kept = []
    for place in range(outputs.shape[1] - 4):
        ranked = outputs[np.argsort(-outputs[:, 4 + place])]
        chosen = []
        for row in ranked[ranked[:, 4 + place] > score]:
            if all(overlap(row[:4], other[:4]) <= iou for other in chosen):
                chosen.append(row)
        kept += [[*row[:4], place, row[4 + place]] for row in chosen]
    return sorted(kept, key=lambda row: -row[5])[:most]


def drawn(seed, number=60, classes=3):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 0.7, (2, number, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(0.1, 0.3, corners.shape)], -1)
    scores = rng.permuted(np.linspace(0.01, 0.99, 2 * number * classes))  # no two are the same
    return np.concatenate([boxes, scores.reshape(2, number, classes)], -1).astype("float32")


@pytest.mark.parametrize(("score", "iou", "most"), [(0.25, 0.6, 100), (0.0, 0.1, 100), (0.5, 1, 7)])
def test_it_is_greedy_suppression(score, iou, most):
    outputs = drawn(0)
    found = models.detections(outputs, score=score, iou=iou, most=most)
    assert found.shape == (2, most, 6)
    assert found.dtype == np.float32
    for rows, image in zip(found, outputs, strict=True):
        expected = by_loops(image, score, iou, most)
        assert len(expected) > 3
        np.testing.assert_allclose(rows[: len(expected)], expected, atol=1e-6)
        assert (rows[len(expected) :] == -1).all()


def test_boxes_may_reach_beyond_the_image():
    outputs = np.array([[[-0.2, 0.1, 0.5, 1.3, 0.9]]], np.float32)
    np.testing.assert_allclose(models.detections(outputs)[0, 0], [-0.2, 0.1, 0.5, 1.3, 0, 0.9])


def test_nothing_found():
    outputs = drawn(1) * [1, 1, 1, 1, 0, 0, 0]
    assert (models.detections(outputs, most=2) == -1).all()


@pytest.mark.parametrize(
    ("outputs", "arguments", "sentence"),
    [
        (
            np.zeros((2, 7)),
            {},
            "Expected `outputs` of shape (B, anchors, 4 + num_classes). Received: shape=(2, 7)",
        ),
        (np.zeros((1, 2, 5)), {"iou": 50}, "Expected `iou` to be from 0 to 1. Received: iou=50"),
        (
            np.zeros((1, 2, 5)),
            {"score": -1},
            "Expected `score` to be from 0 to 1. Received: score=-1",
        ),
        (np.zeros((1, 2, 5)), {"most": 0}, "Expected `most` to be at least 1. Received: most=0"),
    ],
)
def test_what_does_not_fit_is_refused(outputs, arguments, sentence):
    with pytest.raises(RequestError) as caught:
        models.detections(outputs, **arguments)
    assert str(caught.value) == sentence
