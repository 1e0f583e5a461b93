"""SavedModel folders, run by TensorFlow: those of tfpipe, those of others, and damaged ones."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import export
from tfpipe.errors import DataError, RequestError


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


def saved(path, function, *specs):
    module = tf.Module()
    module.f = tf.function(function, input_signature=specs)
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.f})
    return path


def test_any_names_and_kinds_of_examples(tmp_path):
    spec = tf.TensorSpec((None, 7, 3), tf.float32, "whatever")
    path = saved(tmp_path / "a", lambda whatever: {"anything": whatever * 2}, spec)
    predictor = export.load(path)
    assert (predictor.input_shape, predictor.dtype) == ((7, 3), "float32")
    examples = np.random.default_rng(0).random((40, 7, 3), np.float32)
    np.testing.assert_array_equal(predictor.predict(examples), examples * 2)


def test_tokens_are_int32_and_within_the_vocabulary(tmp_path):
    table = tf.random.stateless_uniform((10, 3), seed=(0, 0))

    def looked_up(x):
        return {"y": tf.reduce_mean(tf.gather(table, x), 1)}

    predictor = export.load(
        saved(tmp_path / "a", looked_up, tf.TensorSpec((None, 4), tf.int64, "x"))
    )
    tokens = np.array([[0, 1, 2, 9]], np.int32)
    expected = table.numpy()[tokens].mean(1)
    np.testing.assert_allclose(predictor.predict(tokens), expected, rtol=1e-6)
    with pytest.raises(RequestError) as caught:
        predictor.predict(tokens + 1)
    assert str(caught.value) == (
        "a cannot compute with these inputs (indices[0,3] = 10 is not in [0, 10))."
    )


def test_half_precision_gives_float32(tmp_path):
    path = saved(
        tmp_path / "a",
        lambda x: {"y": tf.cast(x, tf.float16) / 3},
        tf.TensorSpec((None, 4), tf.float32, "x"),
    )
    scores = export.load(path).predict(np.ones((2, 4), np.float32))
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, 1 / 3, atol=1e-3)


def test_a_folder_of_two_inputs_is_refused(tmp_path):
    spec = tf.TensorSpec((None, 4))
    path = saved(tmp_path / "a", lambda a, b: {"y": a + b}, spec, spec)
    assert damaged(path) == (
        f"{path}: expected one input, a batch of images, sequences, tokens or features, and one "
        "output, found inputs of (None, 4) and (None, 4) and outputs of (None, 4)"
    )


def test_a_graph_that_fails_whatever_goes_in_is_refused(tmp_path):
    def fails(x):
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_sum(x) < -1, ["never"])]):
            return {"y": x * 1}

    path = saved(tmp_path / "a", fails, tf.TensorSpec((None, 4), tf.float32, "x"))
    assert damaged(path).startswith(
        f"{path}: it does not run: a cannot compute with these inputs ("
    )
