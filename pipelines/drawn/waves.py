"""Drawn series: a wave of 12 to 36 steps each, under noise that lasts some steps.

Example:

    source = waves(seed=0, count=300, window=48, horizon=6)
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import numpy as np

import tfpipe as tp

STEPS = 160


def waves(seed: int, count: int, *, window: int, horizon: int) -> tp.records.Source:
    """Windows as `sequence`, and what comes as `target`; all windows of a wave are in one split."""
    print("The series are drawn: the scores say nothing of real ones.")
    seen, ahead, places = windows(draw(seed, count), window, horizon)
    options = {"group": places.tolist(), "seed": seed, "name": "drawn_waves"}
    return tp.records.arrays(seen, ahead, kind="sequence", **options)


def draw(seed: int, count: int) -> np.ndarray:
    """Series, float64 (count, 160), about 5, from about 1 to 9."""
    random = np.random.default_rng(seed)
    periods, phases = random.uniform(12, 36, (count, 1)), random.uniform(0, 2 * np.pi, (count, 1))
    series = np.sin(2 * np.pi * np.arange(STEPS) / periods + phases)
    noise = np.zeros(count)
    for step in range(STEPS):
        noise = 0.5 * noise + random.normal(0, 0.1, count)
        series[:, step] += noise
    return 5 + 3 * series


def windows(series: np.ndarray, window: int, horizon: int) -> tuple[np.ndarray, ...]:
    """What a model sees, what it should forecast, and which series that was.

    Returns:
        Windows (N, window), the numbers `horizon` steps after their ends (N,), and the places of
        their series (N,). A window begins every `horizon` steps.
    """
    cut = np.lib.stride_tricks.sliding_window_view(series, window + horizon, 1)[:, ::horizon]
    places = np.repeat(np.arange(len(series)), cut.shape[1])
    return cut[..., :window].reshape(-1, window), cut[..., -1].reshape(-1), places
