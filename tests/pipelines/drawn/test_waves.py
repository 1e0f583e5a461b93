"""Drawn waves: of their seed, with the periods that are promised, and cut without a gap."""

import numpy as np

from pipelines.drawn.waves import draw, waves, windows


def test_they_are_those_of_their_seed():
    np.testing.assert_array_equal(draw(0, 5), draw(0, 5))
    assert not np.array_equal(draw(0, 5), draw(1, 5))


def test_their_periods_are_between_12_and_36_steps():
    series = draw(0, 50)
    strengths = np.abs(np.fft.rfft(series - series.mean(1, keepdims=True), axis=1))
    periods = 160 / strengths.argmax(1)
    assert periods.min() > 11
    assert periods.max() < 41


def test_a_window_is_followed_by_what_it_should_forecast():
    series = np.arange(20.0).reshape(2, 10)
    seen, ahead, places = windows(series, 4, 2)
    assert seen.tolist()[:3] == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7]]
    assert ahead.tolist() == [5, 7, 9, 15, 17, 19]
    assert places.tolist() == [0, 0, 0, 1, 1, 1]


def test_all_windows_of_a_wave_are_in_one_split():
    splits = {}
    for example in waves(0, 30, window=48, horizon=6):
        splits.setdefault(int(example["id"]) // 18, set()).add(example["split"])
    assert len(splits) == 30
    assert all(len(names) == 1 for names in splits.values())
