"""What a monitor remembers: the latest, in order, and the answers that wait for labels."""

import numpy as np
import pytest

from tfpipe.drift import latest
from tfpipe.drift.features import layouts
from tfpipe.drift.inputs import read
from tfpipe.drift.latest import Latest
from tfpipe.drift.measuring import measure


@pytest.fixture
def remembered(profiled):
    return Latest(4, profiled)


def add(remembered, profiled, classes, ids=None, latency_ms=()):
    """Black images, answered with these classes."""
    images = np.zeros((len(classes), 32, 32, 1), np.uint8)
    measured = measure(profiled, read(images, None), np.eye(10)[classes])
    remembered.add(measured, measured.shown(8), ids, latency_ms)


def test_at_first_there_is_nothing(remembered, profiled):
    window = remembered.window()
    assert (window.rows.shape, window.embedded.shape) == ((0, len(profiled.columns)), (0, 0))
    assert (len(window.errors), len(window.latency_ms), remembered.seen()) == (0, 0, ())
    assert not remembered.has_latency


def test_the_latest_are_remembered_and_all_are_counted(remembered, profiled):
    add(remembered, profiled, [1, 2, 3])
    add(remembered, profiled, [4, 5, 6], ["a", "b", "c"])
    place = profiled.columns.index("prediction/class")
    assert remembered.window().rows[:, place].tolist() == [3, 4, 5, 6]
    assert [seen.id for seen in remembered.seen()] == ["2", "a", "b", "c"]
    assert remembered.seen()[0].shown.shape == (8, 8, 1)
    assert remembered.counts == {"examples": 6, "labels": 0}


def test_each_example_keeps_its_layout(remembered, profiled, fresh):
    for part in (fresh[0][:2], fresh[0][2:5]):
        measured = measure(profiled, read(part, None), None)
        remembered.add(measured, measured.shown(8), None, ())
    assert (remembered.window().layouts == layouts(read(fresh[0][1:5], None))).all()


def test_of_latencies_the_latest_are_remembered(remembered, profiled):
    add(remembered, profiled, [1], latency_ms=[1.0, 2.0, 3.0])
    assert not remembered.has_latency
    add(remembered, profiled, [1], latency_ms=[4.0, 5.0])
    assert remembered.has_latency
    assert remembered.window().latency_ms.tolist() == [2.0, 3.0, 4.0, 5.0]


def test_a_label_joins_once_and_only_what_had_an_id(remembered, profiled):
    add(remembered, profiled, [7])
    add(remembered, profiled, [1, 2, 3], ["a", "b", "c"])
    assert remembered.join(["c", "0", "a"], [3, 7, 9]) == 2
    assert remembered.join(["c"], [3]) == 0
    assert sorted(remembered.window().errors.tolist()) == [0.0, 1.0]
    assert remembered.counts["labels"] == 2


def test_of_answers_that_wait_the_oldest_are_given_up(remembered, profiled, monkeypatch):
    monkeypatch.setattr(latest, "MOST_PENDING", 2)
    add(remembered, profiled, [1, 2, 3], ["a", "b", "c"])
    assert [remembered.join([id], [1]) for id in "abc"] == [0, 1, 1]


@pytest.mark.parametrize(
    ("ids", "latency_ms", "sentence"),
    [
        (["a"], [], "Expected as many `ids` as examples. Received: ids=1, examples=2"),
        (None, [1, np.nan], "Expected `latency_ms` to be 0 or more. Received: latency_ms=nan"),
        (None, [np.inf], "Expected `latency_ms` to be 0 or more. Received: latency_ms=inf"),
    ],
)
def test_what_is_refused_is_not_remembered(
    ids, latency_ms, sentence, remembered, profiled, refused
):
    assert refused(add, remembered, profiled, [1, 2], ids, latency_ms) == sentence
    assert (remembered.counts["examples"], remembered.seen()) == (0, ())
