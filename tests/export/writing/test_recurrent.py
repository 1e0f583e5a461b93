"""Recurrent models in every mode: which form they take, and that they answer as Keras does."""

import collections

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tfpipe import export
from tfpipe.errors import RequestError
from tfpipe.export.writing.recurrent import is_fused, unrolled_twin

layers = keras.layers
RNG = np.random.default_rng(0)
SEQUENCES = RNG.normal(size=(130, 9, 5)).astype(np.float32)
TOKENS = RNG.integers(1, 40, (130, 9)).astype(np.int32)
FUSED = "UNIDIRECTIONAL_SEQUENCE_LSTM"


def built(*middle, shape=(9, 5), dtype="float32", name="recurrent"):
    keras.utils.set_random_seed(0)
    x = y = keras.Input(shape, dtype=dtype)
    for layer in middle:
        y = layer(y)
    model = keras.Model(x, layers.Dense(3, activation="softmax")(y), name=name)
    for weight in model.trainable_weights:  # large enough that the state matters
        weight.assign(weight * 1.5)
    return model


def two_directions():
    keras.utils.set_random_seed(0)  # layers draw their seeds when they are made
    return built(
        layers.Bidirectional(layers.LSTM(40, return_sequences=True)),
        layers.Bidirectional(layers.LSTM(24), merge_mode="sum"),
    )


def written(model, path, mode, inputs=SEQUENCES):
    calibration = tf.data.Dataset.from_tensor_slices(inputs).batch(50)
    return export.to_tflite(model, path / f"{mode}.tflite", mode=mode, calibration=calibration)


def interpreter(path):
    litert = Interpreter(str(path), num_threads=1)
    litert.allocate_tensors()
    return litert


def scores(litert, inputs):
    takes, gives = litert.get_input_details()[0], litert.get_output_details()[0]
    found = []
    for example in inputs:
        litert.set_tensor(takes["index"], example[None])
        litert.invoke()
        found.append(litert.get_tensor(gives["index"])[0])
    return np.stack(found)


def operators(litert):
    return collections.Counter(op["op_name"] for op in litert._get_ops_details())


@pytest.fixture(scope="module")
def lstm_model():
    return two_directions()


def slow(value):
    return [pytest.param(value, marks=pytest.mark.slow)]


DIFFERENCES = {"float32": 1e-6, "float16": 5e-3, "dynamic": 0.05, "int8": 0.1, "int16x8": 0.1}


@pytest.mark.parametrize(
    "mode", ["float32", "int8", *slow("float16"), *slow("dynamic"), *slow("int16x8")]
)
def test_lstms_answer_as_keras_does_whatever_came_before(lstm_model, tmp_path, mode):
    path = written(lstm_model, tmp_path, mode)
    litert = interpreter(path)
    expected = lstm_model.predict(SEQUENCES, verbose=0)
    found = scores(litert, SEQUENCES)
    assert np.abs(found - expected).max() <= DIFFERENCES[mode]
    first = scores(interpreter(path), SEQUENCES[-1:])  # by itself, before all others
    np.testing.assert_array_equal(first[0], found[-1])
    assert operators(litert)[FUSED] == (0 if mode == "int16x8" else 4)
    assert "WHILE" not in operators(litert)


def test_the_operator_itself_would_remember(lstm_model, tmp_path):
    """What the step that closes the gates is there for: without it, answers depend on the past."""
    from tfpipe.compress.legacy import rebuild
    from tfpipe.export.writing.conversion import converted

    takes = tf.TensorSpec((1, 9, 5), tf.float32, "sequences")
    data = converted(rebuild(lstm_model, batch_size=1), takes, lstm_model)
    litert = Interpreter(model_content=data)
    litert.allocate_tensors()
    once, again = scores(litert, [SEQUENCES[0], SEQUENCES[0]])
    assert np.abs(once - again).max() > 1e-3


def test_tokens_go_in_as_int32_in_int8_too(tmp_path):
    keras.utils.set_random_seed(0)
    # As large as trained embeddings: the state of Keras' first ones is below int8's steps.
    embedding = layers.Embedding(
        40, 8, embeddings_initializer=keras.initializers.RandomUniform(-1, 1)
    )
    model = built(embedding, layers.LSTM(6), shape=(9,), dtype="int32")
    litert = interpreter(written(model, tmp_path, "int8", TOKENS))
    assert litert.get_input_details()[0]["dtype"] == np.int32
    assert litert.get_signature_list()["serving_default"]["inputs"] == ["tokens"]
    found, expected = scores(litert, TOKENS), model.predict(TOKENS, verbose=0)
    assert np.mean(found.argmax(-1) == expected.argmax(-1)) >= 0.95
    assert np.abs(found - expected).max() <= 0.02


@pytest.mark.parametrize("name", ["Sequential", "backwards", *slow("nested"), *slow("dropout")])
def test_lstms_are_fused_wherever_they_stand(tmp_path, name):
    inner = keras.Sequential([keras.Input((9, 5)), layers.LSTM(4, return_sequences=True)])
    model = {
        "Sequential": lambda: keras.Sequential([keras.Input((9, 5)), layers.LSTM(4)]),
        "backwards": lambda: built(
            layers.LSTM(4, go_backwards=True, return_sequences=True), layers.Flatten()
        ),
        "nested": lambda: built(inner, layers.GlobalMaxPooling1D()),
        "dropout": lambda: built(layers.LSTM(4, dropout=0.5, recurrent_dropout=0.5)),
    }[name]()
    litert = interpreter(written(model, tmp_path, "float32"))
    assert operators(litert)[FUSED] == 1
    expected = model.predict(SEQUENCES[:9], verbose=0)
    np.testing.assert_allclose(scores(litert, SEQUENCES[:9]), expected, atol=1e-6)


