"""LSTM and BiLSTM: their arithmetic in numpy, and what padding does to them."""

import keras
import numpy as np
import pytest

from tfpipe import models
from tfpipe.errors import RequestError

RNG = np.random.default_rng(0)
SERIES = RNG.standard_normal((3, 6, 2)).astype("float32")
TOKENS = RNG.integers(1, 9, (3, 6)).astype("int32")


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        models.bilstm(*arguments, **options)
    return str(caught.value)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def read(cell, x):
    """Equations of the 1997 paper, with the forget gate of Gers et al., 2000: (B, time, units)."""
    kernel, recurrent, bias = (variable.numpy() for variable in cell.weights)
    units = recurrent.shape[0]
    h = c = np.zeros((len(x), units))
    outputs = []
    for step in x.swapaxes(0, 1):
        i, f, g, o = np.split(step @ kernel + h @ recurrent + bias, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, 1)


def head(model, features):
    kernel, bias = (v.numpy() for v in model.layers[-1].weights)
    return features @ kernel + bias


@pytest.mark.parametrize("pooling", ["max", "last"])
def test_lstm_computes_what_numpy_computes(pooling):
    model = models.lstm((6, 2), 4, activation="linear", units=5, pooling=pooling)
    outputs = read(model.get_layer("lstm"), SERIES)
    pooled = outputs.max(1) if pooling == "max" else outputs[:, -1]
    np.testing.assert_allclose(model(SERIES), head(model, pooled), atol=1e-6)


@pytest.mark.parametrize("pooling", ["max", "last"])
def test_bilstm_reads_both_ways(pooling):
    model = models.bilstm((6, 2), 4, activation="linear", units=5, pooling=pooling)
    both = model.get_layer("bilstm")
    forwards = read(both.forward_layer, SERIES)
    backwards = read(both.backward_layer, SERIES[:, ::-1])
    pool = (lambda x: x.max(1)) if pooling == "max" else (lambda x: x[:, -1])
    pooled = np.concatenate([pool(forwards), pool(backwards)], -1)
    np.testing.assert_allclose(model(SERIES), head(model, pooled), atol=1e-6)


def test_tokens_are_looked_up_in_a_table():
    model = models.lstm((6,), 3, vocabulary_size=9, units=5, activation="linear")
    table = model.get_layer("embedding").embeddings.numpy()
    assert table.shape == (9, 5)
    outputs = read(model.get_layer("lstm"), table[TOKENS])
    np.testing.assert_allclose(model(TOKENS), head(model, outputs.max(1)), atol=1e-6)


def test_there_are_no_masks():
    for model in (models.lstm((6,), 2, vocabulary_size=9), models.bilstm((6, 2), 2)):
        assert not any(layer.supports_masking and getattr(layer, "mask_zero", False)
                       for layer in model.layers)  # fmt: skip
        assert not any(getattr(layer.output, "_keras_mask", None) for layer in model.layers)


def test_what_was_found_stays_through_padding():
    """The features of the text are a lower bound of those with padding after it; last's are not."""
    model = models.lstm((40,), 2, vocabulary_size=9, units=5)
    padded = np.pad(TOKENS, [(0, 0), (0, 34)])
    table = model.get_layer("embedding").embeddings.numpy()
    text = read(model.get_layer("lstm"), table[TOKENS]).max(1)
    pooled = keras.Model(model.input, model.get_layer("pool").output)(padded)
    assert (pooled.numpy() >= text - 1e-6).all()


def test_dropout_comes_before_the_head_and_only_in_training():
    model = models.lstm((6, 2), 2, units=5, dropout=0.5)
    assert [layer.name for layer in model.layers[-2:]] == ["dropout", "probabilities"]
    np.testing.assert_array_equal(model(SERIES), model(SERIES))
    assert np.abs(model(SERIES, training=True) - model(SERIES)).max() > 0


def test_wrong_shapes_are_refused():
    assert refused((64, 8), vocabulary_size=100) == (
        "Expected `input_shape` to be (time,) in whole numbers from 1. "
        "Received: input_shape=(64, 8)"
    )
    assert refused((None, 8)) == (
        "Expected `input_shape` to be (time, features) in whole numbers from 1. "
        "Received: input_shape=(None, 8)"
    )
    assert refused((64,)) == (
        "Expected `input_shape` to be (time, features) in whole numbers from 1, or "
        "`vocabulary_size` with (time,) for tokens. Received: input_shape=(64,)"
    )


def test_wrong_arguments_are_refused():
    assert refused(pooling="mean") == (
        "Expected `pooling` to be one of 'max', 'last'. Received: pooling='mean'"
    )
    assert refused(dropout=1.0) == (
        "Expected `dropout` to be from 0 to below 1. Received: dropout=1.0"
    )
    assert refused((64,), vocabulary_size=0) == (
        "Expected `vocabulary_size` to be a whole number from 1. Received: vocabulary_size=0"
    )
