"""The intervals of a score and of what is lost, against SciPy's bootstrap."""

import numpy as np
import pytest
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
