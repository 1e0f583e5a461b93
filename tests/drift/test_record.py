"""The record of the looks: what has begun, and no more than is bounded."""

import pytest

from tfpipe.drift import Alarm, Finding, record
from tfpipe.drift.record import Record


def finding(feature, *, drifted, now=1.0):
    return Finding(feature, 0.0, now, "Fisher", 0.5, drifted=drifted)


def names(findings):
    return [finding.feature for finding in findings]


def test_what_drifts_on_has_not_begun():
    found, looks = Record(), [finding("a", drifted=True), finding("b", drifted=False)]
    assert names(found.begun(looks)) == ["a", "b"]
    found.add(looks, [Alarm(looks[0], 16, 0.01)], 16)
    assert names(found.begun([finding("a", drifted=True), finding("b", drifted=True)])) == ["b"]
    found.add([finding("a", drifted=False)], [], 32)
    assert names(found.begun([finding("a", drifted=True)])) == ["a"]


def test_the_time_line_has_each_look():
    found = Record()
    found.add([finding("a", drifted=False, now=3.0)], [], 16)
    found.add([finding("a", drifted=False, now=4.0), finding("b", drifted=False)], [], 32)
    assert found.history == ((16, {"a": 3.0}), (32, {"a": 4.0, "b": 1.0}))
    assert names(found.findings) == ["a", "b"]


@pytest.mark.parametrize(("bound", "of"), [("MOST_ALARMS", "alarms"), ("MOST_LOOKS", "history")])
def test_the_oldest_are_forgotten_and_alarms_stay_counted(bound, of, monkeypatch):
    monkeypatch.setattr(record, bound, 2)
    found = Record()
    for number in (16, 32, 64):
        drifted = finding("a", drifted=True)
        found.add([drifted], [Alarm(drifted, number, 0.01)], number)
    latest = getattr(found, of)
    kept = [each.num_examples if of == "alarms" else each[0] for each in latest]
    assert (kept, found.num_alarms) == ([32, 64], 3)
