"""A model's scores and last features are those of Keras."""

import keras
import numpy as np
import pytest

from tfpipe import models, ops
from tfpipe.drift.embedding import looking
from tfpipe.drift.inputs import read
from tfpipe.drift.projecting import projected


def test_scores_and_features_are_those_of_the_model(known, trained, prepare):
    images = known[0][:40]
    scores, embedded = looking(trained, prepare)(read(images, None))
    floats = images / np.float32(255)
    last = [layer for layer in trained.layers if layer.weights][-1]
    features = keras.Model(trained.inputs, last.input).predict(floats, verbose=0)
    assert scores == pytest.approx(trained.predict(floats, verbose=0), abs=1e-5)
    assert embedded == pytest.approx(projected(features), abs=1e-4)


def test_places_of_features_are_averaged():
    inputs = keras.Input((8, 8, 1))
    features = keras.layers.Conv2D(4, 3, padding="same")(inputs)
    model = keras.Model(inputs, keras.layers.Conv2D(2, 1)(features))
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 1)).astype(np.float32)
    scores, embedded = looking(model, None)(read(images, None))
    by_keras = keras.Model(inputs, features).predict(images, verbose=0).mean((1, 2))
    assert scores.shape == (3, 8, 8, 2)
    assert embedded == pytest.approx(by_keras, abs=1e-5)


def test_a_texts_windows_are_averaged(reading):
    model = models.bilstm((4,), 2, vocabulary_size=5, units=3)
    scores, embedded = looking(model, reading)(read(["a fine film and a fine end", "a"], reading))
    windows = np.array([[2, 3, 4, 1], [4, 1, 2, 3], [1, 2, 3, 1]], np.int32)  # of seven words
    assert scores.shape == (2, 2)
    assert len(embedded) == 2
    examples = read(["a fine film and a fine end"], reading)
    assert examples.takes.tolist()[:1] == windows.tolist()[:1]
    by_keras = model.predict(examples.takes, verbose=0).mean(0)
    assert scores[0] == pytest.approx(by_keras, abs=1e-6)


@pytest.mark.parametrize(
    ("images", "chain", "shape"),
    [
        (
            np.zeros((1, 28, 28, 1), np.uint8),
            ops.Chain([ops.Decode(1), ops.ToFloat()]),
            (28, 28, 1),
        ),
        (np.zeros((1, 32, 32, 3), np.uint8), None, (32, 32, 3)),
    ],
)
def test_examples_that_the_model_does_not_take_are_refused(images, chain, shape, trained, refused):
    assert refused(looking(trained, chain), read(images, None)) == (
        f"Expected examples of shape (32, 32, 1), as {trained.name!r} takes them. "
        f"Received: {shape}."
    )


def test_a_model_without_a_graph_or_weights_is_refused(refused):
    inputs = keras.Input((3,))
    flat = keras.Model(inputs, keras.layers.Flatten()(inputs), name="flat")
    assert refused(looking, flat, None) == ("Expected a model with weights. Received: 'flat'.")
    two = keras.Model([inputs, keras.Input((3,))], inputs, name="two")
    assert refused(looking, two, None) == (
        "Expected a functional Keras model with one input and one output. Received: 'two'."
    )
