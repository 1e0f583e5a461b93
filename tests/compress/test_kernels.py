"""Kernels are found in every kind of layer, and chosen by the layers' names."""

import keras
import numpy as np
import pytest

from tfpipe.compress.kernels import chosen, kernels, sparsity
from tfpipe.errors import RequestError


def model():
    x = keras.Input((6,), dtype="int32")
    h = keras.layers.Embedding(9, 4, name="words")(x)
    h = keras.layers.Bidirectional(keras.layers.LSTM(3, return_sequences=True), name="both")(h)
    inner = keras.Sequential(
        [keras.Input((6, 6)), keras.layers.Conv1D(2, 3, name="conv"), keras.layers.ReLU(name="cut")]
    )
    h = keras.layers.BatchNormalization(name="norm")(inner(h))
    h = keras.layers.Flatten(name="flat")(h)
    h = keras.layers.Dense(3, name="frozen", trainable=False)(h)
    return keras.Model(x, keras.layers.Dense(2, name="head")(h), name="mixed")


def layers(found):
    return list(dict.fromkeys(kernel.layer.name for kernel in found.values()))


def refused(*arguments):
    with pytest.raises(RequestError) as caught:
        chosen(*arguments)
    return str(caught.value)


def test_embeddings_recurrent_and_nested_layers_have_kernels():
    mixed = model()
    found = chosen(mixed, "all")
    assert layers(found) == ["words", "both", "conv", "head"]
    parts = [type(kernel.part).__name__ for kernel in found.values()]
    assert parts == ["Embedding", *["LSTMCell"] * 4, "Conv1D", "Dense"]
    assert list(found) == list(kernels(mixed))


def test_inner_layers_are_all_but_the_first_and_the_last():
    assert layers(chosen(model(), "inner")) == ["both", "conv"]


def test_layers_are_chosen_by_name():
    assert layers(chosen(model(), ["head", "conv"])) == ["conv", "head"]
    assert len(chosen(model(), ["both"])) == 4


def test_layers_without_kernels_are_named():
    assert refused(model(), ["conv", "flat", "norm", "frozen"]) == (
        "The layers 'flat', 'norm', 'frozen' of the model 'mixed' have no trainable kernel. "
        "Those that have one: 'words', 'both', 'conv', 'head'."
    )


def test_an_unknown_name_is_refused_with_the_nearest_one():
    assert refused(model(), ["haed"]) == (
        "Expected `layers` to be one of 'words', 'both', 'conv', 'head'. "
        "Received: layers='haed'. Did you mean 'head'?"
    )


def test_a_single_name_is_no_list():
    assert refused(model(), "head") == (
        "Expected `layers` to be 'all', 'inner', or a list of names of layers. "
        "Received: layers='head'"
    )


@pytest.mark.parametrize("wanted", [[], "inner"])
def test_no_layers_are_refused(wanted):
    x = keras.Input((6,))
    h = keras.layers.Dense(3, name="one")(x)
    small = keras.Model(x, keras.layers.Dense(2, name="two")(h))
    assert refused(small, wanted) == (
        f"Expected `layers` to leave some of 'one', 'two' to choose. Received: layers={wanted!r}"
    )


def test_sparsity_tells_of_frozen_kernels_too():
    mixed = model()
    mixed.get_layer("frozen").kernel.assign(np.eye(8)[:, :3])
    assert sparsity(mixed)["frozen/kernel"] == 21 / 24
    mixed.trainable = False
    assert len(sparsity(mixed)) == 8
