"""Two worker processes on this machine train as one process does, and survive each other."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[2]

JOB = """
import json, os, sys
import numpy as np
import tfpipe as tp
out, folder, kill_at = sys.argv[1], sys.argv[2] or None, int(sys.argv[3])
with tp.train.distribute(seed=1) as strategy:
    import keras, tensorflow as tf
    rng = np.random.default_rng(0)
    x, y = rng.random((37, 6), np.float32), rng.integers(0, 3, 37)
    inputs = keras.Input((6,))
    h = keras.layers.Dense(5, activation="tanh")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(h))
    train = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)

    class Kill(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == kill_at:
                os.kill(os.getpid(), 9)

    history = tp.train.fit(
        model, train, train.take(3), epochs=4, optimizer=keras.optimizers.SGD(0.5, momentum=0.9),
        loss="sparse_categorical_crossentropy", metrics=["accuracy"], accumulate=2,
        resume=folder, checkpoint_s=0, callbacks=[Kill()],
    )
np.savez(out + ".npz", *model.get_weights())
json.dump(history.history, open(out + ".json", "w"))
"""


def ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("localhost", 0))
    found = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return found


def start(out, folder="", kill_at=-1, cluster=None, index=0):
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if cluster:
        task = {"type": "worker", "index": index}
        environment["TF_CONFIG"] = json.dumps({"cluster": {"worker": cluster}, "task": task})
    command = [sys.executable, "-c", JOB, str(out), str(folder), str(kill_at)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def finish(*processes, timeout=240):
    found = [process.communicate(timeout=timeout)[1] for process in processes]
    for process, errors in zip(processes, found, strict=True):
        assert process.returncode == 0, errors[-3000:]
    return found


def outcome(out):
    with np.load(f"{out}.npz") as file:
        return [file[name] for name in file.files], json.loads(
            pathlib.Path(f"{out}.json").read_text()
        )


def assert_same(one, two):
    assert sorted(one[1]) == sorted(two[1])
    for name in one[1]:
        np.testing.assert_allclose(one[1][name], two[1][name], rtol=1e-5)
    for a, b in zip(one[0], two[0], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def cluster():
    return [f"localhost:{port}" for port in ports(2)]


def test_two_workers_are_one_process_and_the_chief_writes(tmp_path):
    both = cluster()
    workers = [start(tmp_path / f"w{i}", tmp_path / f"run{i}", -1, both, i) for i in range(2)]
    alone = start(tmp_path / "alone")
    errors = finish(*workers, alone)
    assert "training on 2 workers, as TF_CONFIG says" in errors[0]
    expected = outcome(tmp_path / "alone")
    for index in range(2):
        assert_same(outcome(tmp_path / f"w{index}"), expected)
    assert sorted(path.name for path in (tmp_path / "run0").iterdir()) == [
        *("checkpoints", "curves.png", "environment.json", "history.csv", "run.json")
    ]
    assert not (tmp_path / "run1").exists()


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_workers_that_are_started_again_go_on(tmp_path, victim):
    both = cluster()
    workers = [
        start(tmp_path / f"w{i}", tmp_path / "run", 1 if i == victim else -1, both, i)
        for i in range(2)
    ]
    workers[victim].communicate(timeout=240)
    assert workers[victim].returncode == -signal.SIGKILL
    workers[1 - victim].communicate(timeout=240)  # it ends by itself: its peer is gone
    assert workers[1 - victim].returncode != 0
    both = cluster()
    again = [start(tmp_path / f"w{i}", tmp_path / "run", -1, both, i) for i in range(2)]
    alone = start(tmp_path / "alone")
    finish(*again, alone)
    for index in range(2):
        assert_same(outcome(tmp_path / f"w{index}"), outcome(tmp_path / "alone"))
