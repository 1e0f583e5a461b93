"""SavedModel folders, run by TensorFlow: those of tfpipe, those of others, and damaged ones."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import export
from tfpipe.errors import DataError


@pytest.fixture(scope="module")
def folder(trained, prepare, tmp_path_factory):
    return export.to_saved_model(trained, tmp_path_factory.mktemp("a") / "model", prepare=prepare)


def copied(folder, tmp_path, **changed):
    """A copy with some files' first bytes only; None leaves the file out."""
    for file in (file for file in folder.rglob("*") if file.is_file()):
        share = changed.get(file.suffix[1:].partition("-")[0], 1)
        if share is not None:
            target = tmp_path / file.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    return tmp_path


def damaged(folder):
    with pytest.raises(DataError) as caught:
        export.load(folder)
    return str(caught.value)


def test_the_sparsity_is_that_of_the_kernels(trained, tmp_path):
    model = keras.models.clone_model(trained)
    model.set_weights(trained.get_weights())
    kernel = model.get_layer("dense1").kernel
    kernel.assign(np.zeros(kernel.shape))
    path = export.to_saved_model(model, tmp_path / "a")
    assert export.load(path).sparsity == export.from_keras(model).sparsity > 0.5


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"pb": 0.5}, "Cannot parse file"),
        ({"pb": None}, "SavedModel file does not exist at: "),
        ({"data": 0.999}, "Read less bytes than requested"),
        ({"data": None}, ""),
        ({"index": 0.5}, "not an sstable (bad magic number)"),
        ({"index": None}, "Unsuccessful TensorSliceReader constructor"),
    ],
)
def test_a_truncated_folder_is_refused(folder, tmp_path, changed, problem):
    path = copied(folder, tmp_path, **changed)
    assert damaged(path).startswith(f"{path}: TensorFlow cannot run it ({problem}")


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(bytes(1000))
    assert damaged(tmp_path).startswith(f"{tmp_path}: TensorFlow cannot run it (")


def test_a_saved_model_without_the_signature_is_refused(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path / "a"))
    assert damaged(tmp_path / "a") == (
        f"{tmp_path}/a: TensorFlow cannot run it (it has no signature 'serving_default')"
    )
