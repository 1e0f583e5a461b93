"""A newer version takes over: who is inside is answered by the old one."""

import asyncio
import dataclasses
import threading

import numpy as np
import pytest

from tests.serve.toys import Fixed, service_of, toy
from tests.serve.waiting import finished, until_set
from tfpipe.errors import RequestError
from tfpipe.serve import Metrics, Service, Versions


class Monitor:
    """What watches, where nothing is to be seen."""

    def state(self):
        return {}


class Shelf(Fixed):
    """Gives what lies on it, once."""

    def newest(self):
        engine, self.engine = self.engine, None
        return engine


def held():
    """A score that waits; the event that it has begun, and the one that lets it go on."""
    begun, leave = threading.Event(), threading.Event()

    def score(inputs):
        begun.set()
        assert leave.wait(20)
        return np.ones((len(inputs), 1), np.float32)

    return score, begun, leave


def test_a_switch_loses_no_request(capsys):
    slow, begun, leave = held()

    async def run():
        shelf = Shelf(toy(score=slow))
        service = Service(shelf, Metrics(), bound=8, most=4)
        old = service.servable
        first = asyncio.create_task(service.scores(old, [1], seconds=9))
        second = asyncio.create_task(service.scores(old, [2], seconds=9))
        await until_set(begun)
        shelf.engine = toy(version=2)
        watching = asyncio.create_task(service.watch(0.001))
        while service.servable is old:
            await asyncio.sleep(0)
        third = await service.scores(service.servable, [3], seconds=9)
        leave.set()
        watching.cancel()
        answers = [(await task).scores.tolist() for task in (first, second)]
        await service.close()
        return answers, third.scores.tolist(), service.metrics.text().decode()

    answers, third, metrics = finished(run())
    assert (answers, third) == ([[[1]], [[1]]], [[3, 30]])
    assert 'tfpipe_version{model="toy"} 2.0' in metrics
    assert "tfpipe_versions_switched_total 1.0" in metrics
    assert capsys.readouterr().err == (
        "toy version 2 (toy.tflite) answers now; version 1 has ended\n"
    )


def test_memory_settles_when_a_version_is_there_and_when_the_one_before_has_ended():
    settled = []

    async def run():
        shelf = Shelf(toy())
        service = Service(shelf, Metrics(), bound=8, most=4, settle=lambda: settled.append(1))
        shelf.engine = toy(version=2)
        watching = asyncio.create_task(service.watch(0.001))
        while len(settled) < 2:
            await asyncio.sleep(0)
        watching.cancel()
        assert not service.leaving
        await service.close()

    finished(run())
    assert len(settled) == 2


def test_the_end_waits_for_the_version_before_and_its_watch():
    slow, begun, leave = held()

    async def run():
        service = service_of(toy(score=slow, monitor=Monitor()))
        old = service.servable
        first = asyncio.create_task(service.scores(old, [1], seconds=9))
        await until_set(begun)
        service._switch(dataclasses.replace(toy(version=2), name="other"))
        ending = asyncio.create_task(service.close())
        await asyncio.sleep(0)
        assert not ending.done()
        leave.set()
        await ending
        assert old.watch.closing.is_set()
        return (await first).scores.tolist(), service.metrics.text().decode()

    scores, metrics = finished(run())
    assert scores == [[1]]
    assert 'tfpipe_version{model="other"} 2.0' in metrics
    assert 'model="toy"' not in metrics


def test_who_leaves_makes_room_even_where_something_fails():
    service = service_of(toy(), bound=2)
    with pytest.raises(KeyError), service.places(2):
        raise KeyError
    assert service.inside == 0


def test_without_a_version_the_reasons_are_told(tmp_path):
    (tmp_path / "2").mkdir()

    def load(path, *, version):
        raise RequestError("it is broken.")

    with pytest.raises(RequestError) as caught:
        Service(Versions(tmp_path, load), Metrics(), bound=1, most=1)
    assert str(caught.value) == (
        "Expected a bundle, or a folder of bundles whose names are numbers. "
        f"Received: {str(tmp_path)!r}. Of its versions, 2: it is broken."
    )
