"""The bundle: whole or not at all, all of it right, and nothing below the bar in silence."""

import pathlib
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from tfpipe import export, ops, records
from tfpipe.cores import num_cores
from tfpipe.errors import RequestError
from tfpipe.export.bundling import ladder

ROOT = pathlib.Path(__file__).parents[3]
NAMES = [
    *("Use.kt", "Use.swift", "bundle.json", "chain.json", "float32.tflite", "int8.tflite"),
    *("labels.txt", "manifest.json", "model.onnx", "model_card.md", "profile.json", "profile.npz"),
    *("report.html", "report.json", "use.py"),
]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        export.bundle(*arguments, **options)
    return str(caught.value)


def pixels_of(manifest, split, prepare):
    batches = list(records.read(manifest, split, prepare.outside(), batch_size=64))
    return (np.concatenate([batch[n].numpy() for batch in batches]) for n in (0, 1))


def test_everything_is_in_the_folder_and_nothing_else(bundled):
    assert names(bundled.path) == NAMES
    assert sorted(bundled.files) == sorted(set(NAMES) - {"bundle.json", "model_card.md"})
    assert names(bundled.path.parent) == [bundled.path.name]


def test_the_files_are_scored_on_the_whole_split(bundled, trained, manifest, prepare):
    images, labels = pixels_of(manifest, "test", prepare)
    answers = trained.predict(images / np.float32(255), verbose=0).argmax(-1)
    head = bundled.report.reference
    assert head["num_examples"] == manifest.splits["test"].num_examples
    assert head["score"] == pytest.approx(accuracy_score(labels, answers))
    assert head["split"] == "test"
    assert [file.mode for file in bundled.report.files] == ["float32", "int8", "float32"]
    assert bundled.report.files[0].agreement == 1.0


def test_the_files_that_are_shipped_answer_as_their_rows_say(bundled, manifest, prepare):
    images, labels = pixels_of(manifest, "test", prepare)
    for row in bundled.report.files:
        given = export.load(bundled.path / row.path).predict(images).argmax(-1)
        assert accuracy_score(labels, given) == pytest.approx(row.score)


def test_the_chain_and_the_labels_come_back(bundled, prepare):
    assert ops.Chain.from_json(bundled.path / "chain.json") == prepare
    labels = "".join(f"{n}\n" for n in range(10))
    assert (bundled.path / "labels.txt").read_text() == labels
    for name in bundled.models:
        assert export.attached(bundled.path / name)["labels.txt"] == labels


def test_the_report_says_how_it_was_measured(bundled):
    measured = bundled.report.reference["measured"]
    assert measured["python"] == ".".join(map(str, sys.version_info[:3]))
    assert measured["cores"] == num_cores()
    assert bundled.report.reference["require"] == {"score_lost": 0.02}
    assert bundled.report.reference["takes"] == "uint8 (32, 32, 1)"


def test_the_page_has_its_sections(bundled):
    text = (bundled.path / "report.html").read_text(encoding="utf-8")
    headings = ["Files", "Size, latency and score", "Confusion matrix"]
    headings += ["Where a file leaves the model", "Wrong answers", "Training", "Intended use"]
    headings += ["Preprocessing", "How it was measured"]
    places = [text.index(f"<h2>{heading}</h2>") for heading in headings]
    assert places == sorted(places)
    assert "Not for clinical use." in text


def test_it_takes_the_place_of_a_bundle(bundled, trained, manifest, prepare, tmp_path, monkeypatch):
    shutil.copytree(bundled.path, tmp_path / "out")
    # Not even the page runs a file for a second time: it is made of the answers.
    monkeypatch.setattr(sys.modules["tfpipe.export.bundling.bundle"], "load", None)
    options = {"prepare": prepare, "formats": ["onnx"]}
    again = export.bundle(trained, manifest, tmp_path / "out", **options)
    assert again.models == ("model.onnx",)
    left = set(NAMES) - {"float32.tflite", "int8.tflite", "use.py", "Use.kt", "Use.swift"}
    assert names(tmp_path / "out") == sorted(left)


