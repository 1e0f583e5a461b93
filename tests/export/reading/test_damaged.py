"""Files cut anywhere and files with changed bytes: an error that names the file, or a predictor.

Whether a changed weight is one cannot be told from the file; that a file that loads does not
crash this process is what counts, and that what comes out has the right shape.
"""

import pathlib
import shutil
import tempfile

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from tfpipe import export
from tfpipe.errors import DataError, RequestError

BYTES = st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255))
CHANGES = st.one_of(st.floats(0, 1, exclude_max=True), st.lists(BYTES, min_size=1, max_size=8))
# A TFLite file is tried in a process of its own, a fifth of a second each time.
QUICK = {"tflite": 12, "onnx": 20, "keras": 12, "saved_model": 4}


@pytest.fixture(scope="module")
def whole(files, trained, prepare, tmp_path_factory):
    """A file of each format; of the SavedModel, the folder."""
    folder = tmp_path_factory.mktemp("whole")
    trained.save(folder / "a.keras")
    return {
        "tflite": files["int8"],
        "onnx": export.to_onnx(trained, folder / "a.onnx", prepare=prepare),
        "keras": folder / "a.keras",
        "saved_model": export.to_saved_model(trained, folder / "a", prepare=prepare),
    }


def changed(data, change):
    """The bytes up to a share of them, or with some bytes, at shares of the length, replaced."""
    if isinstance(change, float):
        return data[: int(change * len(data))]
    data = bytearray(data)
    for share, value in change:
        data[int(share * len(data))] = value
    return bytes(data)


def check(source, change, folder):
    """Loads a changed copy, and runs it if it loads."""
    copy = folder / source.name
    if source.is_dir():
        shutil.copytree(source, copy)
        for name in ("saved_model.pb", "variables/variables.index"):
            (copy / name).write_bytes(changed((copy / name).read_bytes(), change))
    else:
        copy.write_bytes(changed(source.read_bytes(), change))
    predictor = outcome(DataError, lambda: export.load(copy))
    if isinstance(predictor, DataError):
        assert str(predictor).startswith(f"{copy}: ")
        assert len(str(predictor).splitlines()) == 1
        return
    inputs = np.ones((2, *predictor.input_shape), predictor.dtype)
    scores = outcome(RequestError, lambda: predictor.predict(inputs))
    if isinstance(scores, RequestError):
        assert str(scores).startswith(f"{predictor.name} cannot compute")
        return
    assert (len(scores), scores.dtype) == (2, np.float32)


def outcome(error, function):
    """What it returns, or the error of that kind that it raises."""
    try:
        return function()
    except error as raised:
        return raised


def fuzz(whole, format, number):
    @hypothesis.settings(max_examples=number, derandomize=True, database=None)
    @hypothesis.given(CHANGES)
    def load(change):
        with tempfile.TemporaryDirectory() as folder:
            check(whole[format], change, pathlib.Path(folder))

    load()


@pytest.mark.parametrize("format", QUICK)
def test_a_damaged_file_is_an_error_that_names_it(whole, format):
    fuzz(whole, format, QUICK[format])


@pytest.mark.slow
@pytest.mark.parametrize("format", QUICK)
def test_very_many_damaged_files(whole, format):
    fuzz(whole, format, 40 * QUICK[format])


@pytest.mark.parametrize("format", ["tflite", "onnx", "keras"])
@pytest.mark.parametrize("data", [b"", b"\0", b"PK\x03\x04" * 100, bytes(5000)])
def test_a_file_of_something_else_is_refused(whole, tmp_path, format, data):
    path = tmp_path / whole[format].name
    path.write_bytes(data)
    with pytest.raises(DataError):
        export.load(path)
