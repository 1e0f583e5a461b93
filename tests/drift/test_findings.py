"""One look: every feature is tested, and the p-values are corrected for how many there are."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from tfpipe import drift
from tfpipe.drift import measures
from tfpipe.drift.finding import COLUMNS, Finding
from tfpipe.drift.findings import Window, look, most_moved

NONE = np.empty(0)


@pytest.fixture(scope="module")
def numbers():
    return drift.profile(np.random.default_rng(0).normal(size=(400, 3)))


def window(rows, **others):
    parts = {"embedded": np.empty((len(rows), 0)), "errors": NONE, "latency_ms": NONE}
    return Window(rows, **{**parts, **others})


def by_name(findings):
    return {finding.feature: finding for finding in findings}


def test_p_values_are_scipys_corrected_by_benjamini_and_hochberg(numbers):
    rows = np.random.default_rng(1).normal((0, 0.4, 1), size=(60, 3))
    found = look(numbers, window(rows), level=0.01)
    single = [stats.ks_2samp(numbers.rows[:, c], rows[:, c]).pvalue for c in range(3)]
    known = numbers.distances("input/distance")
    single.append(measures.among_the_farthest(known.own, known.of(rows)).p_value)
    corrected = stats.false_discovery_control(single)
    assert [finding.p_value for finding in found] == pytest.approx(corrected.tolist())
    assert [f.drifted for f in found] == (corrected <= 0.01).tolist()
    assert [f.feature for f in found if f.drifted] == ["input/mean 1", "input/mean 2"]


def test_under_16_examples_nothing_is_tested(numbers):
    assert look(numbers, window(np.zeros((15, 3))), level=0.5) == ()


def test_what_is_not_known_is_not_tested(numbers):
    rows = np.random.default_rng(1).normal(size=(60, 3))
    rows[:50, 0] = np.nan
    assert "input/mean 0" not in by_name(look(numbers, window(rows), level=0.01))


def test_latency_is_an_alarm_where_it_is_slower_by_half(numbers):
    usual = np.random.default_rng(0).lognormal(size=100)
    known = dataclasses.replace(numbers, latency_ms=usual)
    rows = np.zeros((0, 3))
    calm = look(known, window(rows, latency_ms=usual[::-1] * 1.4), level=0.01)
    slow = look(known, window(rows, latency_ms=usual * 3), level=0.01)
    assert [finding.feature for finding in slow] == ["latency/median", "latency/p95", "latency/p99"]
    assert not any(finding.drifted for finding in calm)
    assert by_name(slow)["latency/median"].drifted
    assert by_name(slow)["latency/median"].now == pytest.approx(3 * np.median(usual))
    fast = look(known, window(rows, latency_ms=usual / 9), level=0.01)
    assert not any(finding.drifted for finding in fast)


def test_accuracy_is_an_alarm_where_it_falls(profiled):
    rows = np.zeros((0, len(profiled.columns)))
    wrong = np.r_[np.ones(20), np.zeros(20)]
    (found,) = look(profiled, window(rows, errors=wrong), level=0.01)
    assert (found.feature, found.now, found.drifted) == ("accuracy", 0.5, True)
    assert found.reference == pytest.approx(1 - profiled.errors.mean())
    (better,) = look(profiled, window(rows, errors=np.zeros(40)), level=0.01)
    assert not better.drifted


def test_those_that_moved_most_are_farthest_in_the_direction_of_the_move(numbers):
    rows = np.random.default_rng(1).normal(size=(60, 3)) - [0, 0, 2]
    now = window(rows)
    found = by_name(look(numbers, now, level=0.01))
    places = most_moved(found["input/mean 2"], numbers, now, 3)
    assert places == np.argsort(rows[:, 2])[:3].tolist()
    far = most_moved(found["input/distance"], numbers, now, 2)
    assert far == np.argsort(-numbers.distances("input/distance").of(rows))[:2].tolist()


def test_of_a_class_that_grew_its_examples_moved(profiled, known):
    rows = profiled.rows[known[1] == 7]
    embedded = profiled.embedded[known[1] == 7]
    now = window(rows, embedded=embedded)
    found = by_name(look(profiled, now, level=0.01))["prediction/class"]
    assert (found.about, found.drifted) == ("<7>", True)
    assert found.now > 0.7
    classes = rows[most_moved(found, profiled, now), profiled.columns.index("prediction/class")]
    assert set(classes) == {7}


def test_a_finding_is_a_sentence_and_a_row():
    finding = Finding("prediction/class", 0.1, 0.42, "Fisher", 3e-9, 0.21, 0.534, True, "covid")
    assert str(finding) == (
        "prediction/class (covid) is 0.42, in the profile 0.1: Fisher, p 3.0e-09, "
        "Jensen-Shannon 0.210, PSI 0.534"
    )
    row = ["prediction/class (covid)", "0.1", "0.42", "Fisher", "3.0e-09", "0.210", "0.534", "yes"]
    assert finding.cells() == row
    assert len(COLUMNS) == len(row)
    assert Finding("accuracy", 0.9, 0.8, "Fisher", 0.2).cells()[-3:] == ["–", "–", "no"]
