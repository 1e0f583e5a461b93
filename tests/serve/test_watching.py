"""Drift is watched beside the requests: what it says is in the metrics, and no answer waits."""

import contextlib
import threading

import httpx
import numpy as np

from tests.pictures import encoded, waves
from tests.serve.toys import app_of, toy
from tests.serve.waiting import finished
from tfpipe.errors import RequestError
from tfpipe.serve import watching
from tfpipe.serve.engine import Scored
from tfpipe.serve.pixels import open_image
from tfpipe.serve.watching import Watch

SCORED = Scored([1.0], np.array([[1.0]]))


class Monitor:
    """What `tfpipe.drift.Monitor` is to a server."""

    def __init__(self, bad=None):
        self.seen, self.labels, self.bad, self.saw = [], [], bad, threading.Event()

    def observe(self, inputs, scores=None, **more):
        if self.bad in inputs:
            raise RequestError("Expected another shape.")
        self.seen.append((inputs, scores.tolist(), more))
        self.saw.set()

    def label(self, ids, labels):
        assert self.seen, "labels must not overtake the answers that they belong to"
        self.labels.append((ids, labels.tolist()))
        return len(ids)

    def state(self):
        return {"examples": len(self.seen), "p_value/input/mean": 0.25}


@contextlib.contextmanager
def busy(watch):
    """Holds the watch's thread, so that requests wait; then lets it end its work."""
    leave = threading.Event()
    watch.thread.submit(leave.wait, 20)
    yield
    leave.set()
    watch.thread.shutdown()


def observe(watch, value, ids=None):
    watch.observe([value], Scored([value], np.array([[value]])), latency_ms=value, ids=ids)


def test_requests_their_ids_and_late_labels_reach_the_monitor():
    monitor = Monitor()
    app = app_of(toy(monitor=monitor))

    async def run():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            sent = {"instances": [1, 2], "ids": ["a", "b"]}
            await client.post("/v1/models/toy:predict", json=sent)
            late = {"ids": ["b", "a"], "labels": [1, 0]}
            answer = await client.post("/v1/models/toy:label", json=late)
            return answer.json(), (await client.get("/metrics")).text

    answer, metrics = finished(run())
    ((inputs, scores, more),) = monitor.seen
    assert (inputs, scores, more["ids"]) == ([1, 2], [[1, 10], [2, 20]], ["a", "b"])
    assert 0 < more["latency_ms"][0] < 10_000
    assert (answer, monitor.labels) == ({"joined": 2}, [(["b", "a"], [1, 0])])
    assert 'tfpipe_drift{name="p_value/input/mean"} 0.25' in metrics
    assert 'tfpipe_drift{name="examples"} 1.0' in metrics


def test_without_a_profile_labels_are_refused():
    async def run():
        transport = httpx.ASGITransport(app_of(toy()))
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            late = {"ids": ["a"], "labels": [1]}
            return await client.post("/v1/models/toy:label", json=late)

    answer = finished(run())
    sentence = "The bundle has no profile that labels could be compared by."
    assert (answer.status_code, answer.json()) == (404, {"error": sentence})


def test_what_comes_too_fast_is_not_observed(monkeypatch):
    monkeypatch.setattr(watching, "BACKLOG", 2)
    monitor = Monitor()
    watch = Watch(monitor)
    with busy(watch):
        for value in range(5):
            observe(watch, value)
        assert watch.state()["skipped"] == 3
    assert [inputs for inputs, _, _ in monitor.seen] == [[0, 1]]
    assert watch.num_waiting == 0


def test_a_request_larger_than_the_backlog_is_observed_alone(monkeypatch):
    monkeypatch.setattr(watching, "BACKLOG", 2)
    monitor = Monitor()
    watch = Watch(monitor)
    with busy(watch):
        watch.observe([1, 2, 3], Scored([1, 2, 3], np.eye(3)), latency_ms=1.0, ids=None)
        observe(watch, 4)
    assert [inputs for inputs, _, _ in monitor.seen] == [[1, 2, 3]]


def test_requests_that_gathered_are_observed_together_with_ids_and_without():
    monitor = Monitor()
    watch = Watch(monitor)
    with busy(watch):
        for value, ids in ((1, None), (2, ["b"]), (3, None), (4, ["d"])):
            observe(watch, value, ids)
    named, plain = monitor.seen
    assert (named[:2], plain[:2]) == (([2, 4], [[2], [4]]), ([1, 3], [[1], [3]]))
    assert (named[2]["ids"], named[2]["latency_ms"]) == (["b", "d"], [2, 4])
    assert (plain[2]["ids"], plain[2]["latency_ms"]) == (None, [1, 3])


def test_a_request_waits_for_others_and_not_for_the_end(monkeypatch):
    monkeypatch.setattr(watching, "GATHER_S", 20.0)
    monitor = Monitor()
    watch = Watch(monitor)
    observe(watch, 1)
    observe(watch, 2)
    watch.close()
    assert monitor.saw.wait(10)  # half of what it would wait for others
    assert [inputs for inputs, _, _ in monitor.seen] == [[1, 2]]


def test_after_its_end_requests_are_answered_and_not_observed():
    monitor = Monitor()
    watch = Watch(monitor)
    watch.close()  # a newer version has taken over while a request was being answered
    watch.observe([1.0], SCORED, latency_ms=1.0, ids=None)
    assert (monitor.seen, watch.state()["skipped"]) == ([], 1)


def test_after_its_end_labels_join_nothing():
    watch = Watch(Monitor())
    watch.close()
    assert finished(watch.label(["a"], np.array([1]))) == 0


def test_a_request_that_the_monitor_cannot_use_takes_no_other_with_it(capsys):
    monitor = Monitor(bad=2)
    watch = Watch(monitor)
    with busy(watch):
        for value in (1, 2, 3, 2):
            observe(watch, value)
    assert [inputs for inputs, _, _ in monitor.seen] == [[1], [3]]
    assert watch.state()["failed"] == 2
    assert capsys.readouterr().err == "drift cannot be watched: Expected another shape.\n"


def test_a_defect_of_the_monitor_is_told(capsys):
    monitor = Monitor()
    monitor.observe = None
    watch = Watch(monitor)
    with busy(watch):
        observe(watch, 1)
    said = capsys.readouterr().err
    assert said.startswith("drift cannot be watched, by a defect: TypeError(")


def test_the_sizes_of_images_are_those_before_resizing():
    monitor = Monitor()
    watch = Watch(monitor)
    image = open_image(encoded(waves(24, 40)), 2**20)
    scored = Scored([1.0, 2.0], np.array([[1.0], [2.0]]))
    watch.observe([image, np.zeros((4, 4, 1))], scored, latency_ms=1.0, ids=None)
    watch.thread.shutdown()
    expected = [(24, 40), (np.nan, np.nan)]
    np.testing.assert_equal(monitor.seen[0][2]["sizes_px"], expected)
