"""One look: every feature is tested, and the p-values are corrected for how many there are."""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from tfpipe import drift
from tfpipe.drift import measures
from tfpipe.drift.finding import Finding
from tfpipe.drift.findings import Window, look, most_moved
from tfpipe.drift.inputs import read
from tfpipe.drift.measuring import measure

NONE = np.empty(0)


@pytest.fixture(scope="module")
def numbers():
    return drift.profile(np.random.default_rng(0).normal(size=(400, 3)))


def window(rows, **others):
    none = np.empty((len(rows), 0))
    parts = {"layouts": none, "embedded": none, "errors": NONE, "latency_ms": NONE}
    return Window(rows, **{**parts, **others})


def by_name(findings):
    return {finding.feature: finding for finding in findings}


def test_p_values_are_scipys_corrected_by_benjamini_and_hochberg(numbers):
    rows = np.random.default_rng(1).normal((0, 0.4, 1), size=(60, 3))
    found = look(numbers, window(rows), level=0.01)
    single = [stats.ks_2samp(numbers.rows[:, c], rows[:, c]).pvalue for c in range(3)]
    known = numbers.input_distances
    single.append(measures.among_the_farthest(known.own, known.of(rows)).p_value)
    corrected = stats.false_discovery_control(single)
    assert [finding.p_value for finding in found] == pytest.approx(corrected.tolist())
    assert [f.drifted for f in found] == (corrected <= 0.01).tolist()
    assert [f.feature for f in found if f.drifted] == ["input/mean 1", "input/mean 2"]


def test_a_p_value_at_the_level_is_an_alarm(numbers):
    now = window(np.random.default_rng(1).normal((0, 0.4, 1), size=(60, 3)))
    p_value = by_name(look(numbers, now, level=0.01))["input/mean 2"].p_value
    assert by_name(look(numbers, now, level=p_value))["input/mean 2"].drifted
    assert not by_name(look(numbers, now, level=p_value * 0.999))["input/mean 2"].drifted


def test_of_many_features_those_are_compared_that_lie_over_all_of_them(profiled):
    embedded = np.tile(profiled.embedded, (2, 1))
    embedded[400:] *= 3
    now = window(np.full((800, len(profiled.columns)), np.nan), embedded=embedded)
    assert by_name(look(profiled, now, level=1e-6))["embedding"].drifted


def test_a_small_move_of_features_is_told_that_far_classes_would_drown(numbers):
    draw = np.random.default_rng(0)
    embedded = draw.normal(size=(460, 8))
    embedded[:, 0] += draw.integers(0, 2, 460) * 10
    embedded[400:, 1:] += 0.4
    known = dataclasses.replace(numbers, embedded=embedded[:400])
    now = window(np.full((60, 3), np.nan), embedded=embedded[400:])
    plainly = measures.mean_discrepancy(known.embedded[::2], now.embedded)
    assert plainly.p_value > 0.001
    assert by_name(look(known, now, level=1e-4))["embedding"].drifted


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
    assert far == np.argsort(-numbers.input_distances.of(rows))[:2].tolist()


def test_of_a_class_that_grew_its_examples_moved(profiled, known):
    rows = profiled.rows[known[1] == 7]
    embedded = profiled.embedded[known[1] == 7]
    now = window(rows, embedded=embedded)
    found = by_name(look(profiled, now, level=0.01))["prediction/class"]
    assert (found.about, found.drifted) == ("<7>", True)
    assert found.now > 0.7
    classes = rows[most_moved(found, profiled, now), profiled.columns.index("prediction/class")]
    assert set(classes) == {7}


def test_a_few_that_the_model_doubts_are_told_by_its_confidence(profiled):
    """A tenth of the answers are half as sure: the middle hardly moves, and the tail does."""
    rows = profiled.rows[:200].copy()
    place = profiled.columns.index("prediction/confidence")
    rows[::10, place] = 0.3
    now = window(rows)
    found = by_name(look(profiled, now, level=0.001))
    assert found["prediction/doubt"].drifted
    assert not found["prediction/confidence"].drifted
    assert found["prediction/doubt"].reference == pytest.approx(1 - profiled.rows[:, place].mean())
    assert found["prediction/doubt"].now == pytest.approx(1 - rows[:, place].mean())
    moved = most_moved(found["prediction/doubt"], profiled, now, 20)
    assert set(moved) == set(range(0, 200, 10))


def test_of_a_few_strangers_the_features_tell(profiled):
    """Their distances are those of the third nearest, in the features' own unit."""
    embedded = profiled.embedded[:120].copy()
    embedded[:12] *= 3
    rows = np.full((120, len(profiled.columns)), np.nan)
    now = window(rows, embedded=embedded)
    found = by_name(look(profiled, now, level=0.01))
    gaps = np.sort(cdist(embedded, profiled.embedded), axis=1)[:, 2] / np.sqrt(32)
    own = np.sort(cdist(profiled.embedded, profiled.embedded), axis=1)[:, 3] / np.sqrt(32)
    assert found["embedding/distance"].now == pytest.approx(gaps.mean())
    assert found["embedding/distance"].reference == pytest.approx(own.mean())
    assert found["embedding/distance"].drifted
    for feature in ("embedding/distance", "embedding"):
        assert set(most_moved(found[feature], profiled, now, 12)) == set(range(12))


def test_layouts_tell_what_no_model_is_asked_for(plain, fresh):
    """A few pictures lie on their side: as bright, as sharp, and elsewhere light and dark."""
    images = fresh[0][:160].copy()
    images[:32] = images[:32].transpose(0, 2, 1, 3)
    measured = measure(plain, read(images, None), None)
    now = window(measured.rows, layouts=measured.layouts)
    found = by_name(look(plain, now, level=0.01))
    drifted = {name for name, each in found.items() if each.drifted}
    assert drifted == {"input/layout", "input/layout/distance"}
    assert found["input/layout/distance"].test == "minimum hypergeometric"
    for feature in ("input/layout", "input/layout/distance"):
        assert len(set(most_moved(found[feature], plain, now, 10)) & set(range(32))) >= 8


def test_layouts_that_moved_all_together_are_told_from_32_on(plain, fresh):
    measured = measure(plain, read(fresh[0][:32, :, ::-1], None), None)  # mirrored
    now = window(measured.rows, layouts=measured.layouts)
    found = by_name(look(plain, now, level=0.001))
    assert found["input/layout"].drifted
    assert found["input/layout"].test == "mean discrepancy"
    fewer = window(measured.rows[:31], layouts=measured.layouts[:31])
    assert "input/layout" not in by_name(look(plain, fewer, level=0.001))


def test_nothing_moved_where_latency_or_accuracy_did(numbers):
    slow = Finding("latency/p95", 1.0, 2.0, "binomial", 1e-9)
    assert most_moved(slow, numbers, window(np.zeros((20, 3)))) == []
