"""Each layer of Keras 3 against its twin: the same numbers from the same weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe.compress.legacy.layers import _is_shared, copy_weights, twin

L = keras.layers
RNG = np.random.default_rng(0)


def _by_rank():
    """The layers that there are for one, two and three dimensions."""
    for rank in (1, 2, 3):
        shape = (*(9, 8, 7)[:rank], 4)

        def named(name, *arguments, rank=rank, **options):
            return getattr(L, name.format(rank))(*arguments, **options)

        for options in (
            {},
            {"padding": "same", "strides": 2},
            {"dilation_rate": 2, "activation": "hard_sigmoid"},
            {"groups": 2, "use_bias": False},
        ):
            yield named("Conv{}D", 6, 3, **options), shape
        for options in ({}, {"padding": "same", "strides": 2}, {"output_padding": 1, "strides": 2}):
            yield named("Conv{}DTranspose", 6, 3, **options), shape
        if rank < 3:
            yield named("SeparableConv{}D", 6, 3, depth_multiplier=2, activation="relu"), shape
            yield named("DepthwiseConv{}D", 3, depth_multiplier=2, padding="same"), shape
        for kind in ("Max", "Average"):
            yield named(kind + "Pooling{}D", 2, padding="same"), shape
            yield named("Global" + kind + "Pooling{}D"), shape
            yield named("Global" + kind + "Pooling{}D", keepdims=True), shape
        for name, argument in (
            ("UpSampling{}D", 2),
            ("ZeroPadding{}D", 1),
            ("Cropping{}D", 1),
            ("SpatialDropout{}D", 0.2),
        ):
            yield named(name, argument), shape
        yield named("ConvLSTM{}D", 2, 3, return_sequences=True), (3, *shape)


def _recurrent():
    for name in ("LSTM", "GRU", "SimpleRNN"):
        kind, cell = getattr(L, name), getattr(L, f"{name}Cell")
        for options in (
            {},
            {"return_sequences": True, "go_backwards": True},
            {"unroll": True, "use_bias": False},
            {"activation": "relu", "dropout": 0.2, "recurrent_dropout": 0.2, "seed": 1},
            {"return_state": True},
        ):
            yield kind(3, **options), (5, 4)
        for mode in ("concat", "sum", None):
            yield L.Bidirectional(kind(3, return_sequences=True), merge_mode=mode), (5, 4)
        backward = kind(2, go_backwards=True)
        yield L.Bidirectional(kind(3), backward_layer=backward), (5, 4)
        yield L.RNN([cell(3), cell(2)], return_sequences=True), (5, 4)
    yield L.LSTM(3, recurrent_activation="hard_sigmoid"), (5, 4)
    yield L.GRU(3, reset_after=False), (5, 4)


def _others():
    for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
        yield getattr(L, name)(), (4,), (4,)
    yield L.Concatenate(axis=1), (4, 2), (3, 2)
    yield L.Dot(axes=1, normalize=True), (4,), (4,)
    yield L.Attention(use_scale=True, score_mode="concat"), (5, 4), (6, 4)
    yield L.AdditiveAttention(), (5, 4), (6, 4)
    yield L.EinsumDense("abc,cd->abd", (None, 7), bias_axes="d"), (5, 4)
    for axis in (-1, 1):
        yield L.BatchNormalization(axis=axis, epsilon=0.1, momentum=0.5), (6, 4)
        yield L.LayerNormalization(axis=axis, epsilon=0.1), (6, 4)
        yield L.Softmax(axis=axis), (6, 4)
    yield L.BatchNormalization(scale=False, center=False), (6, 4)
    yield L.GroupNormalization(2), (6, 4)
    yield L.GroupNormalization(-1), (6, 4)
    yield L.UnitNormalization(), (6, 4)
    yield L.ReLU(), (4,)
    yield L.ReLU(max_value=6, negative_slope=0.1, threshold=0.2), (4,)
    yield L.LeakyReLU(), (4,)
    yield L.LeakyReLU(negative_slope=0.1), (4,)
    yield L.PReLU(), (5, 4)
    yield L.PReLU(shared_axes=[1]), (5, 4)
    yield L.ELU(0.5), (4,)
    yield L.Flatten(), (5, 4)
    yield L.Reshape((2, -1)), (6, 4)
    yield L.Permute((2, 1)), (6, 4)
    yield L.RepeatVector(3), (4,)
    yield L.Identity(), (4,)
    yield L.Masking(), (6, 4)
    yield L.ActivityRegularization(0.1), (4,)
    yield L.Dropout(0.3, noise_shape=(None, 1), seed=1), (4,)
    yield L.AlphaDropout(0.3), (4,)
    yield L.GaussianDropout(0.3), (4,)
    yield L.GaussianNoise(0.3), (4,)
    yield L.Rescaling(0.5, offset=1.0), (4,)
    yield L.Rescaling([0.5, 0.1, 0.2, 0.4], offset=[1.0, 2, 3, 4]), (4,)
    yield (
        L.Conv1D(6, 3, padding="causal", kernel_regularizer="l2", bias_constraint="max_norm"),
        (9, 4),
    )
    for interpolation in ("bilinear", "bicubic", "lanczos3"):
        yield L.UpSampling2D(2, interpolation=interpolation), (4, 5, 3)
    yield L.TimeDistributed(L.Dense(3)), (5, 4)


def _activations():
    for name in _NAMES:
        yield L.Dense(4, activation=name), (5, 6)
        yield L.Activation(name), (6,)
    yield L.Dense(4, activation=keras.ops.tanh), (6,)


_NAMES = [
    name
    for name in dir(keras.activations)
    if name.islower()
    and name not in ("deserialize", "get", "serialize", "threshold")
    and not name.startswith("_")
]
CASES = [
    case
    for case in (*_by_rank(), *_recurrent(), *_others(), *_activations())
    if not isinstance(case[0], L.TimeDistributed)  # of graph.py: it may hold a model
]


def drawn(layer):
    """Sets weights that differ from each other, and variances above 0."""
    layer.set_weights(
        [
            (
                RNG.uniform(0.5, 1.5, w.shape)
                if "variance" in v.path
                else RNG.normal(0, 0.5, w.shape)
            )
            for v, w in zip(layer.weights, layer.get_weights(), strict=True)
        ]
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: type(case[0]).__name__)
def test_a_layer_and_its_twin_give_the_same(case):
    layer, *shapes = case
    inputs = [tf.constant(RNG.normal(0, 2, (3, *shape)), tf.float32) for shape in shapes]
    given = inputs if len(inputs) > 1 else inputs[0]
    layer(given)
    drawn(layer)
    like = twin(layer)
    like(given)
    copy_weights(layer, like)
    assert like.name == layer.name
    for ours, theirs in zip(
        keras.tree.flatten(layer(given)), tf.nest.flatten(like(given)), strict=True
    ):
        np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-5)


def test_every_layer_that_is_taken_for_the_same_is_compared_here():
    compared = {type(case[0]).__name__ for case in CASES}
    elsewhere = {"Embedding", "InputLayer", "MultiHeadAttention", "TimeDistributed"}  # test_graph
    bases = {"Layer", "Wrapper", "GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"}
    shared = set()
    for kind in vars(keras.layers).values():
        if isinstance(kind, type) and issubclass(kind, keras.Layer):
            probe = kind.__new__(kind)
            if _is_shared(probe):
                shared.add(kind.__name__)
    assert shared - compared - elsewhere - bases == set()


def test_half_precision_becomes_float32():
    layer = L.Bidirectional(L.LSTM(3, dtype="mixed_float16"), dtype="mixed_float16")
    like = twin(layer)
    assert (like.compute_dtype, like.forward_layer.cell.compute_dtype) == ("float32", "float32")


def test_frozen_layers_stay_frozen():
    layer = L.Dense(2)
    layer(tf.zeros((1, 3)))
    layer.trainable = False
    like = twin(layer)
    like(tf.zeros((1, 3)))
    copy_weights(layer, like)
    assert like.trainable_weights == []


def test_normalization_takes_what_adapt_has_found():
    data = RNG.normal(3, 2, (50, 4)).astype(np.float32)
    layer = L.Normalization()
    layer.adapt(data)
    np.testing.assert_allclose(twin(layer)(data), layer(data), atol=1e-5)
    given = L.Normalization(axis=None, mean=1.0, variance=2.0, invert=True)
    np.testing.assert_allclose(twin(given)(data), given(data), atol=1e-5)


@pytest.mark.parametrize(
    "layer", [L.Lambda(lambda x: x * 2), L.Resizing(4, 4), L.RandomFlip(), L.CenterCrop(2, 2)]
)
def test_what_has_no_weights_and_is_not_the_same_is_taken_over(layer):
    assert twin(layer) is None


class Mine(L.Dense):
    """A layer that is not Keras' own."""


@pytest.mark.parametrize(
    "layer", [Mine(2), L.RMSNormalization(), L.MultiHeadAttention(2, 3, use_gate=True)]
)
def test_what_has_weights_and_no_like_is_refused(layer):
    layer(*[tf.zeros((2, 3, 4))] * (2 if isinstance(layer, L.MultiHeadAttention) else 1))
    with pytest.raises(TypeError):
        twin(layer)
