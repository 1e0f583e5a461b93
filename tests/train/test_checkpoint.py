"""A training that is killed at any moment, and started again, ends as if nothing had happened."""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.train.stopped import TRAIN, Stop, X, Y, classifier, interrupted, names
from tfpipe import ops, train
from tfpipe.errors import DataError
from tfpipe.files import leftovers
from tfpipe.train import checkpoint

ROOT = pathlib.Path(__file__).parents[2]

# A model with dropout and batch statistics, a schedule, early stopping, a reduced rate, a CSV
# file, and records in an order of (seed, epoch) with an augmentation.
JOB = """
import sys
import keras, numpy as np, tensorflow as tf
import tfpipe as tp
tf.config.experimental.enable_op_determinism()
out, records, kind, kill_at = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])

rng = np.random.default_rng(0)
images, labels = rng.integers(0, 255, (90, 8, 8, 1), np.uint8), rng.integers(0, 3, 90)
try:
    manifest = tp.records.load(records)
except Exception:
    manifest = tp.records.write(
        tp.records.arrays(images, labels, split=(0.8, 0.2, 0.0), name="noise"), records
    )
prepare = tp.ops.Chain([tp.ops.Decode(channels=1), tp.ops.RandomAffine(), tp.ops.ToFloat()])

def read(epoch, batch):
    return tp.records.read(
        manifest, "train", prepare, batch_size=8, shuffle_seed=3, start=(epoch, batch)
    )

train = {
    "records": lambda: read(0, 0),
    "function": lambda: read,
    "plain": lambda: tf.data.Dataset.from_tensor_slices(
        (images[:70].astype("float32") / 255, labels[:70])
    ).shuffle(70, seed=5).batch(8),
}[kind]()
val = tp.records.read(manifest, "val", prepare.inference(), batch_size=8)

class Kill(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        import os, signal
        self.count = getattr(self, "count", 0) + 1
        if self.count == kill_at:
            print("killed", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

with tp.train.distribute(sys.argv[5] if len(sys.argv) > 5 else "float32", seed=1):
    x = keras.Input((8, 8, 1))
    h = keras.layers.Flatten()(x)
    h = keras.layers.Dropout(0.3)(keras.layers.BatchNormalization()(keras.layers.Dense(9)(h)))
    h = keras.layers.GaussianNoise(0.1)(h)
    model = keras.Model(x, keras.layers.Dense(3, activation="softmax", dtype="float32")(h))
    history = tp.train.fit(
        model, train, val, epochs=6, optimizer=keras.optimizers.Adam(0.03),
        loss="sparse_categorical_crossentropy", metrics=["accuracy"],
        callbacks=[
            keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True),
            keras.callbacks.ReduceLROnPlateau("val_loss", patience=0, factor=0.5),
            keras.callbacks.CSVLogger(out + ".csv"),
            Kill(),
        ],
        steps_per_call=2, accumulate=1, resume=out, checkpoint_s=0,
    )
np.savez(out + ".npz", *[v.numpy() for v in model.variables + model.optimizer.variables])
import json
json.dump([history.history, history.epoch], open(out + ".json", "w"))
"""


def job(out, records, kind="records", kill_at=-1, *more):
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(
        [sys.executable, "-c", JOB, str(out), str(records), kind, str(kill_at), *more],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def outcome(out):
    with np.load(f"{out}.npz") as file:
        arrays = [file[name] for name in file.files]
    return arrays, json.loads(pathlib.Path(f"{out}.json").read_text())


def finished(out, *arguments):
    done = job(out, *arguments)
    assert done.returncode == 0, done.stderr[-3000:]
    return outcome(out)


def assert_equal_to_the_bit(one, two):
    assert one[1] == two[1]
    for a, b in zip(one[0], two[0], strict=True):
        np.testing.assert_array_equal(a, b)


def killed_and_finished(out, records, kind, kills, *more):
    for kill_at in kills:
        done = job(out, records, kind, kill_at, *more)
        assert done.returncode == -signal.SIGKILL, done.stderr[-3000:]
    return finished(out, records, kind, -1, *more)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return tmp_path_factory.mktemp("records") / "noise"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, records):
    return finished(tmp_path_factory.mktemp("undisturbed") / "run", records)


