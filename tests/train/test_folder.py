"""A training's folder: what reproduces the run, and what is refused there."""

import json
import re
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.train.stopped import TRAIN, Stop, classifier, interrupted, names
from tfpipe import ops, train
from tfpipe.errors import RequestError
from tfpipe.records import arrays, read, write
from tfpipe.train import folder


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        train.fit(*arguments, **options)
    return str(caught.value)


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
        ("cache", "cache of train=False and not True"),
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
            cache=changed == "cache",
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


def test_nothing_is_written_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train.fit(classifier(), TRAIN)
    assert names(tmp_path) == []


def test_a_csv_file_keeps_the_rows_before_the_epoch(tmp_path):
    file = tmp_path / "log.csv"
    file.write_text("loss;epoch\n0.3;0\n0.2;1\n0.1;2\n")
    table = keras.callbacks.CSVLogger(str(file), separator=";")
    assert folder.continued([table], 2) == [table]
    assert table.append
    assert file.read_text() == "loss;epoch\n0.3;0\n0.2;1\n"


def test_a_csv_file_of_a_training_that_begins_is_keras_affair(tmp_path):
    (tmp_path / "log.csv").write_text("another run's")
    table = keras.callbacks.CSVLogger(str(tmp_path / "log.csv"))
    folder.continued([table], 0)
    assert not table.append
