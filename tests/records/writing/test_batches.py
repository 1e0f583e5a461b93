"""Batches keep the order and stay small; work goes on ahead of them, but not far."""

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfpipe.records.writing.batches import BATCH_BYTES, BATCH_EXAMPLES, batches, in_order


@given(st.lists(st.one_of(st.binary(max_size=9), st.text(max_size=9), st.integers())))
def test_batches_keep_the_examples_in_order(values):
    examples = [{"id": str(n), "x": value} for n, value in enumerate(values * 20)]
    found = list(batches(examples))
    assert [example for batch in found for example in batch] == examples
    assert all(len(batch) == BATCH_EXAMPLES for batch in found[:-1])


def test_large_examples_make_small_batches():
    image = np.zeros(BATCH_BYTES // 2, np.uint8)
    sizes = [len(b) for b in batches({"id": str(n), "image": image} for n in range(5))]
    assert sizes == [2, 2, 1]


def test_large_files_make_small_batches_and_missing_ones_do_not_count(tmp_path):
    (tmp_path / "large").write_bytes(bytes(BATCH_BYTES // 2))
    paths = [tmp_path / name for name in ("large", "none", "large", "large", "a\0b")]
    found = list(batches({"id": str(n), "image": path} for n, path in enumerate(paths)))
    assert [len(batch) for batch in found] == [3, 2]


def test_results_come_in_the_order_of_the_jobs_whichever_ends_first():
    futures = [Future() for _ in range(4)]
    for number in (2, 0, 3, 1):
        futures[number].set_result(number * 10)
    assert list(in_order(enumerate(futures), ahead=2)) == [(0, 0), (1, 10), (2, 20), (3, 30)]


def test_so_many_jobs_are_started_ahead_and_those_that_wait_are_cancelled_at_the_end():
    started = []

    def jobs():
        for number in range(9):
            started.append(Future())
            if number == 0:
                started[0].set_result("first")
            yield number, started[-1]

    results = in_order(jobs(), ahead=3)
    assert next(results) == (0, "first")
    assert len(started) == 4
    results.close()
    assert [future.cancelled() for future in started] == [False, True, True, True]


def test_what_a_job_raises_is_raised_when_its_turn_comes():
    with ThreadPoolExecutor(1) as threads, contextlib.ExitStack() as stack:
        jobs = ((n, threads.submit(lambda n: 6 // n, n)) for n in (2, 0, 3))
        results = stack.enter_context(contextlib.closing(in_order(jobs, ahead=2)))
        assert next(results) == (2, 3)
        with pytest.raises(ZeroDivisionError):
            next(results)
