"""ONNX files, run by ONNX Runtime: those of tfpipe, those of others, and those that are none."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import export
from tfpipe.errors import DataError

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (40, 32, 32, 1), np.uint8)


@pytest.fixture(scope="module")
def file(trained, prepare, tmp_path_factory):
    return export.to_onnx(trained, tmp_path_factory.mktemp("a") / "a.onnx", prepare=prepare)


def damaged(path):
    with pytest.raises(DataError) as caught:
        export.load(path)
    return str(caught.value)


def written(path, function, *shapes):
    """A file of any function, by way of tf2onnx itself."""
    import tf2onnx

    specs = [tf.TensorSpec(shape) for shape in shapes]
    tf2onnx.convert.from_function(tf.function(function), specs, opset=18, output_path=str(path))
    return path


def test_the_sparsity_is_read_from_the_file(trained, prepare, tmp_path):
    model = keras.models.clone_model(trained)
    model.set_weights(trained.get_weights())
    kernel = model.get_layer("dense1").kernel
    kernel.assign(np.zeros(kernel.shape))
    path = export.to_onnx(model, tmp_path / "a.onnx", prepare=prepare)
    assert export.load(path).sparsity == export.from_keras(model, prepare).sparsity > 0.5


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_a_truncated_file_is_refused(file, tmp_path, share):
    data = file.read_bytes()
    path = tmp_path / "a.onnx"
    path.write_bytes(data[: int(share * len(data))])
    assert damaged(path) == (
        f"{path}: ONNX Runtime cannot run it "
        "(Failed to load model because protobuf parsing failed.)"
    )


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04" * 100, bytes(1000)])
def test_another_file_is_refused(tmp_path, data):
    path = tmp_path / "a.onnx"
    path.write_bytes(data)
    assert damaged(path).startswith(f"{path}: ONNX Runtime cannot run it (")


def test_a_file_with_a_damaged_name_is_refused(file, tmp_path, capfd):
    made, _, read = file.read_bytes().partition(b"prepare/mul:0")
    path = tmp_path / "a.onnx"
    path.write_bytes(
        made + b"prepare/mul:0" + read.replace(b"prepare/mul:0", b"prepare/m\xff\xfe:0")
    )
    assert damaged(path).startswith(f"{path}: ONNX Runtime cannot run it ('utf-8' codec")
    assert capfd.readouterr().out == ""


def test_a_file_of_two_inputs_is_refused(tmp_path):
    path = written(tmp_path / "a.onnx", lambda a, b: a + b, (None, 4, 4, 1), (None, 4, 4, 1))
    assert damaged(path) == (
        f"{path}: expected one input, a batch of images, sequences, tokens or features, and one "
        "output, found inputs of (None, 4, 4, 1) and (None, 4, 4, 1) and outputs of "
        "(None, 4, 4, 1)"
    )


def test_a_file_of_raw_integers_is_refused(tmp_path):
    path = written(tmp_path / "a.onnx", lambda a: tf.argmax(a, -1), (None, 4, 4, 1))
    assert damaged(path) == f"{path}: expected scores in float32, found int64"


def test_a_file_of_an_open_size_is_refused(tmp_path):
    path = written(tmp_path / "a.onnx", lambda a: a * 2, (None, None, 4, 1))
    assert damaged(path) == f"{path}: expected examples of one size, found (None, None, 4, 1)"


def test_a_file_for_one_image_takes_several_one_by_one(tmp_path):
    path = written(tmp_path / "a.onnx", lambda a: tf.reshape(a, (1, 16)), (1, 4, 4, 1))
    images = RNG.random((5, 4, 4, 1), np.float32)
    np.testing.assert_array_equal(export.load(path).predict(images), images.reshape(5, 16))
