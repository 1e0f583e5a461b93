"""What pruning adds to a training step: tfpipe's callback, and tfmot's own wrappers on tf_keras.

    python scripts/bench_prune.py [--models lenet5 vgg] [--seconds 3] [--repeats 7]

Each is compared with the same training without pruning: in `tp.train.fit`, in Keras' `model.fit`,
and in tf_keras' `model.fit` with `tfmot.sparsity.keras.prune_low_magnitude`. All prune to 0.8 from
the first step on and renew their masks in every 100th step, as tfmot does by default; runs take
turns, on batches in memory, and the first epoch of each (tracing) is not counted. Medians of the
epochs' steps, and of each turn's ratio; of CPU time, too, which says more on a busy machine.
"""

import argparse
import contextlib
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import tfpipe as tp
from tfpipe.compress.tfmot import load_tfmot

tfmot = load_tfmot()
import tf_keras  # noqa: E402  (after tfpipe, which sees to tf.keras)

SHAPES = {"lenet5": (128, 32, 32, 1), "vgg": (64, 32, 32, 3)}
STEPS = 100  # in an epoch, so that each renews the masks once
LOSS = "sparse_categorical_crossentropy"
SIDES = ("tfpipe", "keras", "tf_keras")


def batches(name: str) -> tf.data.Dataset:
    """Noise, in memory."""
    size, *shape = SHAPES[name]
    rng = np.random.default_rng(0)
    x, y = rng.random((size * STEPS, *shape), np.float32), rng.integers(0, 10, size * STEPS)
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(size).cache()


def schedule() -> Any:
    """As often as tfmot renews masks by default."""
    return tfmot.sparsity.keras.ConstantSparsity(0.8, begin_step=0, frequency=STEPS)


def build(name: str, library: Any) -> Any:
    """The same model in Keras 3 and in tf_keras: LeNet-5, or a VGG of 1.4 million weights."""
    layers = library.layers
    stack = [layers.InputLayer(SHAPES[name][1:])]
    if name == "lenet5":
        for filters in (6, 16):
            stack += [layers.Conv2D(filters, 5, activation="tanh"), layers.AveragePooling2D(2)]
        units = (120, 84)
    else:
        for filters in (32, 64, 128):
            for _ in range(2):
                stack += [layers.Conv2D(filters, 3, padding="same", activation="relu")]
            stack += [layers.MaxPooling2D(2)]
        units = (512, 128)
    stack += [layers.Flatten(), *(layers.Dense(size, activation="relu") for size in units)]
    return library.Sequential([*stack, layers.Dense(10, activation="softmax")])


class Clock:
    """The seconds of each epoch, on the wall and of the CPU; a callback of both libraries."""

    def on_train_begin(self, logs: object = None) -> None:
        self.seconds: list[tuple[float, float]] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self.started = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        wall, cpu = self.started
        self.seconds.append((time.perf_counter() - wall, time.process_time() - cpu))


def make_run(name: str, side: str, pruned: bool, epochs: int) -> Callable[[], tuple[float, ...]]:
    """A function that trains, and returns the median seconds of a step, wall and CPU."""
    data = batches(name)
    if side == "tf_keras":
        fit = with_tf_keras(name, pruned, data)
    else:
        fit = with_keras_3(name, side, pruned, data)

    library = tf_keras if side == "tf_keras" else keras
    kind = type("Timed", (Clock, library.callbacks.Callback), {})

    def run() -> tuple[float, ...]:
        clock = kind()
        with contextlib.redirect_stderr(open(os.devnull, "w")):
            fit(clock, epochs)
        return tuple(statistics.median(t) / STEPS for t in zip(*clock.seconds[1:], strict=True))

    return run


def with_keras_3(name: str, side: str, pruned: bool, data: Any) -> Callable[[Any, int], Any]:
    """`tp.train.fit` or `model.fit`, with or without the callback."""
    model = build(name, keras)
    model.compile("adam", LOSS)

    def fit(clock: Any, epochs: int) -> Any:
        more = [tp.compress.Pruning(schedule=schedule())] if pruned else []
        if side == "tfpipe":
            return tp.train.fit(model, data, epochs=epochs, callbacks=[clock, *more])
        return model.fit(data, epochs=epochs, callbacks=[clock, *more], verbose=0)

    return fit


def with_tf_keras(name: str, pruned: bool, data: Any) -> Callable[[Any, int], Any]:
    """`model.fit` of tf_keras, with or without tfmot's wrappers."""
    model, more = build(name, tf_keras), []
    if pruned:
        model = tfmot.sparsity.keras.prune_low_magnitude(model, schedule())
        more = [tfmot.sparsity.keras.UpdatePruningStep()]
    model.compile("adam", LOSS)

    def fit(clock: Any, epochs: int) -> Any:
        return model.fit(data, epochs=epochs, callbacks=[clock, *more], verbose=0)

    return fit


def compare(name: str, seconds: float, repeats: int) -> None:
    """Prints a model's table."""
    runs = {}
    for side in SIDES:
        epoch_s = make_run(name, side, False, 2)()[0] * STEPS
        for pruned in (False, True):
            runs[side, pruned] = make_run(name, side, pruned, 2 + int(seconds / epoch_s))
    found: dict[tuple[str, bool], list[tuple[float, ...]]] = {key: [] for key in runs}
    for _ in range(repeats):
        for key, run in runs.items():
            found[key].append(run())
    rows = []
    for side in SIDES:
        turns = list(zip(found[side, False], found[side, True], strict=True))
        ratios = [statistics.median(p[n] / d[n] for d, p in turns) for n in (0, 1)]
        times = [statistics.median(turn[n][0] for turn in turns) * 1000 for n in (0, 1)]
        rows.append([side, *(f"{t:.2f}" for t in times), *(f"{ratio:.3f}" for ratio in ratios)])
    head = [name, "dense, ms/step", "pruned, ms/step", "ratio", "CPU ratio"]
    print(tp.report.text_table(head, rows), "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=tuple(SHAPES), default=tuple(SHAPES))
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--repeats", type=int, default=7)
    flags = parser.parse_args()
    for name in flags.models:
        compare(name, flags.seconds, flags.repeats)


if __name__ == "__main__":
    main()
