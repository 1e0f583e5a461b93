"""Checkpoints of a training, from which it goes on to the bit.

A checkpoint is one `.npz` file: the arrays of `tfpipe.train.state`, and a JSON text of facts
beside them. It is written aside and renamed, in a thread, while the training goes on.
"""

import concurrent.futures
import copy
import json
import pathlib
import time
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import DataError
from tfpipe.files import Path, staged
from tfpipe.train import remembered, state, workers

FOLDER = "checkpoints"
OVER = 10**9  # the epoch of a checkpoint after the last one
KEPT = 2  # files: the last one, and the one before
COST = 0.01  # of the time at most: the thread's work, and the reading of the variables


def load(path: pathlib.Path) -> tuple[state.Arrays, dict[str, Any]]:
    """The arrays and facts of a checkpoint.

    Raises:
        DataError: the file is damaged.
    """
    try:
        with path.open("rb") as opened, np.load(opened) as file:
            arrays = {name: file[name] for name in file.files}
        facts = json.loads(arrays.pop("facts").tobytes())
    except (zipfile.BadZipFile, OSError, ValueError, KeyError) as error:
        raise DataError(path, f"not a whole checkpoint ({error!r}); delete it") from None
    return arrays, facts


def place(folder: pathlib.Path, epoch: int, step: int) -> pathlib.Path:
    """A checkpoint's file; the newest has the greatest name."""
    return folder / f"{epoch:010d}-{step:010d}.npz"


def position(strategy: tf.distribute.Strategy, run: Path | None) -> tuple[int, int]:
    """The epoch and step of the newest checkpoint in a run's folder, as the chief sees it."""
    found = max(pathlib.Path(run, FOLDER).glob("*.npz"), default=None) if run else None
    epoch, step = map(int, found.stem.split("-")) if found else (0, 0)
    return workers.told_by_chief(strategy, epoch), workers.told_by_chief(strategy, step)


class Keeper:
    """Takes the checkpoints of one training, and puts the newest one back.

    Args:
        model: built and compiled.
        callbacks: all, Keras' History included; their variables, from `on_train_begin` on, are
            kept, too.
        extra: variables beside the model's that a resumed training needs.
        at: the (epoch, step) of the checkpoint to begin from; (0, 0) where there is none.
        folder: of the run; None keeps nothing.
        every_s: the least seconds between two; more where one costs too much.
    """

    def __init__(
        self,
        model: keras.Model,
        callbacks: remembered.Callbacks,
        extra: Sequence[tf.Variable],
        *,
        at: tuple[int, int],
        folder: pathlib.Path | None,
        every_s: float,
    ):
        self.model, self.callbacks, self.extra = model, callbacks, extra
        self.folder, self.every_s = folder and folder / FOLDER, every_s
        self.epoch, self.step = at
        self.finished = self.epoch == OVER
        self.arrays: state.Arrays = {}
        self.facts: dict[str, Any] = {}
        if self.folder and at != (0, 0):
            self.arrays, self.facts = load(place(self.folder, *at))
        self.baseline: list[dict[str, Any]] = []
        self.last_s = time.monotonic()
        self.thread = concurrent.futures.ThreadPoolExecutor(1)
        self.writing: concurrent.futures.Future[float] | None = None
        self.read_s = self.write_s = 0.0

    def remember_callbacks(self) -> None:
        """Call it before `restore`: what callbacks hold then is not kept."""
        self.baseline = copy.deepcopy(remembered.of_callbacks(self.callbacks))

    def restore(self) -> None:
        """Puts the checkpoint back, if there was one."""
        if not self.facts:
            return
        state.put_back(self.model, self._extra(), self.arrays)
        state.put_back_random(self.facts["random"], self.arrays)
        kept = remembered.unpacked(self.facts["callbacks"], self.arrays)
        for callback, values, before in zip(self.callbacks, kept, self.baseline, strict=True):
            remembered.put_back(callback, values, before)
        self.model.stop_training = self.facts["stop"]
        self.arrays, self.facts = {}, {}

    def reached(self, epoch: int, step: int) -> None:
        """Takes a checkpoint if it is time."""
        if self.folder is None:
            return
        pause_s = self.every_s and max(self.every_s, (self.read_s + self.write_s) / COST)
        due = time.monotonic() - self.last_s >= pause_s
        if workers.told_by_chief(self.model.distribute_strategy, int(due)):
            self._take(epoch, step)

    def finish(self) -> None:
        """Takes the last checkpoint, which says that the training is over."""
        if self.folder is not None:
            self._take(OVER, 0)
        self.close()

    def close(self) -> None:
        """Waits until the last checkpoint is written."""
        self._wait()
        self.thread.shutdown()

    def _take(self, epoch: int, step: int) -> None:
        assert self.folder is not None
        self._wait()
        started = time.monotonic()
        arrays = state.read(self.model, self._extra())
        now = remembered.of_callbacks(self.callbacks)
        kept = list(map(remembered.changed, now, self.baseline))
        facts = {
            "stop": self.model.stop_training,
            "random": state.random_facts(),
            "callbacks": remembered.packed(kept, arrays),
        }
        arrays["facts"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
        self.last_s = time.monotonic()
        self.read_s = self.last_s - started
        if workers.is_chief(self.model.distribute_strategy):
            path = place(self.folder, epoch, step)
            self.writing = self.thread.submit(_write, path, arrays)

    def _extra(self) -> list[tf.Variable]:
        return [*self.extra, *remembered.variables(self.callbacks)]

    def _wait(self) -> None:
        if self.writing is not None:
            self.write_s = self.writing.result()  # or raises what went wrong there
            self.writing = None


def _write(path: pathlib.Path, arrays: state.Arrays) -> float:
    """Writes a checkpoint, removes old ones, and returns the seconds of work that it took."""
    started = time.thread_time()
    with staged(path) as aside, aside.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    for old in sorted(path.parent.glob("*.npz"))[:-KEPT]:
        old.unlink()
    return time.thread_time() - started