def test_killed_in_a_later_epoch(tmp_path, records, undisturbed):
    found = killed_and_finished(tmp_path / "run", records, "records", [13])
    assert_equal_to_the_bit(found, undisturbed)
    rows = (tmp_path / "run.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", *"012345"]
    assert names(tmp_path / "run") == [
        *("chain.json", "checkpoints", "curves.png"),
        *("environment.json", "history.csv", "run.json"),
    ]
    assert ops.Chain.from_json(tmp_path / "run" / "chain.json") == ops.Chain(
        [ops.Decode(channels=1), ops.RandomAffine(), ops.ToFloat()]
    )
    assert len(names(tmp_path / "run" / "checkpoints")) == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["records", "function", "plain"])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_killed_at_random_calls(tmp_path, records, kind, precision):
    expected = finished(tmp_path / "undisturbed", records, kind, -1, precision)
    kills = sorted(random.Random(f"{kind} {precision}").sample(range(1, 29), 3))
    found = killed_and_finished(tmp_path / "run", records, kind, kills, precision)
    assert_equal_to_the_bit(found, expected)


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path, records, undisturbed):
    """While it starts, traces, trains, writes: whenever it comes."""
    out, draw = tmp_path / "run", random.Random(0)
    command = [sys.executable, "-c", JOB, str(out), str(records), "records", "-1"]
    started = time.monotonic()
    finished(tmp_path / "timed", records)
    whole_s = time.monotonic() - started
    kills = 0
    while kills < 6:
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
            try:
                process.wait(timeout=whole_s * draw.uniform(0.2, 1.0))
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
                continue
        assert process.returncode == 0
        shutil.rmtree(out)  # it was over too soon, as the machine is less busy now: from the start
        whole_s *= 0.8
    assert_equal_to_the_bit(finished(out, records), undisturbed)


def test_a_finished_training_is_not_repeated(tmp_path):
    model = classifier()
    history = train.fit(model, TRAIN, epochs=2, resume=tmp_path / "run")
    model_again = classifier()
    found = train.fit(model_again, TRAIN, epochs=2, resume=tmp_path / "run")
    assert (found.history, found.epoch) == (history.history, history.epoch)
    for a, b in zip(model.get_weights(), model_again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_damaged_checkpoint_is_named(tmp_path):
    interrupted(tmp_path / "run", epochs=3)
    for file in (tmp_path / "run" / "checkpoints").iterdir():
        file.write_bytes(file.read_bytes()[:-99])
    with pytest.raises(DataError, match=r"npz: not a whole checkpoint \(.+\); delete it$"):
        train.fit(classifier(), TRAIN, epochs=3, callbacks=[Stop(99)], resume=tmp_path / "run")


def test_what_a_killed_writer_left_is_removed(tmp_path):
    interrupted(tmp_path / "run", epochs=3)
    (tmp_path / "run" / "checkpoints" / ".x.npz-12345678.part").mkdir()
    train.fit(classifier(), TRAIN, epochs=3, callbacks=[Stop(99)], resume=tmp_path / "run")
    assert leftovers(tmp_path / "run" / "checkpoints") == []


def test_replicas_go_on_to_the_bit(tmp_path, two_devices):
    def made():
        with two_devices.scope():
            x = keras.Input((6,))
            h = keras.layers.BatchNormalization()(keras.layers.Dense(5)(x))
            h = keras.layers.Dropout(0.2, seed=1)(h)
            return keras.Model(x, keras.layers.Dense(3, activation="softmax", name="head")(h))

    def trained(path, stop):
        keras.utils.set_random_seed(1)
        model = made()
        options = {"epochs": 2, "resume": path, "checkpoint_s": 0, "steps_per_call": 2}
        history = train.fit(model, TRAIN, TRAIN, callbacks=[Stop(stop)], **options)
        return model.get_weights(), history.history

    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "run", 2)
    found, expected = trained(tmp_path / "run", 99), trained(tmp_path / "other", 99)
    assert found[1] == expected[1]
    for a, b in zip(found[0], expected[0], strict=True):
        np.testing.assert_array_equal(a, b)


class Draws(keras.callbacks.Callback):
    """Counts its calls in a variable, and remembers the random numbers that it draws."""

    def on_train_begin(self, logs=None):
        self.drawn, self.variables = [], [tf.Variable(0)]

    def on_train_batch_end(self, batch, logs=None):
        self.variables[0].assign_add(1)
        self.drawn.append([random.random(), np.random.random()])