def test_it_takes_the_place_of_nothing_else(trained, manifest, prepare, tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    assert refused(trained, manifest, tmp_path, prepare=prepare) == (
        f"{str(tmp_path)!r} holds files that are not of a bundle. Choose an empty or a new folder."
    )
    assert names(tmp_path) == ["thesis.tex"]


def test_a_file_in_the_folder_s_place_is_refused(trained, manifest, prepare, tmp_path):
    (tmp_path / "out").write_text("x")
    said = refused(trained, manifest, tmp_path / "out", prepare=prepare)
    assert said == f"Expected {str(tmp_path / 'out')!r} to be a folder. It is a file."


def test_what_misses_the_bars_leaves_what_stood_there(
    bundled, trained, manifest, prepare, tmp_path
):
    shutil.copytree(bundled.path, tmp_path / "out")
    options = {"prepare": prepare, "formats": ["float32"], "require": {"score_lost": -0.5}}
    with pytest.raises(ladder.MissedError) as caught:
        export.bundle(trained, manifest, tmp_path / "out", **options)
    assert str(caught.value) == (
        "No file keeps the bars that stands for 'float32': float32.tflite: expected a score lost "
        "of at most -0.5. Received: 0.0000. Nothing was written."
    )
    assert export.load_bundle(tmp_path / "out").files == bundled.files
    assert names(tmp_path) == ["out"]


def test_a_conversion_that_is_refused_leaves_nothing(manifest, prepare, tmp_path):
    pixels = keras.Input((32, 32, 1))
    sines = keras.ops.sin(keras.layers.Flatten()(pixels))  # TFLite's SIN has no integer form
    model = keras.Model(pixels, keras.layers.Dense(10, activation="softmax")(sines))
    said = refused(model, manifest, tmp_path / "out", prepare=prepare, require={})
    assert "SIN" in said
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"formats": []},
            "Expected `formats` to be a list, such as ['int8', 'onnx']. Received: formats=[]",
        ),
        (
            {"formats": "int8"},
            "Expected `formats` to be a list, such as ['int8', 'onnx']. Received: formats='int8'",
        ),
        ({"formats": ["int9"]}, "Received: formats='int9'. Did you mean 'int8'?"),
        ({"split": "tst"}, "Received: split='tst'. Did you mean 'test'?"),
        ({"require": {"loss": 1}}, "Received: require='loss'"),
        (
            {"notes": {"Training": b"GIF89a"}},
            "Expected `notes['Training']` to be text, or a picture as PNG bytes. "
            "Received: note=b'GIF89a'",
        ),
    ],
)
def test_wrong_requests_are_refused_before_anything_is_written(
    trained, manifest, prepare, tmp_path, options, sentence
):
    said = refused(trained, manifest, tmp_path / "out", prepare=prepare, **options)
    assert said.endswith(sentence)
    assert names(tmp_path) == []


def test_a_model_with_other_classes_is_refused(manifest, prepare, tmp_path):
    pixels = keras.Input((32, 32, 1))
    model = keras.Model(pixels, keras.layers.Dense(3)(keras.layers.Flatten()(pixels)), name="three")
    assert refused(model, manifest, tmp_path / "out", prepare=prepare) == (
        "Expected a model with one score per class of 'digits', 10. Received: 'three', whose "
        "output has the shape (None, 3)."
    )


@pytest.fixture(scope="session")
def lopsided(digits):
    """A model that int8 cannot stand for: its channels have scales from 1 to 10,000.

    The next kernel has the inverse scales, so in float32 nothing is lost.
    """
    images, labels = digits
    pixels = keras.Input((32, 32, 1))
    hidden = keras.layers.Conv2D(8, 5, strides=3, activation="relu")(pixels)
    hidden = keras.layers.Conv2D(8, 3, activation="relu")(hidden)
    scores = keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(hidden))
    keras.utils.set_random_seed(0)
    model = keras.Model(pixels, scores, name="lopsided")
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(images[:1000] / np.float32(255), labels[:1000], epochs=5, verbose=0)
    first, second = model.layers[1], model.layers[2]
    scales = (10_000 ** (np.arange(8) / 7)).astype(np.float32)
    kernel, bias = first.get_weights()
    first.set_weights([kernel * scales, bias * scales])
    kernel, bias = second.get_weights()
    second.set_weights([kernel / scales[:, None], bias])
    return model


