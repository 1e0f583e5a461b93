"""The scores of all tasks, whole and on samples, against scikit-learn's and Keras'."""

import keras
import numpy as np
import pytest
import sklearn.metrics

from tfpipe.export.scoring.scores import choose

RNG = np.random.default_rng(0)
N = 60


def both(scores, targets):
    """The score's name, its value, and those of three samples, all by counts."""
    task = choose("auto", scores, targets)
    rows = task.rows(scores, targets)
    counts = np.stack([np.bincount(RNG.integers(0, N, N), minlength=N) for _ in range(3)])
    (whole,) = task.score(rows, np.ones((1, N)))
    samples = [np.repeat(np.arange(N), count) for count in counts]
    return task.name, whole, zip(task.score(rows, counts.astype(float)), samples, strict=True)


def check(name, metric, scores, targets):
    """Our score and the metric's are the same, of all examples and of each sample."""
    found, whole, samples = both(scores, targets)
    assert found == name
    assert whole == pytest.approx(metric(targets, scores), abs=1e-9)
    for score, chosen in samples:
        assert score == pytest.approx(metric(targets[chosen], scores[chosen]), abs=1e-9)


@pytest.mark.parametrize("shape", [(N,), (N, 1)])
def test_accuracy(shape):
    check(
        "accuracy",
        lambda t, s: sklearn.metrics.accuracy_score(t.ravel(), s.argmax(1)),
        RNG.random((N, 5)),
        RNG.integers(0, 5, shape),
    )


@pytest.mark.parametrize("shape", [(N,), (N, 1)])
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool])
def test_binary_accuracy(shape, dtype):
    check(
        "binary accuracy",
        lambda t, s: sklearn.metrics.accuracy_score(t.ravel(), s[:, 0] > 0.5),
        RNG.random((N, 1)),
        RNG.integers(0, 2, shape).astype(dtype),
    )


def test_the_area_over_labels():
    targets = RNG.integers(0, 2, (N, 4))
    scores = np.round(RNG.random((N, 4)) * 0.7 + 0.3 * targets, 1)  # with ties
    check("mean AUROC", sklearn.metrics.roc_auc_score, scores, targets)


@pytest.mark.parametrize("num_classes", [1, 2, 4])
@pytest.mark.parametrize("last", [(), (1,)])
def test_mean_iou(num_classes, last):
    real = max(2, num_classes)
    scores = RNG.random((N, 4, 5, num_classes))
    targets = RNG.integers(0, real, (N, 4, 5, *last))

    def iou(targets, scores):
        said = scores[..., 0] > 0.5 if num_classes == 1 else scores.argmax(-1)
        return sklearn.metrics.jaccard_score(targets.ravel(), said.ravel(), average="macro")

    check("mean IoU", iou, scores, targets)
    metric = keras.metrics.MeanIoU(real)
    said = scores[..., 0] > 0.5 if num_classes == 1 else scores.argmax(-1)
    metric.update_state(targets.reshape(N, 4, 5), said)
    assert both(scores, targets)[1] == pytest.approx(float(metric.result()), abs=1e-6)


def test_ignored_pixels_are_in_no_overlap():
    scores, targets = RNG.random((N, 4, 5, 3)), RNG.integers(-1, 3, (N, 4, 5))

    def iou(targets, scores):
        known = targets >= 0
        said = scores.argmax(-1)[known]
        return sklearn.metrics.jaccard_score(targets[known], said, average="macro")

    check("mean IoU", iou, scores, targets)


def test_a_class_that_is_nowhere_is_left_out_of_the_mean():
    targets = np.zeros((N, 2, 2), np.int64)
    targets[:, 0] = 1
    perfect = np.eye(5)[targets]
    assert both(perfect, targets)[1] == 1.0


@pytest.mark.parametrize("shape", [(N, 1), (N, 3)])
@pytest.mark.parametrize("mean", [0, 1e7])
def test_r2(shape, mean):
    targets = RNG.normal(size=shape) + mean
    check("R2", sklearn.metrics.r2_score, targets + RNG.normal(size=shape) * 0.3, targets)


def test_r2_of_targets_without_a_last_axis():
    targets = RNG.normal(size=N).astype(np.float32)
    scores = targets[:, None] + 0.1
    assert both(scores, targets)[1] == pytest.approx(sklearn.metrics.r2_score(targets, scores))


def test_r2_of_targets_that_are_all_the_same_is_unknown():
    targets = np.full((N, 1), 0.3, np.float32)
    assert np.isnan(both(targets + 1, targets)[1])
