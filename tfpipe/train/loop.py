"""The training loop: epochs, callbacks and validation around the steps in the graph."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.report import progress
from tfpipe.report.bars import Bar
from tfpipe.train.checkpoint import Keeper
from tfpipe.train.data import let_go
from tfpipe.train.finite import NotFiniteError, Watch, first_problem, ids
from tfpipe.train.graph import Repeat

Logs = dict[str, float]

CALL_S = 0.5  # a call of the graph is at most about that long where `steps_per_call` is "auto"
MOST_STEPS = 1024
STEPS_OF_WORKERS = 16  # workers must agree, and their clocks do not


class Side(NamedTuple):
    """Training or validation: what the graph does with a batch, and where batches come from."""

    repeat: Repeat
    passes: Iterator[Iterator[Any]]
    num_batches: int


class Job(NamedTuple):
    """What the loop works on."""

    model: keras.Model
    sides: dict[str, Side]
    calls: keras.callbacks.CallbackList
    epochs: int
    accumulate: int
    watch: Watch
    keeper: Keeper
    average: Callable[[], None]

    @property
    def num_steps(self) -> int:
        """Optimizer updates in an epoch."""
        return -(-self.sides["train"].num_batches // self.accumulate)


class Pace:
    """How many steps a call of the graph has."""

    def __init__(self, steps_per_call: int | str, *, workers: bool):
        self.grows = steps_per_call == "auto" and not workers
        if isinstance(steps_per_call, int):
            self.steps = steps_per_call
        else:
            self.steps = STEPS_OF_WORKERS if workers else 1

    def took(self, steps: int, seconds: float) -> None:
        """Twice as many steps in the next call, if this one was whole and short."""
        if self.grows and steps == self.steps < MOST_STEPS and seconds < CALL_S / 2:
            self.steps *= 2


def run(job: Job, pace: Pace) -> None:
    """Trains from where the keeper stands to the last epoch."""
    model, keeper = job.model, job.keeper
    if keeper.finished:
        keeper.remember_callbacks()
        keeper.restore()
        return
    first, step = keeper.epoch, keeper.step
    with progress("training", job.epochs * job.num_steps, unit="steps") as bar:
        model.stop_training = False  # an earlier training may have stopped early
        job.calls.on_train_begin()
        keeper.remember_callbacks()
        if step == 0:  # else what callbacks do at an epoch's begin comes first
            keeper.restore()
        bar.advance(first * job.num_steps + step)
        for epoch in range(first, job.epochs):
            if model.stop_training:
                break
            _epoch(job, pace, bar, epoch, step if epoch == first else 0)
        model.optimizer.finalize_variable_values(model.trainable_variables)  # Keras' averages
        job.calls.on_train_end()
    keeper.finish()


def _epoch(job: Job, pace: Pace, bar: Bar, epoch: int, step: int) -> None:
    started = time.monotonic()
    name = f"epoch {epoch + 1}/{job.epochs}"
    job.model.reset_metrics()
    job.calls.on_epoch_begin(epoch)
    if step:
        job.keeper.restore()
    logs, speed = _train(job, pace, bar, epoch, step, name)
    job.average()
    if "val" in job.sides:
        logs |= _val_logs(job, pace)
    job.calls.on_epoch_end(epoch, logs)
    job.keeper.reached(epoch + 1, 0)
    seconds = time.monotonic() - started
    bar.line(f"{name}: {_words(logs)}, {speed}, {seconds:.1f} s")


def _train(job: Job, pace: Pace, bar: Bar, epoch: int, step: int, name: str) -> tuple[Logs, str]:
    """The epoch's steps from `step` on; the logs of the last call, and the speed in words."""
    logs: Logs = {}
    held = [next(job.sides["train"].passes)]
    speed = _speedometer(job)
    job.calls.on_train_batch_begin(step)
    while step < job.num_steps:
        made = _call(job, pace, held[0], epoch, step)
        step += made
        logs = _results(job)
        job.calls.on_train_batch_end(step - 1, logs)
        bar.advance(made, note=f"{name}: {_words(logs)}, {speed()}")
        if job.model.stop_training or step == job.num_steps:
            break
        job.keeper.reached(epoch, step)
        job.calls.on_train_batch_begin(step)
    let_go(held)
    return logs, speed()


