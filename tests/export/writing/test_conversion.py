"""converted(): the converter's process, what is said where it refuses, and where it dies."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import export
from tfpipe.errors import RequestError
from tfpipe.export.writing import conversion
from tfpipe.export.writing.conversion import converted
from tfpipe.process import Worker

RNG = np.random.default_rng(0)
SEQUENCES = RNG.normal(size=(120, 6, 4)).astype(np.float32)
CALIBRATION = tf.data.Dataset.from_tensor_slices(SEQUENCES).batch(40)


class Sums(keras.layers.Layer):
    """A loop of one's own, on which the converter crashes in integer modes."""

    def call(self, x):
        return tf.while_loop(
            lambda step, y: step < 6,
            lambda step, y: (step + 1, y * 0.5 + x[:, step]),
            (0, tf.zeros_like(x[:, 0])),
        )[1]


class Odd(keras.layers.Layer):
    def call(self, x):
        return tf.math.digamma(x)


def looping():
    x = keras.Input((6, 4))
    return keras.Model(x, keras.layers.Dense(2)(Sums()(x)), name="looping")


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        export.to_tflite(*arguments, **options)
    return str(caught.value)


def test_a_crash_of_the_converter_is_one_sentence_and_no_file(tmp_path):
    path = tmp_path / "a.tflite"
    assert refused(looping(), path, mode="int8", calibration=CALIBRATION) == (
        "Expected a model that TensorFlow's converter can convert. Received: 'looping' with "
        "mode='int8', on which its process crashed (SIGSEGV). Use another mode, or replace the "
        "layer that is not Keras' own."
    )
    assert list(tmp_path.iterdir()) == []
    export.to_tflite(looping(), path)  # by the next process
    expected = looping().predict(SEQUENCES[:1], verbose=0)
    assert expected.shape == (1, 2)


def test_a_process_that_the_system_kills_is_one_sentence(monkeypatch, tmp_path):
    program = """
import os, signal
from tfpipe.process import serve
serve(lambda job: lambda request: os.kill(os.getpid(), signal.SIGKILL))
"""
    worker = Worker(program, None)
    monkeypatch.setattr(conversion, "_workers", [worker])
    assert refused(looping(), tmp_path / "a.tflite") == (
        "Expected a model that TensorFlow's converter can convert. Received: 'looping' with "
        "mode='float32', on which its process was killed (SIGKILL), as systems do where memory "
        "runs out. Use another mode, or replace the layer that is not Keras' own."
    )
    assert worker.process.returncode is not None


def test_one_process_serves_all_conversions(tmp_path):
    numbers = set()
    for name in ("a", "b"):
        export.to_tflite(looping(), tmp_path / f"{name}.tflite")
        numbers.add(conversion._workers[0].process.pid)
    assert len(numbers) == 1


@pytest.mark.parametrize("nested", [False, True])
def test_an_operator_that_is_not_builtin_is_refused_with_its_layer(tmp_path, nested):
    x = keras.Input((8,))
    layer = Odd(name="odd")
    y = keras.Sequential([keras.Input((8,)), layer], name="inner")(x) if nested else layer(x)
    assert refused(keras.Model(x, y, name="waves"), tmp_path / "a.tflite") == (
        "Expected a model whose operators are builtin in TFLite. Received: layer 'odd' of "
        "'waves' with Digamma, which only TensorFlow has. Replace the layer."
    )


def test_another_refusal_names_the_mode_and_hands_the_reason_on():
    model = looping()
    takes = tf.TensorSpec((1, 6, 4), tf.float32, "sequences")
    with pytest.raises(RequestError) as caught:
        converted(model, takes, model, mode="int8", examples=SEQUENCES, scores_dtype="int64")
    assert str(caught.value) == (
        "Expected a model that TensorFlow's converter can convert. Received: 'looping' with "
        "mode='int8': The inference_input_type and inference_output_type must be in "
        "['tf.float32', 'tf.int8', 'tf.uint8', 'tf.int16']. Use another mode, or replace the layer."
    )
