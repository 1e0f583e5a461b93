"""A training that is killed at any moment, and started again, ends as if nothing had happened."""

import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import ops, train
from tfpipe.errors import DataError, RequestError
from tfpipe.files import leftovers
from tfpipe.records import arrays, read, write

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


def names(folder):
    return sorted(path.name for path in folder.iterdir())


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
    for _ in range(8):
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
            try:
                process.wait(timeout=whole_s * draw.uniform(0.2, 1.0))
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
    assert kills >= 4
    assert_equal_to_the_bit(finished(out, records), undisturbed)


X = np.random.default_rng(0).random((40, 6), np.float32)
Y = (X[:, 0] * 3).astype(np.int64)
TRAIN = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)


def classifier(units=5, name="small"):
    keras.utils.set_random_seed(1)
    x = keras.Input((6,))
    h = keras.layers.Dense(units, activation="tanh", name="hidden")(x)
    return keras.Model(x, keras.layers.Dense(3, activation="softmax", name="head")(h), name=name)


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        train.fit(*arguments, **options)
    return str(caught.value)


class Stop(keras.callbacks.Callback):
    """Ends the process' part, as a kill would, at a call of the graph."""

    def __init__(self, at=2):
        super().__init__()
        self.at, self.calls = at, 0

    def on_train_batch_end(self, batch, logs=None):
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt


def interrupted(path, model=None, dataset=TRAIN, **options):
    with pytest.raises(KeyboardInterrupt):
        train.fit(
            model or classifier(),
            dataset,
            resume=path,
            checkpoint_s=0,
            steps_per_call=2,
            callbacks=[Stop()],
            **options,
        )


def test_a_finished_training_is_not_repeated(tmp_path):
    model = classifier()
    history = train.fit(model, TRAIN, epochs=2, resume=tmp_path / "run")
    model_again = classifier()
    found = train.fit(model_again, TRAIN, epochs=2, resume=tmp_path / "run")
    assert (found.history, found.epoch) == (history.history, history.epoch)
    for a, b in zip(model.get_weights(), model_again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_folder_holds_what_reproduces_the_run(tmp_path):
    keras.utils.set_random_seed(1)
    history = train.fit(classifier(), TRAIN, epochs=2, resume=tmp_path / "run", clip_norm=0.5)
    settings = json.loads((tmp_path / "run" / "run.json").read_text())["settings"]
    assert settings["clip_norm"] == 0.5
    assert settings["weights[0]"] == "kernel (6, 5) float32"
    assert settings["batches of train"] == 5
    assert settings["optimizer"]["learning_rate"] == pytest.approx(0.001)
    facts = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert facts["packages"]["tensorflow"] == tf.__version__
    assert facts["packages"]["keras"] == keras.__version__
    assert facts["seed"] == 1
    assert facts["command"] == sys.argv
    assert (tmp_path / "run" / "curves.png").read_bytes()[1:4] == b"PNG"
    head, *rows = (tmp_path / "run" / "history.csv").read_text().splitlines()
    assert head == "epoch,accuracy,loss"
    values = [[float(cell) for cell in row.split(",")] for row in rows]
    assert values == [
        [epoch, *(history.history[name][epoch] for name in ("accuracy", "loss"))]
        for epoch in range(2)
    ]


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (
            {"model": classifier(units=4)},
            "weights[0]='kernel (6, 5) float32' and not 'kernel (6, 4)",
        ),
        ({"model": classifier(name="other")}, "model='small' and not 'other'"),
        ({"dataset": TRAIN.take(4)}, "batches of train=5 and not 4"),
        ({"dataset": TRAIN.map(lambda x, y: (x, y, y))}, "spec of train="),
        ({"epochs": 7}, "epochs=3 and not 7"),
        ({"clip_norm": None}, "clip_norm=1.0 and not None"),
        ({"callbacks": []}, "callbacks=['Stop'] and not []"),
        ({"optimizer": "sgd"}, "optimizer={"),
    ],
    ids=["weights", "model", "batches", "spec", "epochs", "clip_norm", "callbacks", "optimizer"],
)
def test_a_checkpoint_of_something_else_is_refused(tmp_path, change, difference):
    interrupted(tmp_path / "run", epochs=3)
    options = {"epochs": 3, "callbacks": [Stop()], **change}
    model, dataset = options.pop("model", classifier()), options.pop("dataset", TRAIN)
    sentence = refused(model, dataset, resume=tmp_path / "run", **options)
    assert f"holds a run with other settings: {difference}" in sentence
    assert sentence.endswith("Choose another folder, or delete it to begin anew.")


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("records", "sha256 of train="),
        ("prepare", "prepare of train='Chain([Decode(channels=1), ToFloat()])' and not 'Chain(["),
        ("shuffle_seed", "shuffle_seed of train=3 and not 4"),
    ],
)
def test_other_records_or_another_chain_are_refused(tmp_path, change, difference):
    def batches(changed):
        greys = np.full((16, 2, 3, 1), 9 if changed == "records" else 8, np.uint8)
        source = arrays(greys, np.arange(16) % 3, split=(1.0,), name="greys")
        chain = [ops.Decode(channels=1), ops.ToFloat()]
        if changed == "prepare":
            chain.insert(1, ops.RandomFlip())
        return read(
            write(source, tmp_path / f"records {changed}"),
            "train",
            ops.Chain(chain),
            batch_size=4,
            shuffle_seed=4 if changed == "shuffle_seed" else 3,
        )

    def model():
        flat = keras.layers.Flatten()(x := keras.Input((2, 3, 1)))
        return keras.Model(x, keras.layers.Dense(3, activation="softmax")(flat))

    out = tmp_path / "run"
    train.fit(model(), batches("nothing"), epochs=1, resume=out)
    sentence = refused(model(), batches(change), epochs=1, resume=out)
    assert difference in sentence


def test_files_of_something_else_are_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert refused(classifier(), TRAIN, resume=tmp_path) == (
        f"'{tmp_path}' holds files that are not of a run. Choose an empty or a new folder."
    )


@pytest.mark.parametrize("place", ["/proc/run", "a file/run"])
def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path, place):
    (tmp_path / "a file").write_text("")
    path = tmp_path / place  # an absolute path stays what it is
    assert re.fullmatch(
        rf"Expected `resume` to be a folder that can be written to. Received: resume='{path}' "
        r"\(.+\)",
        refused(classifier(), TRAIN, resume=path),
    )


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


def test_nothing_is_written_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train.fit(classifier(), TRAIN)
    assert names(tmp_path) == []