def test_a_gru_is_a_loop(tmp_path):
    model = built(layers.GRU(6))
    litert = interpreter(written(model, tmp_path, "float32"))
    assert operators(litert)["WHILE"] == 1
    expected = model.predict(SEQUENCES, verbose=0)
    assert np.abs(scores(litert, SEQUENCES) - expected).max() <= 1e-6


@pytest.mark.parametrize("mode", ["int8", "int16x8"])
def test_a_gru_is_refused_in_integer_modes(tmp_path, mode):
    with pytest.raises(RequestError) as caught:
        written(built(layers.GRU(6, name="gate")), tmp_path, mode)
    assert str(caught.value) == (
        "Expected LSTMs in an integer mode: TensorFlow's converter may leave parts of a GRU in "
        "float32. Received: 'recurrent' with 'gate'. Use LSTM, or mode='float32', 'float16' or "
        "'dynamic'."
    )


@pytest.mark.parametrize("mode", ["int8", "int16x8"])
def test_a_simple_rnn_is_written_out_in_integer_modes(tmp_path, mode):
    model = built(layers.SimpleRNN(6))
    litert = interpreter(written(model, tmp_path, mode))
    assert "WHILE" not in operators(litert)
    expected = model.predict(SEQUENCES, verbose=0)
    assert np.abs(scores(litert, SEQUENCES) - expected).max() <= 0.2


def masked(layer=None):
    return built(layer or layers.Masking(0.0, name="mask"), layers.LSTM(4), name="masked")


def test_a_mask_is_inside_a_float32_file(tmp_path):
    short = SEQUENCES[:20].copy()
    short[:, 6:] = 0
    model = masked()
    expected = model.predict(short, verbose=0)
    litert = interpreter(written(model, tmp_path, "float32"))
    np.testing.assert_allclose(scores(litert, short), expected, atol=1e-6)
    assert np.abs(model.predict(SEQUENCES[:20], verbose=0) - expected).max() > 0.01


@pytest.mark.parametrize("mode", ["int8", "int16x8"])
def test_a_mask_is_refused_in_integer_modes(tmp_path, mode):
    with pytest.raises(RequestError) as caught:
        written(masked(), tmp_path, mode)
    assert str(caught.value) == (
        "Expected recurrent layers without a mask, which has no integer form in TFLite. Received: "
        "'masked' with the mask of 'mask'. Leave it out (`mask_zero=False`, no Masking layer), or "
        "use mode='float32', 'float16' or 'dynamic'."
    )


def test_tokens_are_refused_in_int16x8(tmp_path):
    model = built(layers.Embedding(40, 8), layers.LSTM(6), shape=(9,), dtype="int32", name="words")
    with pytest.raises(RequestError) as caught:
        written(model, tmp_path, "int16x8", TOKENS)
    assert str(caught.value) == (
        "Expected another mode than 'int16x8' for a model that takes tokens: TensorFlow's "
        "converter has none. Received: 'words'. Use 'int8', 'dynamic' or 'float16'."
    )


def started():
    x = keras.Input((9, 5))
    lstm = layers.LSTM(4)
    start = layers.Dense(4)(layers.Flatten()(x))
    return keras.Model(x, lstm(x, initial_state=[start, start]))


def shared():
    x = keras.Input((9, 4))
    lstm = layers.LSTM(4, return_sequences=True)
    return keras.Model(x, lstm(lstm(x)))


class Scale(layers.Layer):
    """A layer of one's own, with weights."""

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return x * self.factor


def test_beside_a_layer_of_ones_own_an_lstm_is_a_loop(tmp_path):
    model = built(layers.LSTM(4), Scale())
    litert = interpreter(written(model, tmp_path, "float32"))
    assert operators(litert)["WHILE"] == 1
    expected = model.predict(SEQUENCES[:9], verbose=0)
    np.testing.assert_allclose(scores(litert, SEQUENCES[:9]), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "mode", "fused"),
    [
        (lambda: built(layers.LSTM(4)), "int8", True),
        (lambda: built(layers.LSTM(4)), "int16x8", False),
        (lambda: built(layers.LSTM(4, activation="relu")), "float32", False),
        (lambda: built(layers.LSTM(4, use_bias=False)), "float32", False),
        (lambda: built(layers.LSTM(4, unroll=True)), "float32", False),
        (lambda: built(layers.LSTM(4, return_sequences=True), layers.GRU(4)), "float32", False),
        (lambda: built(layers.Flatten()), "float32", False),
        (masked, "float32", False),
        (started, "float32", False),
        (shared, "float32", False),
    ],
)
def test_what_is_fused(model, mode, fused):
    assert is_fused(model(), mode) == fused


def test_a_twin_that_is_written_out_has_no_loop():
    model = built(layers.Bidirectional(layers.LSTM(4)))
    twin = unrolled_twin(model)
    assert twin.layers[1].forward_layer.unroll
    assert twin.layers[1].backward_layer.unroll
    np.testing.assert_allclose(twin(SEQUENCES[:3]), model(SEQUENCES[:3]), atol=1e-6)
