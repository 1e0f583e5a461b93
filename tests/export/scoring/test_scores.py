"""Which task it is, by targets and scores; and what fits none."""

import numpy as np
import pytest
import sklearn.metrics

from tfpipe.errors import RequestError
from tfpipe.export.scoring.scores import choose, left_out

RNG = np.random.default_rng(0)
N = 60


@pytest.mark.parametrize(
    ("targets", "scores", "name"),
    [
        (np.zeros(N, np.int64), (N, 5), "accuracy"),
        (np.zeros((N, 1), np.int64), (N, 5), "accuracy"),
        (np.zeros((N, 5), np.int64), (N, 5), "mean AUROC"),
        (np.zeros(N, np.uint8), (N, 1), "binary accuracy"),
        (np.zeros((N, 1), bool), (N, 1), "binary accuracy"),
        (np.zeros((N, 4, 5), np.int32), (N, 4, 5, 3), "mean IoU"),
        (np.zeros((N, 4, 5, 1), np.uint8), (N, 4, 5, 1), "mean IoU"),
        (np.zeros(N, np.float32), (N, 1), "R2"),
        (np.zeros((N, 5), np.float32), (N, 5), "R2"),
        (np.zeros((N, 3, 5), np.float32), (N, 20, 6), "mAP@50"),
        (np.zeros((N, 0, 5), np.float32), (N, 20, 6), "mAP@50"),
        (np.zeros((N, 20, 5), np.float32), (N, 20, 5), "R2"),
    ],
)
def test_the_task_is_told_by_targets_and_scores(targets, scores, name):
    assert choose("auto", RNG.random(scores), targets).name == name


def test_labels_that_are_all_the_same_are_left_out():
    targets = RNG.integers(0, 2, (N, 4))
    targets[:, 1], targets[:, 3] = 0, 1
    scores = RNG.random((N, 4))
    task = choose("auto", scores, targets)
    rows = task.rows(scores, targets)
    (found,) = task.score(rows, np.ones((1, N)))
    assert found == pytest.approx(sklearn.metrics.roc_auc_score(targets[:, ::2], scores[:, ::2]))
    assert left_out(rows) == [1, 3]
    assert np.isnan(task.score(task.rows(scores, targets * 0), np.ones((1, N)))).all()


def test_boxes_are_scored_in_one_way_and_by_probabilities():
    targets, scores = np.zeros((N, 3, 5), np.float32), RNG.random((N, 20, 6))
    with pytest.raises(RequestError) as caught:
        choose(lambda scores, targets: 0.0, scores, targets)
    assert str(caught.value) == (
        "Expected `score` to be 'auto' for boxes, which are scored by COCO's mAP."
    )
    scores[0, 0, 5] = 1.5
    with pytest.raises(RequestError, match="Expected a reference that gives probabilities"):
        choose("auto", scores, targets)
    scores[0, 0] = [-0.1, 0, 1.2, 1, 0.5, 0.5]  # boxes may be anywhere
    assert choose("auto", scores, targets).name == "mAP@50"


def test_a_function_of_ones_own():
    def top2(scores, targets):
        assert (scores.dtype, targets.dtype) == (np.float32, np.int64)
        return sklearn.metrics.top_k_accuracy_score(targets, scores, k=2, labels=range(5))

    scores, targets = RNG.random((N, 5), np.float32), RNG.integers(0, 5, N)
    task = choose(top2, scores, targets)
    rows = task.rows(scores, targets)
    chosen = RNG.integers(0, N, N)
    counts = np.stack([np.ones(N), np.bincount(chosen, minlength=N)])
    assert task.name == "top2"
    assert task.score(rows, counts).tolist() == [
        top2(scores, targets),
        pytest.approx(top2(scores[chosen], targets[chosen])),
    ]


def refused(scores, targets, score="auto"):
    with pytest.raises(RequestError) as caught:
        choose(score, scores, targets).rows(scores, targets)
    return str(caught.value)


def test_targets_that_fit_no_task_are_refused():
    fit = (
        "Expected targets that fit the scores: whole numbers (N,) or (N, H, W) for classes, "
        "(N, labels) for labels, (N, boxes, 5) for boxes (`models.box_targets`), or as many "
        "fractions as there are scores. Received: "
    )
    scores = RNG.random((N, 5))
    assert refused(scores, np.zeros((N, 4), int)) == (
        f"{fit}int64 of shape (60, 4) for scores of shape (60, 5)"
    )
    assert refused(scores, np.zeros((N, 4), np.float32)) == (
        f"{fit}float32 of shape (60, 4) for scores of shape (60, 5)"
    )
    assert refused(RNG.random((N, 8, 8, 3)), np.zeros((N, 4, 4), int)) == (
        f"{fit}int64 of shape (60, 4, 4) for scores of shape (60, 8, 8, 3)"
    )


def test_a_class_that_the_model_does_not_have_is_refused():
    wrong = "Expected targets from 0 to {}, as the model has {} classes. Received: {}"
    assert refused(RNG.random((2, 5)), np.array([0, 5])) == wrong.format(4, 5, 5)
    assert refused(RNG.random((2, 5)), np.array([0, -1])) == wrong.format(4, 5, -1)
    assert refused(RNG.random((2, 1)), np.array([0, 7])) == wrong.format(1, 2, 7)
    assert refused(RNG.random((2, 2)), np.array([[0, 1], [0, 3]])) == wrong.format(1, 2, 3)
    assert refused(RNG.random((2, 4, 4, 3)), np.full((2, 4, 4), -2)) == (
        "Expected targets from 0 to 2, as the model has 3 classes, or -1 for pixels that do not "
        "count. Received: -2"
    )


@pytest.mark.parametrize("shape", [(2, 1), (2, 3), (2, 4, 4, 1)])
def test_logits_are_refused_where_scores_are_held_against_a_half(shape):
    targets = np.zeros(shape, np.int64)
    scores = np.linspace(-2, 3.5, targets.size).reshape(shape)
    assert refused(scores, targets) == (
        "Expected a reference that gives probabilities, as each of its scores is held against "
        "0.5: one that ends in a sigmoid. Received: scores from -2 to 3.5"
    )


def test_a_score_that_is_no_function_is_refused():
    assert refused(RNG.random((2, 5)), np.array([0, 4]), score="auroc") == (
        "Expected `score` to be 'auto' or a function of (scores, targets). Received: score='auroc'"
    )
