"""The intervals of a score and of what is lost, against SciPy's bootstrap."""

import numpy as np
import pytest
import scipy.special
import scipy.stats

from tfpipe.export.scoring.resampling import intervals
from tfpipe.export.scoring.scores import choose

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 4, 400)
SCORES = np.eye(4)[LABELS] + RNG.normal(size=(400, 4)) * 0.6
WORSE = SCORES + RNG.normal(size=(400, 4)) * 0.3


@pytest.fixture(scope="module")
def accuracy():
    task = choose("auto", SCORES, LABELS)
    return task, task.rows(SCORES, LABELS), task.rows(WORSE, LABELS)


def test_the_interval_is_that_of_scipy(accuracy):
    _, ((low, high),) = intervals(accuracy[0], accuracy[1], [accuracy[2]], seed=0)
    hits = [(s.argmax(1) == LABELS).astype(float) for s in (SCORES, WORSE)]

    def lost(one, two, axis):
        return one.mean(axis) - two.mean(axis)

    made = scipy.stats.bootstrap(
        hits, lost, paired=True, n_resamples=20_000, method="percentile", rng=1, batch=500
    )
    # 1,000 resamples find the ends within about a tenth of the width.
    width = made.confidence_interval.high - made.confidence_interval.low
    assert width > 0.03
    assert low == pytest.approx(made.confidence_interval.low, abs=0.1 * width)
    assert high == pytest.approx(made.confidence_interval.high, abs=0.1 * width)


def test_the_seed_decides(accuracy):
    task, expected, found = accuracy
    one, same, other = (intervals(task, expected, [found], seed=s) for s in (0, 0, 1))
    assert one == same
    assert one != other


def test_every_file_meets_the_same_resamples(accuracy):
    task, expected, found = accuracy
    own, alone = intervals(task, expected, [found], seed=0)
    assert intervals(task, expected, [expected, found, found], seed=0) == (
        own,
        [(0.0, 0.0), *alone, *alone],
    )


def test_the_intervals_hold_what_they_should():
    """Of 200 samples from one population, about 95 % of the intervals hold its true loss."""
    generator, held = np.random.default_rng(0), 0
    task = choose("auto", np.zeros((2, 2)), np.zeros(2, np.int64))
    for _ in range(200):
        expected = (generator.random((150, 1)) < 0.9).astype(float)
        found = np.where(generator.random((150, 1)) < 0.9, expected, 1 - expected)
        _, ((low, high),) = intervals(task, expected, [found], seed=0)
        held += low <= 0.08 <= high  # 0.9 - (0.9 * 0.9 + 0.1 * 0.1)
    assert 180 <= held <= 198


def test_resamples_without_a_score_say_nothing():
    targets = np.zeros((30, 1), np.int64)
    targets[:1] = 1  # a resample of 30 lacks it with a probability of 0.36
    scores = np.linspace(0, 1, 30)[:, None]
    scores[0] = 0.5
    task = choose("auto", np.hstack([scores, scores]), np.hstack([targets, targets]))
    rows = [
        task.rows(np.hstack([s, s]), np.hstack([targets, targets])) for s in (scores, scores[::-1])
    ]
    _, ((low, high),) = intervals(task, rows[0], [rows[1]], seed=0)
    assert np.isfinite([low, high]).all()


def areas(scores, targets):
    """The area of each label by the ranks of its positives; nan where it has none."""
    ranks = scipy.stats.rankdata(scores, axis=0)
    positives = targets.sum(0)
    wins = (ranks * targets).sum(0) - positives * (positives + 1) / 2
    with np.errstate(invalid="ignore"):
        return wins / (positives * (len(targets) - positives))


def mean_area_interval(scores, targets):
    task = choose("auto", scipy.special.expit(scores), targets)
    rows = task.rows(scores, targets)
    return intervals(task, rows, [task.rows(-scores, targets)], seed=0)


def test_resamples_that_lack_a_label_are_set_right_by_what_the_others_differ():
    targets = np.zeros((80, 4), np.int64)
    for label, positives in enumerate((30, 30, 1, 2)):
        targets[10 * label : 10 * label + positives, label] = 1
    noise = np.random.default_rng(1).normal(size=(80, 4))
    scores = noise + targets * [2, 2, -1, 0]
    generator, whole = np.random.default_rng(0), areas(scores, targets)
    drawn, lean = [], []
    for _ in range(1000):
        places = generator.integers(0, len(scores), len(scores))
        sample = areas(scores[places], targets[places])
        drawn.append(np.nanmean(sample))
        lean.append(whole[~np.isnan(sample)].mean() - whole.mean())
    assert np.mean(lean) > 0.02  # the rare labels are lacking, and the mean is too high
    low, high = np.quantile(drawn, (0.025, 0.975)) - np.mean(lean)
    (found_low, found_high), _ = mean_area_interval(scores, targets)
    assert found_low == pytest.approx(low, abs=0.1 * (high - low))
    assert found_high == pytest.approx(high, abs=0.1 * (high - low))


def test_an_interval_holds_the_score_also_where_most_labels_have_one_positive():
    generator = np.random.default_rng(0)
    targets = np.zeros((60, 12), np.int64)
    targets[:20, :2], targets[range(2, 12), range(2, 12)] = 1, 1
    scores = generator.normal(size=(60, 12)) + targets * np.repeat([4, -2], (2, 10))
    (low, high), _ = mean_area_interval(scores, targets)
    score = areas(scores, targets).mean()
    assert low < score - 0.05  # without a correction, it would begin at the score
    assert high > score + 0.05


def test_an_interval_stays_within_the_possible_scores():
    targets = np.zeros((40, 2), np.int64)
    targets[:20, 0], targets[30, 1] = 1, 1
    scores = targets + np.random.default_rng(0).normal(size=(40, 2)) * [0.4, 0.01]
    (low, high), _ = mean_area_interval(scores, targets)
    assert 0.8 < low < areas(scores, targets).mean() < high == 1  # 1.009 without a bound


def test_the_score_has_an_interval_of_its_own(accuracy):
    (low, high), lost = intervals(accuracy[0], accuracy[1], [], seed=0)
    hits = (SCORES.argmax(1) == LABELS).astype(float)
    made = scipy.stats.bootstrap(
        [hits], np.mean, n_resamples=20_000, method="percentile", rng=1, batch=500
    )
    width = made.confidence_interval.high - made.confidence_interval.low
    assert width > 0.03
    assert low == pytest.approx(made.confidence_interval.low, abs=0.1 * width)
    assert high == pytest.approx(made.confidence_interval.high, abs=0.1 * width)
    assert lost == []