def drawing(path, stop, dataset, **options):
    """All that a training leaves behind that draws from every generator there is."""
    inner, draws = classifier(), Draws()
    x = keras.Input((6,))
    noise = keras.layers.Lambda(lambda x: x + keras.random.normal(keras.ops.shape(x)))
    model = keras.Model(x, inner(noise(x)))
    scaled = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.1, momentum=0.9), initial_scale=8.0, dynamic_growth_steps=2
    )
    options |= {"optimizer": scaled, "loss": "sparse_categorical_crossentropy"}
    options |= {"resume": path, "checkpoint_s": 0, "steps_per_call": 1, "epochs": 2}
    history = train.fit(model, dataset, callbacks=[draws, Stop(stop)], **options)
    variables = [*model.weights, *scaled.variables, *draws.variables]
    return [variable.numpy() for variable in variables], [history.history, draws.drawn]


@pytest.mark.parametrize(
    "options", [{"accumulate": 2}, {"on_nan": "skip"}], ids=["groups", "skipped"]
)
def test_generators_loss_scale_groups_and_counters_go_on(tmp_path, options):
    x = np.where(np.arange(40)[:, None] == 3, np.nan, X) if "on_nan" in options else X
    dataset = tf.data.Dataset.from_tensor_slices((x.astype(np.float32), Y)).batch(8)
    with pytest.raises(KeyboardInterrupt):
        drawing(tmp_path / "run", 3, dataset, **options)
    found = drawing(tmp_path / "run", 99, dataset, **options)
    assert_equal_to_the_bit(found, drawing(tmp_path / "other", 99, dataset, **options))


class StopsEarly(keras.callbacks.Callback):
    """Stops after the second epoch, and is killed before the training says that it is over."""

    def __init__(self, *, killed):
        super().__init__()
        self.killed = killed

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch == 1

    def on_train_end(self, logs=None):
        if self.killed:
            raise KeyboardInterrupt


def test_a_training_that_was_to_stop_does_not_go_on(tmp_path):
    options = {"epochs": 5, "resume": tmp_path / "run", "checkpoint_s": 0}
    with pytest.raises(KeyboardInterrupt):
        train.fit(classifier(), TRAIN, callbacks=[StopsEarly(killed=True)], **options)
    found = train.fit(classifier(), TRAIN, callbacks=[StopsEarly(killed=False)], **options)
    assert found.epoch == [0, 1]


def test_a_full_disk_is_told_and_leaves_no_part_of_a_checkpoint(tmp_path, monkeypatch):
    def full(file, **arrays):
        file.write(b"the first bytes")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.np, "savez", full)
    with pytest.raises(OSError, match="No space left on device"):
        train.fit(classifier(), TRAIN, resume=tmp_path / "run", checkpoint_s=0)
    assert names(tmp_path / "run" / "checkpoints") == []


def keeper_of(folder, every_s):
    model = classifier()
    model.compile("sgd", "mse")
    (folder / "checkpoints").mkdir()
    return checkpoint.Keeper(model, [], [], at=(0, 0), folder=folder, every_s=every_s)


def test_the_training_does_not_wait_for_the_disk(tmp_path, monkeypatch):
    goes_on, written = threading.Event(), []

    def slow(path, arrays):
        assert goes_on.wait(timeout=10)
        written.append(path.name)
        return 0.0

    monkeypatch.setattr(checkpoint, "_write", slow)
    keeper = keeper_of(tmp_path, every_s=0)
    keeper.reached(1, 2)
    assert written == []
    goes_on.set()
    keeper.close()
    assert written == ["0000000001-0000000002.npz"]


@pytest.mark.parametrize(
    ("passed_s", "cost_s", "taken"),
    [(29, 0.0, False), (31, 0.0, True), (99, 1.0, False), (101, 1.0, True)],
)
def test_checkpoints_take_a_hundredth_of_the_time_at_most(tmp_path, passed_s, cost_s, taken):
    keeper = keeper_of(tmp_path, every_s=30.0)
    keeper.read_s, keeper.write_s = cost_s / 4, cost_s * 3 / 4
    keeper.last_s -= passed_s
    keeper.reached(1, 0)
    keeper.close()
    assert bool(names(tmp_path / "checkpoints")) is taken


def test_metrics_that_keras_builds_late_go_on_to_the_bit(tmp_path):
    dataset = tf.data.Dataset.from_tensor_slices((X, np.eye(3, dtype=np.float32)[Y])).batch(8)

    def options():
        made = [keras.metrics.R2Score(), keras.metrics.F1Score("macro")]
        return {"loss": "categorical_crossentropy", "metrics": made, "epochs": 2}

    interrupted(tmp_path / "run", None, dataset, **options())
    run = {"resume": tmp_path / "run", "steps_per_call": 2, "callbacks": [Stop(99)]}
    found = train.fit(classifier(), dataset, **run, **options())
    whole = train.fit(classifier(), dataset, steps_per_call=2, **options())
    assert found.history == whole.history
