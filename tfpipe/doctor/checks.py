"""All looks in their order. One that dies or fails is a finding, and the others go on.

Example:

    for finding in examine("data", quick=True):
        print(finding.name, finding.state, finding.found, finding.todo)
"""

import contextlib
import dataclasses
import importlib
import signal
import tempfile
import time
import types
from collections.abc import Callable, Iterator, Mapping

from tfpipe.doctor.finding import SKIPPED, WRONG, Finding
from tfpipe.doctor.worker import ENVIRONMENT, PROGRAM
from tfpipe.process import Worker, WorkerDied

PASS = ("ingest", "train", "export", "predict")
SECTIONS: Mapping[str, tuple[str, ...]] = types.MappingProxyType(
    {
        "Installation": ("python", "packages", "extras", "variables"),
        "Machine": ("cores", "memory", "disk", "tensorflow", "gpu"),
        "Numbers": ("gradient", "precision"),
        "A small job": PASS,
    }
)
# Where the looks are that need no TensorFlow.
_MODULES = {
    **dict.fromkeys(("python", "packages", "extras"), "packages"),
    "variables": "variables",
    **dict.fromkeys(("cores", "memory"), "machine"),
    "disk": "disk",
}
_NEEDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("gpu", "gradient", "precision"), ("tensorflow",)),
    "ingest": ("tensorflow", "disk"),
    **{step: PASS[:place] for place, step in enumerate(PASS) if place},
}
_DEATHS = {
    signal.SIGKILL: "Most likely there was not enough memory: see `memory`",
    signal.SIGILL: "TensorFlow was built for a newer processor: see `cores`",
}
_SAYS = "tfpipe.errors.RequestError: "
_REINSTALL = "Install the tested versions: see `packages`"


def examine(folder: str = ".", *, quick: bool = False) -> Iterator[Finding]:
    """Looks at one thing after the other.

    Args:
        folder: where the disk is tried and the small job is made; nothing is left in it.
        quick: leaves out the small job.

    Yields:
        A finding for each name in `SECTIONS`, in their order.

    Example:

    >>> found = next(examine(quick=True))
    >>> found.name, found.state
    ('python', 'good')
    """
    states: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        looks = _Looks(folder, stack)
        for name in (name for names in SECTIONS.values() for name in names):
            if quick and name in PASS:
                return
            started = time.perf_counter()
            finding = looks.look(name, states)
            states[name] = finding.state
            yield dataclasses.replace(finding, seconds=time.perf_counter() - started)


class _Looks:
    """The worker process and the job's folder: there from the first look that needs them."""

    def __init__(self, folder: str, stack: contextlib.ExitStack):
        self.folder, self.stack = folder, stack
        self.worker: Worker | None = None
        self.job = ""

    def look(self, name: str, states: Mapping[str, str]) -> Finding:
        stands = [need for need in _NEEDS.get(name, ()) if states.get(need) in (WRONG, SKIPPED)]
        if stands:
            return Finding(name, SKIPPED, f"not tried: it needs `{stands[0]}`")
        return self._here(name) if name in _MODULES else self._in_worker(name)

    def _here(self, name: str) -> Finding:
        try:
            module = importlib.import_module(f"tfpipe.doctor.{_MODULES[name]}")
            look: Callable[..., Finding] = getattr(module, name)
            return look(self.folder) if name == "disk" else look()
        except ImportError as error:  # a package that the look itself needs
            # `packages` itself may be what cannot look, and it needs `packaging` alone.
            todo = f"python -m pip install {error.name}" if error.name else _REINSTALL
            return Finding(name, WRONG, f"{type(error).__name__}: {error}", todo)

    def _in_worker(self, name: str) -> Finding:
        if name in PASS and not self.job:
            made = tempfile.TemporaryDirectory(prefix=".tfpipe-doctor-", dir=self.folder)
            self.job = self.stack.enter_context(made)
        try:
            if self.worker is None:
                self.worker = Worker(PROGRAM, None, environment=ENVIRONMENT)
                self.stack.callback(self.worker.close)
            return self.worker.ask((name, self.job))
        except WorkerDied as died:
            self.worker = None
            return _death(name, died.exit_code)
        except RuntimeError as error:  # with what the process said in its end, or a traceback
            return _failure(name, str(error).rstrip().splitlines())


def _failure(name: str, lines: list[str]) -> Finding:
    rows, said = tuple((line,) for line in lines), lines[-1].removeprefix(_SAYS)
    if said != lines[-1]:
        return Finding(name, WRONG, said, rows=rows)  # it says what to do, too
    return Finding(name, WRONG, said, f"{_REINSTALL}. --json has all that was said", rows)


def _death(name: str, exit_code: int) -> Finding:
    if exit_code < 0:
        ended = signal.Signals(-exit_code)
        todo = _DEATHS.get(ended, _REINSTALL)
        return Finding(name, WRONG, f"the process died of it, by {ended.name}", todo)
    return Finding(name, WRONG, f"the process ended by itself, with code {exit_code}", _REINSTALL)
