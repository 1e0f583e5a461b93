"""Layers of operators that TFLite has in floats only are in int8 files all the same."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tfpipe import export
from tfpipe.errors import RequestError

L = keras.layers
RNG = np.random.default_rng(0)
SEQUENCES = (RNG.normal(size=(120, 9, 8)) * RNG.uniform(1, 3, (120, 1, 8))).astype(np.float32)


def transformer(x):
    attended = L.Add()([x, L.MultiHeadAttention(2, 4)(*[L.LayerNormalization()(x)] * 2)])
    wide = L.Dense(16, activation="gelu")(L.LayerNormalization()(attended))
    return L.Dense(3)(L.Flatten()(L.LayerNormalization()(L.Add()([attended, L.Dense(8)(wide)]))))


def by_hand(x):
    return keras.ops.square(-x) - keras.ops.negative(x)


MIDDLES = {
    "a transformer": transformer,
    "unit length": lambda x: L.Dense(3)(L.Flatten()(L.UnitNormalization()(L.Dense(8)(x)))),
    "negated and squared": by_hand,
    "a bound beside": lambda x: L.Activation("celu")(L.Conv1D(6, 3)(x)),
    "bounds beside": lambda x: keras.ops.exp(keras.ops.clip(x, -0.5, 0.1)) + 2 * x,
    "a choice beside": lambda x: keras.ops.square(x + 1) - keras.ops.where(x > 0, x, 0.0),
    "gelu": lambda x: L.Dense(8, activation="gelu")(-x),
}


def model_with(middle):
    keras.utils.set_random_seed(0)
    x = keras.Input((9, 8))
    return keras.Model(x, L.Flatten()(middle(L.Dense(8)(x))), name="small")


def file_of(model, path, mode="int8"):
    calibration = tf.data.Dataset.from_tensor_slices(SEQUENCES).batch(40)
    return export.to_tflite(model, path, mode=mode, calibration=calibration)


@pytest.mark.parametrize("middle", MIDDLES.values(), ids=MIDDLES.keys())
def test_the_file_computes_what_keras_computes_in_integers(tmp_path, middle):
    model = model_with(middle)
    runner = Interpreter(str(file_of(model, tmp_path / "a.tflite")))
    runner.allocate_tensors()
    (given,), (made,) = runner.get_input_details(), runner.get_output_details()
    found = []
    for sequence in SEQUENCES:
        runner.set_tensor(given["index"], sequence[None])
        runner.invoke()
        found.append(runner.get_tensor(made["index"])[0])
    expected = model.predict(SEQUENCES, verbose=0)
    assert np.abs(found - expected).max() < 0.06 * np.ptp(expected)
    float32 = [t["name"] for t in runner.get_tensor_details() if t["dtype"] is np.float32]
    assert len(float32) == 2  # the two ends


def test_with_16_bits_there_is_no_other_form(tmp_path):
    with pytest.raises(RequestError) as caught:
        file_of(model_with(by_hand), tmp_path / "a.tflite", "int16x8")
    assert str(caught.value) == (
        "Expected a model whose operators have an int16x8 form in TFLite. Received: 'small' with "
        "NEG, SQUARE, which would compute in float32. Replace the layer, or use mode='float32'."
    )