def test_the_ladder_is_climbed_and_it_is_said_everywhere(
    lopsided, manifest, prepare, tmp_path, capfd
):
    plain = keras.Model(lopsided.inputs, lopsided.outputs, name="lopsided")  # not compiled
    options = {"prepare": prepare, "formats": ["int8"], "require": {"agreement": 0.98}}
    made = export.bundle(plain, manifest, tmp_path / "out", **options)
    (name,) = made.models
    assert [path for path in names(made.path) if path.endswith(".tflite")] == [name]
    assert made.report.files[0].agreement >= 0.98
    stands = name.removesuffix(".tflite")
    tried = ladder.RUNGS[: ladder.RUNGS.index(stands) + 1]
    assert len(tried) > 2  # which one stands depends on the training
    missed = [file["path"] for file in made.report.reference["missed"]]
    assert missed == [f"{rung}.tflite" for rung in tried[:-1] if rung != "int8_qat"]
    (told,) = made.report.reference["instead"]
    assert told.startswith(f"Instead of int8 there is {stands}. What missed the bars: int8.tflite")
    assert "int8_qat: The model 'lopsided' is not compiled." in told
    printed = capfd.readouterr().err
    assert all(f". Trying {rung}.\n" in printed for rung in tried[1:])
    assert told in (tmp_path / "out" / "model_card.md").read_text(encoding="utf-8")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "int8.tflite" in page[page.index("Tried, and not in the bundle") :]


@pytest.mark.slow
def test_training_with_int8_in_mind_is_a_rung(
    trained, manifest, prepare, tmp_path, capfd, monkeypatch
):
    monkeypatch.setattr(ladder, "_missed", lambda file, require: "" if "qat" in file.path else "no")
    options = {"prepare": prepare, "formats": ["int8"]}
    made = export.bundle(trained, manifest, tmp_path / "out", **options)
    assert made.models == ("int8_qat.tflite",)
    assert made.report.files[0].mode == "int8"
    assert made.report.files[0].score_lost <= 0.02  # it may differ from the model, and be as good
    assert [file["path"] for file in made.report.reference["missed"]] == ["int8.tflite"]
    assert "no. Trying int8_qat.\n" in capfd.readouterr().err
    assert "int8_qat.tflite" in (made.path / "use.py").read_text()
    assert "labels.txt" in export.attached(made.path / "int8_qat.tflite")


KILLED = """
import importlib, os, signal, sys
import keras
from tfpipe import export, ops, records

def kill_after(name):
    module = importlib.import_module("tfpipe.export.bundling.bundle")
    work = getattr(module, name)
    def watched(*arguments, **options):
        work(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(module, name, watched)

path, model, data, step = sys.argv[1:]
kill_after(step)
prepare = ops.Chain([ops.Decode(channels=1), ops.Resize((32, 32)), ops.ToFloat()])
export.bundle(keras.models.load_model(model), records.load(data), path, prepare=prepare,
              formats=["float32"])
"""


@pytest.mark.parametrize("step", [pytest.param("write", marks=pytest.mark.slow), "seal"])
def test_a_process_that_is_killed_leaves_no_bundle(trained, manifest, tmp_path, step):
    trained.save(tmp_path / "model.keras")
    arguments = (tmp_path / "out" / "digits", tmp_path / "model.keras", manifest.path, step)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    (left,) = (tmp_path / "out").iterdir()  # what `files.leftovers` finds, and no bundle
    assert left.name.startswith(".digits-")
    assert left.suffix == ".part"
