"""TFLite files: what is in one, and what is no file to run."""

import concurrent.futures

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import compress, export
from tfpipe.errors import DataError

NOISE = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 1), np.uint8)


def damaged(path):
    with pytest.raises(DataError) as caught:
        export.load(path)
    return str(caught.value)


def convert(path, function, *shapes):
    specs = [tf.TensorSpec(shape) for shape in shapes]
    traced = tf.function(function, input_signature=specs).get_concrete_function()
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([traced]).convert())
    return path


@pytest.mark.parametrize("mode", ["float32", "int8"])
def test_a_file_says_what_it_is(files, mode):
    predictor = export.load(str(files[mode]))
    assert repr(predictor) == (
        f"Predictor(name='{mode}.tflite', format='tflite', mode='{mode}', input_shape=(32, 32, 1), "
        f"dtype='uint8', sparsity={predictor.sparsity!r})"
    )


def test_a_batch_gets_the_scores_of_its_images(files, trained):
    found = export.load(files["float32"]).predict(NOISE)
    assert (found.shape, found.dtype) == ((40, 10), np.float32)
    expected = trained.predict(NOISE / np.float32(255), verbose=0)
    assert np.abs(found - expected).max() <= 1e-5


def test_the_sparsity_is_read_from_the_file(trained, prepare, calibration, tmp_path):
    model = keras.models.clone_model(trained)
    model.set_weights(trained.get_weights())
    total = zeros = 0
    for layer, share in (("conv1", 0.5), ("conv2", 0.25), ("dense1", 0.8), ("dense2", 0.0)):
        kernel = model.get_layer(layer).kernel
        smallest = np.argsort(np.abs(kernel.numpy()), axis=None)[: int(share * kernel.numpy().size)]
        value = kernel.numpy()
        value.flat[smallest] = 0
        kernel.assign(value)
    for kernel in (w for w in model.weights if w.name == "kernel"):
        zeros, total = zeros + np.sum(kernel.numpy() == 0), total + kernel.numpy().size
    assert 0.6 < zeros / total < 0.8
    options = {"prepare": prepare, "calibration": calibration}
    path = export.to_tflite(model, tmp_path / "a.tflite", **options)
    assert export.load(path).sparsity == zeros / total
    # Rounding to int8 adds some zeros, and takes none away.
    path = export.to_tflite(model, tmp_path / "b.tflite", mode="int8", **options)
    assert zeros / total <= export.load(path).sparsity < zeros / total + 0.02
    assert np.mean(list(compress.sparsity(model).values())) == pytest.approx(0.31, abs=0.01)


@pytest.mark.parametrize("mode", ["float32", "int8"])
def test_eight_threads_get_the_answers_of_one(files, mode):
    predictor = export.load(files[mode])
    expected = predictor.predict(NOISE)
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        for scores in threads.map(predictor.predict, [NOISE] * 32):
            np.testing.assert_array_equal(scores, expected)


def test_two_files_at_once_do_not_mix(files):
    one, two = (export.load(files[mode]) for mode in ("float32", "int8"))
    alone = one.predict(NOISE[:1]), two.predict(NOISE[:1])
    one.predict(NOISE)
    np.testing.assert_array_equal(two.predict(NOISE[:1]), alone[1])
    np.testing.assert_array_equal(one.predict(NOISE[:1]), alone[0])


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.5, 0.999])
def test_a_truncated_file_is_refused(files, tmp_path, share):
    data = files["float32"].read_bytes()
    path = tmp_path / "a.tflite"
    path.write_bytes(data[: int(share * len(data))])
    assert damaged(path) == (
        f"{path}: LiteRT cannot run it (The model is not a valid Flatbuffer buffer)"
    )


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04" * 100, bytes(1000)])
def test_another_file_is_refused(tmp_path, data):
    path = tmp_path / "a.tflite"
    path.write_bytes(data)
    assert damaged(path).startswith(f"{path}: LiteRT cannot run it (")


def test_a_file_of_two_inputs_is_refused(tmp_path):
    path = convert(tmp_path / "a.tflite", lambda a, b: a + b, (1, 4, 4, 1), (1, 4, 4, 1))
    assert damaged(path) == (
        f"{path}: expected one input, a batch of images, sequences, tokens or features, and one "
        "output, found inputs of (1, 4, 4, 1) and (1, 4, 4, 1) and outputs of (1, 4, 4, 1)"
    )


def test_a_file_of_raw_integers_is_refused(tmp_path):
    path = convert(tmp_path / "a.tflite", lambda a: tf.argmax(a, -1), (1, 4, 4, 1))
    assert damaged(path) == f"{path}: expected scores in float32, found int64"


def test_a_file_of_features_takes_features(tmp_path):
    path = convert(tmp_path / "a.tflite", lambda a: a * 2, (1, 4))
    features = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(export.load(path).predict(features), features * 2)
