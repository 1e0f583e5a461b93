"""Drift is watched beside the requests: what it says is in the metrics, and no answer waits."""

import asyncio
import threading

import httpx
import numpy as np
import pytest

from tests.pictures import encoded, waves
from tests.serve.toys import app_of, toy
from tfpipe.errors import RequestError
from tfpipe.serve import watching
from tfpipe.serve.engine import Scored
from tfpipe.serve.pixels import open_image
from tfpipe.serve.watching import Watch

SCORED = Scored([1.0], np.array([[1.0]]))


class Monitor:
    """What `tfpipe.drift.Monitor` is to a server."""

    def __init__(self, error=None):
        self.seen, self.labels, self.error = [], [], error
        self.leave = threading.Event()
        self.leave.set()

    def observe(self, inputs, scores=None, **more):
        assert self.leave.wait(20)
        if self.error:
            raise self.error
        self.seen.append((inputs, scores.tolist(), more))

    def label(self, ids, labels):
        self.labels.append((ids, labels.tolist()))
        return len(ids)

    def state(self):
        return {"examples": len(self.seen), "p_value/input/mean": 0.25}


def test_requests_their_ids_and_late_labels_reach_the_monitor():
    monitor = Monitor()
    app = app_of(toy(monitor=monitor))

    async def run():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            sent = {"instances": [1, 2], "ids": ["a", "b"]}
            await client.post("/v1/models/toy:predict", json=sent)
            while not monitor.seen:
                await asyncio.sleep(0)
            late = {"ids": ["b", "a"], "labels": [1, 0]}
            answer = await client.post("/v1/models/toy:label", json=late)
            return answer.json(), (await client.get("/metrics")).text

    answer, metrics = asyncio.run(run())
    ((inputs, scores, more),) = monitor.seen
    assert (inputs, scores, more["ids"]) == ([1, 2], [[1, 10], [2, 20]], ["a", "b"])
    assert 0 < more["latency_ms"] < 10_000
    assert (answer, monitor.labels) == ({"joined": 2}, [(["b", "a"], [1, 0])])
    assert 'tfpipe_drift{name="p_value/input/mean"} 0.25' in metrics
    assert 'tfpipe_drift{name="examples"} 1.0' in metrics


def test_without_a_profile_labels_are_refused():
    async def run():
        transport = httpx.ASGITransport(app_of(toy()))
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            late = {"ids": ["a"], "labels": [1]}
            return await client.post("/v1/models/toy:label", json=late)

    answer = asyncio.run(run())
    sentence = "The bundle has no profile that labels could be compared by."
    assert (answer.status_code, answer.json()) == (404, {"error": sentence})


def test_what_comes_too_fast_is_not_observed(monkeypatch):
    monkeypatch.setattr(watching, "BACKLOG", 2)
    monitor = Monitor()
    monitor.leave.clear()
    watch = Watch(monitor)
    for _ in range(5):
        watch.observe([1.0], SCORED, latency_ms=1.0, ids=None)
    assert watch.state()["skipped"] == 3
    monitor.leave.set()
    watch.thread.shutdown()
    assert (len(monitor.seen), watch.waiting) == (2, 0)


def test_after_its_end_requests_are_answered_and_not_observed():
    monitor = Monitor()
    watch = Watch(monitor)
    watch.close()  # a newer version has taken over while a request was being answered
    watch.observe([1.0], SCORED, latency_ms=1.0, ids=None)
    assert (monitor.seen, watch.state()["skipped"]) == ([], 1)


def test_a_monitor_that_cannot_use_them_is_told_of_once(capsys):
    watch = Watch(Monitor(RequestError("Expected another shape.")))
    for _ in range(3):
        watch.observe([1.0], SCORED, latency_ms=1.0, ids=None)
    watch.thread.shutdown()
    assert watch.state()["failed"] == 3
    assert capsys.readouterr().err == (
        "drift cannot be watched: RequestError: Expected another shape.\n"
    )


@pytest.mark.parametrize(("with_array", "sizes"), [(False, [(24, 40)]), (True, None)])
def test_the_sizes_of_images_are_those_before_resizing(with_array, sizes):
    monitor = Monitor()
    watch = Watch(monitor)
    image = open_image(encoded(waves(24, 40)), 2**20)
    examples = [np.zeros((4, 4, 1))] if with_array else [image]
    watch.observe(examples, SCORED, latency_ms=1.0, ids=None)
    watch.thread.shutdown()
    assert monitor.seen[0][2]["sizes_px"] == sizes
