"""attach() and attached(): texts inside every format, which its runtime still runs."""

import json
import shutil
import zipfile

import keras
import numpy as np
import onnx
import pytest

import tfpipe
from tfpipe import export, models, ops
from tfpipe.errors import DataError, RequestError

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 1), np.uint8)
LABELS = "zero\neins\ntvå\n"
FORMATS = {
    "a.tflite": (export.to_tflite, "tensorflow"),
    "a.onnx": (export.to_onnx, "tf2onnx"),
    "folder": (export.to_saved_model, "tensorflow"),
    "a.keras": (export.to_keras, "keras"),
}


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return models.lenet5()


@pytest.fixture(scope="module")
def made(model, prepare, tmp_path_factory):
    """A folder with a file of each format, which tests must not change."""
    folder = tmp_path_factory.mktemp("made")
    for name, (write, _) in FORMATS.items():
        write(model, folder / name, prepare=prepare)
    return folder


def copied(source, target):
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)
    return target


@pytest.fixture(params=FORMATS)
def path(request, made, tmp_path):
    return copied(made / request.param, tmp_path / request.param)


def test_every_file_tells_how_it_was_made(path, prepare, tmp_path):
    told = json.loads(export.attached(path)["tfpipe.json"])
    chain = told.pop("chain")
    package, version = told.pop("converter").split()
    assert told == {"mode": "float32", "tfpipe": tfpipe.__version__}
    assert package == FORMATS[path.name][1]
    assert version.count(".") == 2
    (tmp_path / "chain.json").write_text(json.dumps(chain))
    assert ops.Chain.from_json(tmp_path / "chain.json") == prepare


def test_what_is_attached_is_read_and_the_file_still_runs(path, tmp_path):
    before = export.load(path).predict(PIXELS)
    assert export.attach(path, {"labels.txt": LABELS, "note.md": "first"}) == path
    export.attach(path, {"note.md": "second"})
    found = export.attached(path)
    assert (found["labels.txt"], found["note.md"]) == (LABELS, "second")
    assert sorted(found) == ["labels.txt", "note.md", "tfpipe.json"]
    np.testing.assert_array_equal(export.load(path).predict(PIXELS), before)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_requests_for_tensorflow_serving_are_no_text_and_stay(made, tmp_path):
    path = copied(made / "folder", tmp_path / "folder")
    warmup = path / "assets.extra/tf_serving_warmup_requests"
    warmup.write_bytes(b"\x81\xff")
    export.attach(path, {"note.md": "first"})
    assert sorted(export.attached(path)) == ["note.md", "tfpipe.json"]
    assert warmup.read_bytes() == b"\x81\xff"
    export.load(path)


def test_without_a_chain_there_is_none(model, tmp_path):
    path = export.to_keras(model, tmp_path / "a.keras")
    assert json.loads(export.attached(path)["tfpipe.json"])["chain"] is None


def test_each_format_has_its_own_place(made, tmp_path):
    paths = {
        name: export.attach(copied(made / name, tmp_path / name), {"labels.txt": LABELS})
        for name in FORMATS
    }
    with zipfile.ZipFile(paths["a.tflite"]) as archive:
        assert archive.read("labels.txt").decode() == LABELS
    with zipfile.ZipFile(paths["a.keras"]) as archive:
        assert archive.read("assets.extra/labels.txt").decode() == LABELS
    props = {entry.key: entry.value for entry in onnx.load(paths["a.onnx"]).metadata_props}
    assert props["labels.txt"] == LABELS
    assert (paths["folder"] / "assets.extra" / "labels.txt").read_text("utf-8") == LABELS


def test_bytes_do_not_depend_on_the_hour(made, model, prepare, tmp_path):
    again = export.to_tflite(model, tmp_path / "a.tflite", prepare=prepare)
    assert again.read_bytes() == (made / "a.tflite").read_bytes()


@pytest.mark.parametrize("name", ["", "..", "a/b.txt", "/labels.txt"])
def test_a_name_that_is_none_of_a_file_is_refused(made, name):
    with pytest.raises(RequestError) as caught:
        export.attach(made / "a.tflite", {name: "text"})
    assert str(caught.value) == (
        f"Expected the names of files, without folders. Received: name={name!r}"
    )


@pytest.mark.parametrize("function", [lambda path: export.attach(path, {}), export.attached])
def test_what_is_no_model_file_is_refused(tmp_path, function):
    with pytest.raises(RequestError) as caught:
        function(tmp_path / "a.tflite")
    assert str(caught.value) == (f"Expected a model file. There is no file '{tmp_path}/a.tflite'.")
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(RequestError) as caught:
        function(tmp_path / "a.txt")
    assert str(caught.value) == (
        "Expected a SavedModel's folder, or a file that ends in '.tflite', '.onnx' or '.keras'. "
        f"Received: path='{tmp_path}/a.txt'"
    )


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a.tflite", "not a TFLite file: its bytes 4 to 8 are not TFL3"),
        ("a.onnx", "not a whole ONNX file"),
        ("a.keras", "not a whole zip archive, as .keras files are"),
    ],
)
def test_a_file_of_another_kind_is_refused_and_stays(tmp_path, name, problem):
    path = tmp_path / name
    path.write_bytes(b"\xff" * 100)
    for function in (lambda: export.attach(path, {"a.txt": ""}), lambda: export.attached(path)):
        with pytest.raises(DataError, match=problem):
            function()
    assert path.read_bytes() == b"\xff" * 100
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
