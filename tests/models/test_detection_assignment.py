"""The assignment of anchors to boxes: against plain loops, and against keras-cv's."""

import numpy as np
import pytest
import tensorflow as tf
from keras_cv.bounding_box import compute_ciou
from keras_cv.models.yolov8 import LabelEncoder

from tfpipe.models.detection import anchors
from tfpipe.models.detection_assignment import assign

SIZE = (96, 96)
CENTRES = anchors(SIZE)[0][:, ::-1].copy()
ANCHORS = len(CENTRES)


def drawn(seed, num_boxes, spread):
    """Boxes in pixels, their classes, and what a model found: around its anchors, and unsure."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 50, (2, num_boxes, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(12, 45, corners.shape)], -1)
    reach = rng.uniform(*spread, (2, ANCHORS, 4)) * [-1, -1, 1, 1]
    found = np.tile(CENTRES, 2) + reach
    scores = rng.uniform(0.01, 0.9, (2, ANCHORS, 3))
    classes = rng.integers(0, 3, (2, num_boxes))
    return [x.astype("float32") for x in (scores, found, boxes, classes)]


def by_loops(scores, found, boxes, classes):
    """TOOD's rule for one image, box by box."""
    overlaps = np.zeros((len(boxes), ANCHORS))
    for n, box in enumerate(boxes):
        inside = ((box[:2] < CENTRES) & (box[2:] > CENTRES)).all(-1)
        overlap = compute_ciou(np.tile(box, (ANCHORS, 1)), found, "xyxy").numpy()
        overlaps[n] = np.where(inside, overlap.clip(0), 0)
    fits = np.stack([scores[:, int(c)] for c in classes]) ** 0.5 * overlaps**6
    chosen = np.zeros_like(fits, bool)
    for n, fit in enumerate(fits):
        best = np.argsort(-fit)[:10]
        chosen[n, best[fit[best] > 0]] = True
    wanted_scores, owners = np.zeros_like(scores), np.full(ANCHORS, -1)
    for place in np.flatnonzero(chosen.any(0)):
        owners[place] = np.where(chosen[:, place], overlaps[:, place], -1).argmax()
    for n in range(len(boxes)):
        own = owners == n
        if own.any():
            share = fits[n, own] * overlaps[n, own].max() / (fits[n, own].max() + 1e-9)
            wanted_scores[own, int(classes[n])] = share
    return owners, wanted_scores


@pytest.mark.parametrize("spread", [(2, 60), (1, 9)])
@pytest.mark.parametrize("num_boxes", [1, 6])
def test_it_is_the_rule_box_by_box(num_boxes, spread):
    """Boxes that are far too large or too small, so that some overlaps would be negative."""
    scores, found, boxes, classes = drawn(num_boxes, num_boxes, spread)
    present = np.ones((2, num_boxes, 1), bool)
    wanted, wanted_scores = assign(scores, found, boxes, classes, present, CENTRES)
    for place in range(2):
        owners, expected = by_loops(scores[place], found[place], boxes[place], classes[place])
        np.testing.assert_allclose(wanted_scores[place], expected, rtol=1e-4, atol=1e-7)
        owned = owners >= 0
        assert owned.sum() > 5
        np.testing.assert_array_equal(wanted.numpy()[place, owned], boxes[place, owners[owned]])


def test_it_is_keras_cvs_where_every_overlap_is_positive():
    """One box in each image, and all that is found is near it."""
    scores, _, boxes, classes = drawn(0, 1, (1, 2))
    moved = np.random.default_rng(1).uniform(-6, 6, (2, ANCHORS, 4))
    found = (boxes + moved).astype("float32")
    present = np.ones((2, 1, 1), bool)
    theirs = LabelEncoder(num_classes=3)
    boxes_there, expected, _ = theirs(scores, found, CENTRES, classes, boxes, present)
    wanted, wanted_scores = assign(scores, found, boxes, classes, present, CENTRES)
    np.testing.assert_allclose(wanted_scores, expected, atol=1e-6)
    asked = wanted_scores.numpy().any(-1)
    assert asked.sum() >= 10
    np.testing.assert_array_equal(wanted.numpy()[asked], boxes_there.numpy()[asked])


def test_boxes_that_lie_apart_take_no_places():
    """keras-cv gives the box to nobody here: the ten farthest anchors "fit" it best."""
    boxes = np.array([[[8, 8, 88, 88]]], "float32")
    found = np.tile(np.array([2000, 2000, 2002, 2040], "float32"), (1, ANCHORS, 1))
    near = [66, 67]  # of the finest level, in the box' midst
    found[0, near] = [8, 8, 50, 60]
    scores, classes = np.full((1, ANCHORS, 3), 0.5, "float32"), np.zeros((1, 1), "float32")
    present = np.ones((1, 1, 1), bool)
    _, theirs, _ = LabelEncoder(num_classes=3)(scores, found, CENTRES, classes, boxes, present)
    _, ours = assign(scores, found, boxes, classes, present, CENTRES)
    assert np.flatnonzero(ours.numpy()[0, :, 0]).tolist() == near
    assert np.abs(theirs.numpy()[0, near]).max() < 0.01


def test_absent_boxes_ask_for_nothing_and_nothing_has_a_gradient():
    scores, found, boxes, classes = map(tf.constant, drawn(0, 3, (2, 20)))
    present = np.zeros((2, 3, 1), bool)
    with tf.GradientTape() as tape:
        tape.watch([scores, found])
        wanted, wanted_scores = assign(scores, found, boxes, classes, present, CENTRES)
        total = tf.reduce_sum(wanted) + tf.reduce_sum(wanted_scores)
    assert not wanted_scores.numpy().any()
    assert tape.gradient(total, [scores, found]) == [None, None]