def _call(job: Job, pace: Pace, batches: Iterator[Any], epoch: int, step: int) -> int:
    """One call of the graph, from `step` on; how many steps it made."""
    side = job.sides["train"]
    steps = min(pace.steps, job.num_steps - step)
    count = min(steps * job.accumulate, side.num_batches - step * job.accumulate)
    started = time.monotonic()
    done = int(side.repeat(batches, tf.constant(count)))
    pace.took(steps, time.monotonic() - started)
    if done < count or (job.watch.stop and job.watch.num_bad):
        raise _not_finite(job, epoch, step * job.accumulate + done)
    return steps


def _speedometer(job: Job) -> Callable[[], str]:
    """A function that says how fast it goes from now on, and how much of that is waiting."""
    began, waited_s, seen = time.monotonic(), float(job.watch.waited_s), _examples(job.model)

    def speed() -> str:
        passed_s = time.monotonic() - began
        rate = (_examples(job.model) - seen) / passed_s
        share = min(1.0, (float(job.watch.waited_s) - waited_s) / passed_s)
        return f"{rate:,.0f} examples/s, input wait {share:.2f}"

    return speed


def _results(job: Job) -> Logs:
    logs = _numbers(job.model.get_metrics_result())
    if not job.watch.stop:
        logs["skipped"] = float(job.watch.num_bad)
    return logs


def _val_logs(job: Job, pace: Pace) -> Logs:
    val, logs = job.sides["val"], Logs()
    job.model.reset_metrics()
    job.calls.on_test_begin()  # `SwapEMAWeights` puts the averages there
    held = [next(val.passes)]
    for first in range(0, val.num_batches, pace.steps):
        job.calls.on_test_batch_begin(first)
        end = min(first + pace.steps, val.num_batches)
        val.repeat(held[0], tf.constant(end - first))
        logs = _numbers(job.model.get_metrics_result())
        job.calls.on_test_batch_end(end - 1, logs)
    let_go(held)
    job.calls.on_test_end(logs)
    return {f"val_{name}": value for name, value in logs.items()}


def _numbers(results: Mapping[str, Any]) -> Logs:
    logs: Logs = {}
    for name, value in results.items():  # a metric may be several numbers
        if isinstance(value, dict):
            logs |= _numbers(value)
            continue
        parts = np.ndenumerate(keras.ops.convert_to_numpy(value))  # F1Score: one per class
        logs |= {"/".join([name, *map(str, place)]): float(part) for place, part in parts}
    return logs


def _examples(model: keras.Model) -> float:
    return float(
        keras.ops.convert_to_numpy(model.metrics[0].count)
    )  # Keras keeps the loss first, weighted by examples


def _not_finite(job: Job, epoch: int, batches: int) -> NotFiniteError:
    job.average()
    problem = first_problem(job.model, job.watch.batches)
    step = -(-batches // job.accumulate)
    place = f"`records.read(..., start=({epoch}, {batches - 1}))` begins with its examples"
    return NotFiniteError(
        f"The loss or a gradient is not finite in epoch {epoch + 1}, step {step} of "
        f"{job.num_steps}, batch {batches} of the pass ({ids(job.watch.batches) or place}). "
        f"{problem}. The weights are those from before this step. A smaller learning rate or "
        "`clip_norm` may help; `on_nan='skip'` leaves such steps out."
    )


def _words(logs: Logs) -> str:
    """Without the parts of metrics, such as "auc/Mass": they are in the history."""
    return ", ".join(f"{name} {value:.4f}" for name, value in logs.items() if "/" not in name)
