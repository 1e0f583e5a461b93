"""The calendar of looks: when, and at which level, so that all together keep the rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfpipe.drift.looks import Looks


def calendar(window, counts):
    looks = Looks(window, 0.01)
    found = []
    for count in counts:
        if looks.due({"examples": count}):
            found.append((count, looks.begin({"examples": count})))
    return found


def test_looks_are_at_powers_of_two_and_then_at_quarters_of_the_window():
    found = [count for count, _ in calendar(100, range(201))]
    assert found == [16, 32, 64, 100, 125, 150, 175, 200]


def test_the_kth_level_is_three_quarters_of_the_rate_through_k_and_k_plus_1():
    levels = [level for _, level in calendar(16, range(40))]
    assert levels[:3] == pytest.approx([0.0075 / 2, 0.0075 / 6, 0.0075 / 12])


@given(st.integers(16, 400), st.lists(st.integers(1, 90), max_size=60))
def test_all_levels_together_are_under_three_quarters_of_the_rate(window, steps):
    counts = [sum(steps[:place]) for place in range(len(steps) + 1)]
    assert sum(level for _, level in calendar(window, counts)) < 0.0075


def test_labels_have_looks_of_their_own():
    looks = Looks(100, 0.01)
    looks.begin({"examples": 16, "labels": 0})
    assert not looks.due({"examples": 20, "labels": 15})
    assert looks.due({"examples": 20, "labels": 16})


def test_between_two_looks_there_is_a_pause():
    now = [100.0]
    looks = Looks(16, 0.01, pause_s=5.0, clock=lambda: now[0])
    assert looks.due({"examples": 16})
    looks.begin({"examples": 16})
    now[0] = 104.9
    assert not looks.due({"examples": 500})
    now[0] = 105.0
    assert looks.due({"examples": 500})


def test_a_window_under_16_is_refused(refused):
    assert refused(Looks, 15, 0.01) == "Expected `window` to be at least 16. Received: window=15"
