"""A bundle on disk: it comes back as it was, and nothing in it may have changed."""

import hashlib
import json
import shutil

import pytest

from tfpipe import export
from tfpipe.errors import DataError, RequestError


@pytest.fixture
def copy(bundled, tmp_path):
    """A bundle that may be damaged."""
    return shutil.copytree(bundled.path, tmp_path / "copy")


def test_it_comes_back_as_it_was(bundled):
    assert export.load_bundle(bundled.path) == bundled
    assert export.load_bundle(str(bundled.path)) == bundled


def test_the_sums_are_those_of_the_files(bundled):
    for name, sha256 in bundled.files.items():
        assert hashlib.sha256((bundled.path / name).read_bytes()).hexdigest() == sha256


def test_it_names_its_models_and_classes(bundled):
    assert bundled.models == ("float32.tflite", "int8.tflite", "model.onnx")
    assert bundled.class_names == tuple("0123456789")


def test_it_prints_as_the_table_and_what_there_is(bundled):
    *table, last = str(bundled).splitlines()
    assert table == str(bundled.report).splitlines()
    assert last.startswith(f"{len(bundled.files)} files, ")
    assert last.endswith(f" kB, in {bundled.path}")


def test_a_person_may_fill_in_the_card_and_add_files(copy):
    (copy / "model_card.md").write_text("Licence: mine.")
    (copy / "README.md").write_text("more")
    assert export.load_bundle(copy).models == ("float32.tflite", "int8.tflite", "model.onnx")


@pytest.mark.parametrize("name", ["int8.tflite", "labels.txt", "report.json", "chain.json"])
def test_a_file_that_changed_is_named(copy, name):
    data = (copy / name).read_bytes()
    (copy / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(DataError) as caught:
        export.load_bundle(copy)
    old, new = (hashlib.sha256(d).hexdigest()[:12] for d in (data, (copy / name).read_bytes()))
    assert str(caught.value) == (
        f"{copy / name}: changed since the bundle was written: expected SHA-256 {old}…, "
        f"found {new}…"
    )


def test_a_file_that_is_gone_is_named(copy):
    (copy / "model.onnx").unlink()
    with pytest.raises(DataError) as caught:
        export.load_bundle(copy)
    assert str(caught.value) == (
        f"{copy / 'model.onnx'}: the bundle lists this file, and it is not there"
    )


def test_another_folder_is_no_bundle(tmp_path):
    with pytest.raises(RequestError) as caught:
        export.load_bundle(tmp_path)
    assert str(caught.value) == (
        f"Expected a bundle's folder. There is no file {str(tmp_path / 'bundle.json')!r}."
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 1, "files": 3}'])
def test_a_damaged_list_is_refused(copy, text):
    (copy / "bundle.json").write_text(text)
    with pytest.raises(DataError, match=r"bundle\.json: not the list of a bundle's files \("):
        export.load_bundle(copy)


def test_another_format_is_refused(copy):
    (copy / "bundle.json").write_text(json.dumps({"format": 2, "files": {}}))
    with pytest.raises(DataError, match="expected a bundle of format 1, found 2"):
        export.load_bundle(copy)
