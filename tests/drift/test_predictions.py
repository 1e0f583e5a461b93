"""Scores as columns, and how wrong they are, by hand."""

import numpy as np
import pytest

from tfpipe.drift import predictions

SOFTMAX = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], np.float32)


@pytest.mark.parametrize(
    ("scores", "targets", "task"),
    [
        (SOFTMAX, None, "label"),
        (SOFTMAX * 2, None, "target"),
        (SOFTMAX, [0, 1], "label"),
        (SOFTMAX, np.eye(3, dtype=int)[:2], "labels"),
        (SOFTMAX, [0.5, 0.5], "target"),
        (np.zeros((2, 1)), [0, 1], "label"),
        (np.zeros((2, 9, 6)), None, "boxes"),
        (np.zeros((2, 4, 4, 2)), np.zeros((2, 4, 4, 1), int), "mask"),
    ],
)
def test_the_task_is_known_by_targets_or_scores(scores, targets, task):
    assert predictions.task_of(scores, targets) == task


def columns(scores, task, names=()):
    found = predictions.prediction_rows(scores, task)
    return dict(
        zip(predictions.prediction_names(task, scores.shape[1:], names), found.T, strict=True)
    )


def test_a_label_is_a_class_and_its_score():
    found = columns(SOFTMAX, "label")
    assert found["prediction/class"].tolist() == [0, 2]
    assert found["prediction/confidence"] == pytest.approx([0.7, 0.8])


def test_one_score_is_that_of_the_second_class():
    found = columns(np.array([[0.2], [0.9]]), "label")
    assert found["prediction/class"].tolist() == [0, 1]
    assert found["prediction/confidence"] == pytest.approx([0.8, 0.9])


def test_labels_and_targets_have_a_column_each():
    found = columns(SOFTMAX, "labels", ["Mass", "Nodule", "Edema"])
    assert found["prediction/score of Edema"] == pytest.approx([0.1, 0.8])
    assert columns(SOFTMAX, "target")["prediction/output 0"] == pytest.approx([0.7, 0.1])
    many = columns(np.tile(SOFTMAX, 20), "labels")
    assert many["prediction/highest"] == pytest.approx([0.7, 0.8])


def test_a_mask_is_the_shares_of_its_area():
    scores = np.zeros((1, 2, 2, 2))
    scores[0, ..., 1] = [[0.9, 0.6], [0.2, 0.1]]
    scores[..., 0] = 1 - scores[..., 1]
    found = columns(scores, "mask", ["sound", "crack"])
    assert found["prediction/area of crack"].tolist() == [0.5]
    assert found["prediction/confidence"] == pytest.approx([(0.9 + 0.6 + 0.8 + 0.9) / 4])
    alone = columns(scores[..., 1:], "mask", ["sound", "crack"])
    assert alone["prediction/area of crack"].tolist() == [0.5]


def test_boxes_are_the_surest_anchor_and_how_many_are_sure():
    scores = np.zeros((1, 3, 6))
    scores[0, :, 4:] = [[0.1, 0.2], [0.6, 0.1], [0.3, 0.9]]
    found = columns(scores, "boxes")
    assert [float(value[0]) for value in found.values()] == pytest.approx([1, 0.9, 2])


@pytest.mark.parametrize(
    ("scores", "targets", "task", "wrong"),
    [
        (SOFTMAX, [0, 1], "label", [0, 1]),
        (SOFTMAX, [[0], [2]], "label", [0, 0]),
        (SOFTMAX, [[1, 0, 0], [1, 1, 0]], "labels", [0, 1]),
        (SOFTMAX[:, :1], [0.5, 0.1], "target", [0.2, 0]),
        (np.zeros((2, 3, 6)), None, "boxes", [np.nan, np.nan]),
    ],
)
def test_how_wrong_an_answer_is(scores, targets, task, wrong):
    found = predictions.errors(predictions.answers(scores, task), targets, task)
    assert found == pytest.approx(wrong, abs=1e-6, nan_ok=True)


def test_wrong_pixels_are_counted():
    scores = np.full((1, 2, 2, 1), 0.9)
    answered = predictions.answers(scores, "mask")
    target = np.array([1, 1, 1, 0]).reshape(1, 2, 2, 1)
    assert predictions.errors(answered, target, "mask").tolist() == [0.25]


def test_scores_of_another_shape_and_no_numbers_are_refused(refused):
    assert refused(predictions.require_scores, SOFTMAX, (10,), 2) == (
        "Expected scores of shape (2, 10), as in the profile. Received: shape=(2, 3)"
    )
    assert refused(predictions.require_scores, SOFTMAX * np.nan, (3,), 2) == (
        "Expected finite scores. Received: 6 of 6 that are infinite or no number."
    )
    assert refused(predictions.task_of, np.zeros((2, 1, 1, 1, 1)), None) == (
        "Expected scores (N, K), (N, anchors, 4 + K) or (N, H, W, K). "
        "Received: shape=(2, 1, 1, 1, 1)"
    )


def test_targets_of_another_shape_are_refused(refused):
    answered = predictions.answers(SOFTMAX, "label")
    assert refused(predictions.errors, answered, [1], "label") == (
        "Expected a target of 1 for each of 2 examples. Received: shape=(1,)"
    )
