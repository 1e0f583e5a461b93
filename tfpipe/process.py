"""A Python process of its own that answers one request after the other, and may die of one.

(Those of `multiprocessing` import the caller's script again, which breaks scripts without a main
guard.)

Example:

    worker = Worker("from mine import main; main()", job)    # main() calls serve(start)
    reply = worker.ask(request)
"""

import os
import pickle
import subprocess
import sys
import tempfile
import traceback
import types
from collections.abc import Callable, Mapping
from typing import Any

# A worker computes on the CPU and says nothing of itself.
ON_CPU: Mapping[str, str] = types.MappingProxyType(
    {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
)
_DEAD = (EOFError, BrokenPipeError, pickle.UnpicklingError)  # the last: it died in mid-sentence


class WorkerDied(Exception):
    """The process ended before it answered.

    Args:
        exit_code: its own; of a process that a signal ended, minus the signal's number.
    """

    def __init__(self, exit_code: int):
        self.exit_code = exit_code
        super().__init__(exit_code)


class Worker:
    """A process, and the pipes to it.

    Args:
        program: Python code that calls `serve`.
        job: what it is told once, before all requests; anything that can be pickled.
        environment: variables that differ from this process' own.

    Raises:
        RuntimeError: it did not start; with what it said.
    """

    def __init__(self, program: str, job: object, *, environment: Mapping[str, str] = ON_CPU):
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the worker)
        # It finds the package where this process found it.
        paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env={**os.environ, **environment, "PYTHONPATH": paths},
            start_new_session=True,  # Ctrl-C is for this process, which then ends the workers
        )
        try:
            self._send(job)
            self._receive()
        except _DEAD:
            self.errors.seek(0)
            said = self.errors.read().decode(errors="replace")
            self.close()
            raise RuntimeError(f"a worker process did not start; it said:\n{said}") from None

    def ask(self, request: object) -> Any:
        """Sends a request, and waits for its reply.

        Raises:
            WorkerDied: the process died of it; this worker is closed.
            RuntimeError: it failed, which is a defect; with the traceback.
        """
        try:
            self._send(request)
            reply = self._receive()
        except _DEAD:
            self.close()
            raise WorkerDied(self.process.returncode) from None
        if isinstance(reply, str):
            raise RuntimeError(f"a worker process failed:\n{reply}")
        return reply

    def close(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.process.communicate()
        self.errors.close()

    def _send(self, value: object) -> None:
        assert self.process.stdin
        pickle.dump(value, self.process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        self.process.stdin.flush()

    def _receive(self) -> Any:
        assert self.process.stdout
        return pickle.load(self.process.stdout)


def serve(start: Callable[[Any], Callable[[Any], object]]) -> None:
    """The worker's side: answers requests until the pipe ends.

    Args:
        start: makes of the job the function that answers a request; its replies are no strings.
    """
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not come between the replies
    answer = start(pickle.load(sys.stdin.buffer))
    _reply(replies, "ready")
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            reply = answer(request)
        except Exception:
            reply = traceback.format_exc()  # a defect, to be raised where the user sees it
        _reply(replies, reply)


def _reply(replies: Any, value: object) -> None:
    pickle.dump(value, replies, protocol=pickle.HIGHEST_PROTOCOL)
    replies.flush()
