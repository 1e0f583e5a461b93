"""The requests are read with protobuf's own decoder, and run as TensorFlow Serving would."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import message

from tests.deploy.messages import CLASSES
from tfpipe import export
from tfpipe.deploy import warmup
from tfpipe.errors import DataError


@pytest.fixture(scope="module")
def warmed(saved_model, tmp_path_factory):
    folder = shutil.copytree(saved_model, tmp_path_factory.mktemp("warmed") / "1")
    assert warmup.write_warmup(folder, name="digits") == (
        folder / "assets.extra/tf_serving_warmup_requests"
    )
    return folder


def requests(folder):
    records = tf.data.TFRecordDataset(str(folder / "assets.extra/tf_serving_warmup_requests"))
    logs = [CLASSES["PredictionLog"].FromString(record.numpy()) for record in records]
    return [log.predict_log.request for log in logs]


def test_every_signature_is_asked_for_one_and_for_eight(warmed):
    found = requests(warmed)
    assert {request.model_spec.name for request in found} == {"digits"}
    asked = [
        (
            request.model_spec.signature_name,
            [(entry.key, tf.make_ndarray(entry.value).shape[0]) for entry in request.inputs],
        )
        for request in found
    ]
    assert sorted(asked) == [
        ("encoded", [("encoded", 1)]),
        ("encoded", [("encoded", 8)]),
        ("serve", [("images", 1)]),
        ("serve", [("images", 8)]),
        ("serving_default", [("images", 1)]),
        ("serving_default", [("images", 8)]),
    ]


def test_every_request_runs(warmed):
    signatures = tf.saved_model.load(str(warmed)).signatures
    for request in requests(warmed):
        inputs = {entry.key: tf.constant(tf.make_ndarray(entry.value)) for entry in request.inputs}
        scores = signatures[request.model_spec.signature_name](**inputs)["scores"]
        (first,) = inputs.values()
        assert scores.shape == (first.shape[0], 3)


def test_the_model_is_read_as_before(warmed, saved_model):
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), np.uint8)
    before, after = (export.load(path).predict(images) for path in (saved_model, warmed))
    np.testing.assert_array_equal(before, after)


def test_the_decoder_notices_what_is_no_request():
    good = warmup.prediction_log("a", "b", {"x": tf.zeros((300, 2))})
    (entry,) = CLASSES["PredictionLog"].FromString(good).predict_log.request.inputs
    assert tf.make_ndarray(entry.value).shape == (300, 2)
    with pytest.raises(message.DecodeError):
        CLASSES["PredictionLog"].FromString(good[:-1])


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16383, 16384, 3_000_000])
def test_lengths_of_any_size(length):
    spec = CLASSES["ModelSpec"].FromString(warmup.field(3, b"x" * length))
    assert (spec.signature_name, spec.name) == ("x" * length, "")


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [("int32", (None, 16)), ("float32", (None, 5, 2)), ("uint8", (None, 8, 8, 3))],
)
def test_noise_is_of_the_kind_that_is_taken(dtype, shape):
    noise = warmup.noise(tf.TensorSpec(shape, dtype), 3)
    assert (noise.dtype.name, tuple(noise.shape)) == (dtype, (3, *shape[1:]))
    assert np.isfinite(noise).all()
    assert dtype == "int32" or len(np.unique(noise)) > 5


def test_tokens_are_in_every_vocabulary():
    assert set(np.unique(warmup.noise(tf.TensorSpec((None, 16), tf.int32), 3))) == {1}


def test_a_signature_that_does_not_run_is_refused(tmp_path):
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float32, "x")])
    def broken(x):
        with tf.control_dependencies([tf.debugging.assert_greater(x, 1e9, "never so large")]):
            return {"scores": tf.identity(x)}

    module.broken = broken
    tf.saved_model.save(module, str(tmp_path / "m"), signatures={"serving_default": broken})
    with pytest.raises(DataError) as caught:
        warmup.write_warmup(tmp_path / "m", name="m")
    assert "the signature 'serving_default' does not run: " in str(caught.value)
