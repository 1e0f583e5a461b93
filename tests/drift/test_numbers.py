"""What a page of metrics gets of a look: finite numbers by their names."""

import numpy as np
import pytest

from tfpipe.drift import Finding
from tfpipe.drift.numbers import numbers


def test_of_each_finding_what_there_is():
    both = Finding("input/mean", 5.0, 6.0, "Kolmogorov-Smirnov", 0.01, 0.2, 0.3, True)
    bare = Finding("accuracy", 0.9, 0.8, "Fisher", 0.5)
    assert numbers([both, bare], np.empty(0)) == {
        "drifted": 1,
        "p_value/input/mean": 0.01,
        "now/input/mean": 6.0,
        "reference/input/mean": 5.0,
        "jensen_shannon/input/mean": 0.2,
        "stability_index/input/mean": 0.3,
        "p_value/accuracy": 0.5,
        "now/accuracy": 0.8,
        "reference/accuracy": 0.9,
    }


def test_of_the_latencies_three_quantiles():
    found = numbers([], np.arange(101.0))
    assert found == {
        "drifted": 0,
        "latency_ms/median": 50.0,
        "latency_ms/p95": pytest.approx(95.0),
        "latency_ms/p99": pytest.approx(99.0),
    }
