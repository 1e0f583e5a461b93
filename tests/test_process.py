"""Worker: a process that answers, fails with a traceback, or dies, and is told apart."""

import pytest

from tfpipe.process import Worker, WorkerDied

PROGRAM = """
import os, signal, sys
from tfpipe.process import serve
def start(job):
    print("noise that is no reply")
    def answer(request):
        print("more noise")
        if request == "exit": os._exit(3)
        if request == "crash": os.kill(os.getpid(), signal.SIGSEGV)
        return [job, request["value"]]
    return answer
serve(start)
"""


@pytest.fixture
def worker():
    worker = Worker(PROGRAM, "job")
    yield worker
    worker.close()


def test_replies_come_one_after_the_other_whatever_is_printed(worker):
    assert [worker.ask({"value": value}) for value in (1, 2)] == [["job", 1], ["job", 2]]


def test_a_failure_comes_with_its_traceback_and_the_worker_goes_on(worker):
    with pytest.raises(RuntimeError, match=r"(?s)^a worker process failed:.*KeyError: 'value'"):
        worker.ask({})
    assert worker.ask({"value": 5}) == ["job", 5]


@pytest.mark.parametrize(("request_", "exit_code"), [("exit", 3), ("crash", -11)])
def test_a_death_tells_its_exit_code(worker, request_, exit_code):
    with pytest.raises(WorkerDied) as caught:
        worker.ask(request_)
    assert caught.value.exit_code == exit_code
    assert worker.process.returncode == exit_code


def test_a_program_that_does_not_start_says_why():
    with pytest.raises(RuntimeError, match=r"(?s)^a worker process did not start.*no module here"):
        Worker("raise SystemExit('no module here')", None)
