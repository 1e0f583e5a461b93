"""Steps per second of `tp.train.fit` beside Keras' `model.fit`, on the same model and data.

    python scripts/bench_train.py [--models lenet5 bilstm resnet50] [--seconds 4] [--repeats 7]

`model.fit` runs with its defaults, and with every pair of steps_per_execution and jit_compile
from the table; its best pair is what "best" means, and is timed once more beside `tp.train.fit`
and the defaults. "gradients alone" is a loop that does nothing else. All train in turn, on batches
in memory, each time as many epochs as take about --seconds; the first epoch (tracing) is not
counted. Medians and ratios are printed, then what clipping, metrics, NaN checks and checkpoints
cost in `tp.train.fit`.

    python scripts/bench_train.py --precision mixed_float16 --models resnet50-224

compares that precision with float32 on ResNet50 at 224x224, in examples per second.
"""

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

import tfpipe as tp

MODELS = ("lenet5", "bilstm", "resnet50", "resnet50-224")
KERAS = {"defaults": {}} | {
    f"steps {steps}, jit {jit}": {"steps_per_execution": steps, "jit_compile": jit}
    for steps in (20, 100)
    for jit in (False, True)
}


def make(name: str) -> tuple[keras.Model, tf.data.Dataset, int]:
    """The model, its batches, and how many examples are in one."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    if name == "lenet5":
        model, size, count = tp.models.lenet5(), 64, 100
        x = rng.random((size * count, 32, 32, 1), np.float32)
    elif name == "bilstm":
        words = keras.Input((64,), dtype="int32")
        h = keras.layers.Embedding(5000, 64)(words)
        h = keras.layers.Bidirectional(keras.layers.LSTM(64))(h)
        model = keras.Model(words, keras.layers.Dense(10, activation="softmax")(h))
        size, count = 32, 20
        x = rng.integers(0, 5000, (size * count, 64), np.int32)
    else:
        side = 224 if name.endswith("224") else 64
        model = keras.applications.ResNet50(weights=None, input_shape=(side, side, 3), classes=10)
        size, count = 32, 2
        x = rng.random((size * count, side, side, 3), np.float32)
    y = rng.integers(0, 10, len(x))
    return model, tf.data.Dataset.from_tensor_slices((x, y)).batch(size).cache().prefetch(2), size


class Clock(keras.callbacks.Callback):
    """The seconds of each epoch."""

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        self.seconds.append(time.perf_counter() - self.started)

    def on_train_begin(self, logs: object = None) -> None:
        self.seconds: list[float] = []


Run = Callable[[int], list[float]]


def with_keras(name: str, **compiled: object) -> Run:
    """A function of epochs to the seconds of each."""
    model, batches, _ = make(name)
    loss = "sparse_categorical_crossentropy"
    model.compile("adam", loss, metrics=["accuracy"], **compiled)

    def run(epochs: int) -> list[float]:
        clock = Clock()
        model.fit(batches, epochs=epochs, verbose=0, callbacks=[clock])
        return clock.seconds

    return run


def with_tfpipe(name: str, metrics: bool = True, **options: object) -> Run:
    """The same; every call traces anew, in an epoch that is not counted."""
    model, batches, _ = make(name)
    loss = "sparse_categorical_crossentropy"
    model.compile("adam", loss, metrics=["accuracy"] if metrics else [])

    def run(epochs: int) -> list[float]:
        clock = Clock()
        with contextlib.redirect_stderr(open(os.devnull, "w")), tempfile.TemporaryDirectory() as d:
            kept = {"resume": f"{d}/run"} if options.get("resume") else {}
            tp.train.fit(model, batches, epochs=epochs, callbacks=[clock], **{**options, **kept})
        return clock.seconds

    return run


def gradients_alone(name: str) -> Run:
    """No update, no metrics: what no loop is quicker than whose batches wait for each other."""
    model, batches, _ = make(name)
    loss = keras.losses.SparseCategoricalCrossentropy()

    @tf.function
    def repeat(iterator: object, count: tf.Tensor) -> tf.Tensor:
        """Each batch needs a number of every gradient before it, or TensorFlow leaves them out."""
        last = tf.constant(0.0)
        for _ in tf.range(count):
            x, y = next(iterator)
            with tf.GradientTape() as tape:
                value = loss(y, model(x + tf.cast(last, x.dtype), training=True))
            gradients = tape.gradient(value, model.trainable_variables)
            dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
            last = 1e-30 * tf.add_n([tf.reshape(gradient, [-1])[0] for gradient in dense])
        return last

    def run(epochs: int) -> list[float]:
        seconds = []
        for _ in range(epochs):
            started = time.perf_counter()
            repeat(iter(batches), tf.constant(len(batches))).numpy()
            seconds.append(time.perf_counter() - started)
        return seconds

    return run


def take_turns(runs: dict[str, Run], seconds: float, repeats: int) -> dict[str, float]:
    """The median seconds of an epoch, of the runs in turn."""
    epochs = {}
    for name, run in runs.items():
        epochs[name] = 2 + int(seconds / run(3)[-1])
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            found[name].append(statistics.median(run(epochs[name])[1:]))
    return {name: statistics.median(values) for name, values in found.items()}


def compare(name: str, flags: argparse.Namespace) -> None:
    """`fit` beside `model.fit`."""
    _, batches, size = make(name)
    runs = {"tfpipe": with_tfpipe(name), "gradients alone": gradients_alone(name)}
    chosen = (
        KERAS
        if not name.startswith("resnet")
        else {key: value for key, value in KERAS.items() if not value.get("jit_compile")}
    )  # XLA takes minutes to compile it, and then three times as long for a step
    runs |= {f"keras, {key}": with_keras(name, **options) for key, options in chosen.items()}
    found = take_turns(runs, flags.seconds, flags.repeats)
    ours, steps = found["tfpipe"], len(batches)
    rows = [
        [key, f"{steps / value:.1f}", f"{size * steps / value:,.0f}", f"{value / ours:.2f}"]
        for key, value in found.items()
    ]
    print(tp.report.text_table([name, "steps/s", "examples/s", "time / tfpipe's"], rows))
    best = min((key for key in found if key.startswith("keras")), key=lambda key: found[key])
    beside_best(runs, best, flags)


def beside_best(runs: dict[str, Run], best: str, flags: argparse.Namespace) -> None:
    """The best setting once more: the least of several noisy times was too low."""
    few = {key: runs[key] for key in ("tfpipe", best, "keras, defaults")}
    found = take_turns(few, flags.seconds, flags.repeats)
    ratios = [f"{found[key] / found['tfpipe']:.2f}" for key in (best, "keras, defaults")]
    print("Timed once more, tfpipe's speed over that of")
    print(f"Keras' best ({best.removeprefix('keras, ')}): {ratios[0]}; defaults: {ratios[1]}\n")


def overhead(name: str, flags: argparse.Namespace) -> None:
    """What the extras cost, together and one by one."""
    runs = {
        "bare": with_tfpipe(name, metrics=False, clip_norm=None),
        "clipping": with_tfpipe(name, metrics=False),
        "a metric": with_tfpipe(name, clip_norm=None),
        "checkpoints": with_tfpipe(name, metrics=False, clip_norm=None, resume=True),
        "all": with_tfpipe(name, resume=True),
    }
    found = take_turns(runs, flags.seconds, flags.repeats)
    rows = [[key, f"{value / found['bare']:.3f}"] for key, value in found.items()]
    print(tp.report.text_table([f"{name}: tp.train.fit", "time / bare"], rows), "\n")


def precisions(name: str, flags: argparse.Namespace) -> None:
    """A precision beside float32."""
    runs = {}
    for precision in ("float32", flags.precision):
        with tp.train.distribute(precision, seed=0):
            runs[precision] = with_tfpipe(name)
    found = take_turns(runs, flags.seconds, flags.repeats)
    _, batches, size = make(name)
    rows = [
        [key, f"{size * len(batches) / value:,.0f}", f"{found['float32'] / value:.2f}"]
        for key, value in found.items()
    ]
    print(tp.report.text_table([name, "examples/s", "speed / float32's"], rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS[:3])
    parser.add_argument("--precision", choices=("float32", "mixed_float16", "mixed_bfloat16"))
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--repeats", type=int, default=7)
    flags = parser.parse_args()
    for name in flags.models:
        if flags.precision:
            precisions(name, flags)
        else:
            compare(name, flags)
            overhead(name, flags)


if __name__ == "__main__":
    main()
