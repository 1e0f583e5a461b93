"""What waits is computed together, in order; one bad request fails alone; nothing is lost."""

import asyncio
import threading

import numpy as np
import pytest

from tests.serve.waiting import finished, until_set
from tfpipe.errors import RequestError
from tfpipe.serve.batching import Batcher, answer
from tfpipe.serve.engine import Scored


class Gated:
    """A score function that notes its batches, and waits for leave."""

    def __init__(self, free=True):
        self.batches, self.leave, self.begun = [], threading.Event(), threading.Event()
        if free:
            self.leave.set()

    def __call__(self, examples):
        self.batches.append(list(examples))
        self.begun.set()
        assert self.leave.wait(20)
        if "bad" in examples:
            raise RequestError("A bad one.")
        scores = np.array([[example, -example] for example in examples], np.float32)
        return Scored(examples, scores)


def gathered(score, requests, most=4):
    """Sends the first request, and the others when it is being computed."""

    async def run():
        batcher = Batcher(score, most=most)
        first = asyncio.create_task(batcher.scores(requests[0]))
        await until_set(score.begun)
        rest = [asyncio.create_task(batcher.scores(request)) for request in requests[1:]]
        await asyncio.sleep(0)  # they are in the queue now
        score.leave.set()
        answers = await asyncio.gather(first, *rest, return_exceptions=True)
        await batcher.close()
        return answers

    return finished(run())


def test_a_request_is_computed_at_once_and_those_that_waited_together():
    score = Gated(free=False)
    answers = gathered(score, [[1], [2], [3], [4]])
    assert score.batches == [[1], [2, 3, 4]]
    assert [part.scores.tolist() for part in answers] == [
        [[1, -1]],
        [[2, -2]],
        [[3, -3]],
        [[4, -4]],
    ]


def test_a_batch_has_at_most_so_many_and_no_request_is_cut():
    score = Gated(free=False)
    answers = gathered(score, [[1], [2, 3], [4, 5, 6], [7] * 9, [8]])
    assert score.batches == [[1], [2, 3], [4, 5, 6], [7] * 9, [8]]
    assert [len(part.scores) for part in answers] == [1, 2, 3, 9, 1]
    assert [part.inputs for part in answers] == [[1], [2, 3], [4, 5, 6], [7] * 9, [8]]


def test_one_by_one_is_a_batch_of_one():
    score = Gated(free=False)
    gathered(score, [[1], [2], [3]], most=1)
    assert score.batches == [[1], [2], [3]]


def test_a_bad_request_fails_alone():
    score = Gated(free=False)
    answers = gathered(score, [[1], [2], ["bad", 3], [4]], most=8)
    assert [type(part).__name__ for part in answers] == [
        *("Scored", "Scored", "RequestError", "Scored")
    ]
    assert answers[3].scores.tolist() == [[4, -4]]


def test_a_defect_is_raised_in_every_request():
    def broken(examples):
        raise KeyError("a defect")

    assert [type(each) for each in answer(broken, [[1], [2]])] == [KeyError, KeyError]


def test_scores_that_are_not_finite_are_refused():
    first, second = answer(lambda x: Scored(x, np.array(x)[:, None]), [[1.0, 2.0], [np.inf]])
    assert first.scores.tolist() == [[1], [2]]
    assert str(second) == (
        "The model's scores for these inputs are not finite: they are far from what it was "
        "trained with."
    )


def test_a_request_that_gave_up_is_not_computed():
    async def run():
        score = Gated(free=False)
        batcher = Batcher(score, most=8)
        first = asyncio.create_task(batcher.scores([1]))
        await until_set(score.begun)
        second = asyncio.create_task(batcher.scores([2]))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        first.cancel()  # it is being computed: its answer finds nobody
        score.leave.set()
        third = await batcher.scores([3])
        await batcher.close()
        return score.batches, third.scores.tolist()

    assert finished(run()) == ([[1], [3]], [[3, -3]])


def test_closing_waits_for_those_that_wait():
    async def run():
        score, told = Gated(free=False), []
        batcher = Batcher(score, most=2, told=lambda *facts: told.append(facts))
        tasks = [asyncio.create_task(batcher.scores([n])) for n in range(4)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(batcher.close())
        score.leave.set()
        await closing
        with pytest.raises(RuntimeError, match="shutdown"):  # its thread has ended, too
            batcher.thread.submit(print)
        return [task.result().scores.tolist() for task in tasks], told

    scores, told = finished(run())
    assert scores == [[[n, -n]] for n in range(4)]
    assert [count for count, _ in told] == [2, 2]
    assert min(seconds for _, seconds in told) > 0
