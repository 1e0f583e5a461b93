"""Thresholds against scikit-learn's ROC curve, areas against its AUROC, intervals against SciPy."""

import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import recall_score, roc_auc_score, roc_curve

from tfpipe.export.scoring.labels import cells, columns, how_chosen, label_rows, youden

RNG = np.random.default_rng(0)
TRUTHS = (RNG.random((300, 3)) < (0.5, 0.2, 0.03)).astype(np.int64)
SCORES = (TRUTHS * 0.5 + RNG.normal(0.3, 0.4, (300, 3))).astype(np.float32).round(2)  # with ties
NAMES = ["often", "seldom", "rare"]


def j(scores, positive, threshold):
    yes = scores > threshold
    return yes[positive].mean() - yes[~positive].mean()


@pytest.mark.parametrize("label", range(3))
def test_no_threshold_of_the_roc_curve_is_better(label):
    scores, truth = SCORES[:, label], TRUTHS[:, label]
    found = youden(SCORES, TRUTHS)[label]
    false, true, at = roc_curve(truth, scores, drop_intermediate=False)
    assert j(scores, truth == 1, found) == pytest.approx((true - false).max(), abs=1e-12)
    assert found not in scores
    best = at[np.isclose(true - false, (true - false).max())]
    below = scores[scores < best.min()].max()  # theirs say yes at the threshold itself
    assert found == pytest.approx((best.min() + below) / 2)


@pytest.mark.parametrize(
    ("scores", "targets"),
    [
        ([0.1, 0.9], [0, 0]),
        ([0.1, 0.9], [1, 1]),
        ([0.5, 0.5], [0, 1]),
        ([0.9, 0.1], [0, 1]),  # worse than one answer for all
    ],
)
def test_where_no_threshold_helps_there_is_none(scores, targets):
    assert np.isnan(youden(np.array([scores]).T, np.array([targets]).T)).all()


def test_areas_and_shares_are_those_of_scikit_learn():
    worse = (SCORES + RNG.normal(0, 0.3, SCORES.shape)).astype(np.float32)
    given = np.array([0.4, 0.6, np.nan])
    rows = label_rows(NAMES, TRUTHS, {"model": SCORES, "int8.tflite": worse}, given)
    assert [row["label"] for row in rows] == NAMES
    assert [row["positives"] for row in rows] == TRUTHS.sum(0).tolist()
    for place, row in enumerate(rows):
        truth = TRUTHS[:, place]
        assert row["auroc"] == pytest.approx(
            {
                "model": roc_auc_score(truth, SCORES[:, place]),
                "int8.tflite": roc_auc_score(truth, worse[:, place]),
            }
        )
    for place, row in enumerate(rows[:2]):
        yes = SCORES[:, place] > given[place]
        shares = [recall_score(TRUTHS[:, place], yes, pos_label=side) for side in (1, 0)]
        assert [row["sensitivity"], row["specificity"]] == pytest.approx(shares)
    assert [rows[2][name] for name in ("threshold", "sensitivity", "specificity")] == [None] * 3


def test_the_interval_is_that_of_scipy():
    (row,) = label_rows(NAMES[:1], TRUTHS[:, :1], {"model": SCORES[:, :1]})
    made = scipy.stats.bootstrap(
        (TRUTHS[:, 0], SCORES[:, 0]),
        roc_auc_score,
        paired=True,
        vectorized=False,
        n_resamples=1000,
        method="percentile",
        rng=1,
    ).confidence_interval
    width = made.high - made.low
    assert 0.03 < width < 0.2
    assert [row["low"], row["high"]] == pytest.approx([made.low, made.high], abs=0.15 * width)


def test_a_label_that_cannot_be_scored_says_why():
    truths = np.array([[0, 1, 1], [0, 1, 0], [0, 1, 1]])
    scores = np.linspace(0, 1, 9).reshape(3, 3)
    rows = label_rows(NAMES, truths, {"model": scores, "f": scores})
    assert [row["auroc"]["f"] for row in rows[:2]] == [None, None]
    assert [cells(row)[:5] for row in rows[:2]] == [
        ["often", "0", "-", "no positives", "-"],
        ["seldom", "3", "-", "no negatives", "-"],
    ]
    assert len(columns(rows)) == len(cells(rows[0])) == 8


def test_where_thresholds_come_from_is_said():
    assert how_chosen({"rows": [], "chosen_on": None}) == (
        "The intervals are by a bootstrap over the examples. No thresholds were chosen: that takes "
        "a split 'val' beside this one."
    )
    assert "chosen on the split 'val' by Youden's J" in how_chosen({"rows": [], "chosen_on": "val"})
