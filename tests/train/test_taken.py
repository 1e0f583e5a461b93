"""What a cross-entropy does not take, and which models scale their inputs themselves."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.train.sound import X, Y, batches, classifier
from tfpipe import ops, train
from tfpipe.errors import RequestError
from tfpipe.train import taken

LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
ODD = (Y % 2).astype(np.float32)[:, None]


def one_output(activation):
    x = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(x)
    model = keras.Model(x, keras.layers.Dense(1, activation=activation)(flat))
    model.compile("sgd", "binary_crossentropy")
    return model


def found(model, targets):
    return taken.problems(model, (X, tf.constant(targets), None))


@pytest.mark.parametrize(
    ("model", "targets"),
    [
        (classifier(), Y),
        (classifier(None, LOGITS), Y),
        (classifier(None, "mse"), np.eye(3)[Y]),
        (classifier("softmax", "categorical_crossentropy"), np.eye(3)[Y]),
        (classifier("softmax", train.SparseCategoricalFocalCrossentropy()), Y),
        (one_output("sigmoid"), ODD),
    ],
)
def test_what_fits_has_no_problem(model, targets):
    assert found(model, targets) == []


def test_outputs_that_are_no_probabilities_are_told():
    (problem,) = found(classifier(None), Y)
    assert problem.startswith("the loss takes probabilities, and the model's outputs are from -")
    assert problem.endswith(
        ": give the loss from_logits=True, or end in a softmax (one class) or a sigmoid "
        "(several labels)"
    )


def test_targets_that_are_no_probabilities_are_told():
    assert found(one_output("sigmoid"), ODD + 1) == [
        "the loss takes targets from 0 to 1. Received: targets from 1 to 2"
    ]


@pytest.mark.filterwarnings("ignore:.*softmax over axis")  # Keras tells it, too
def test_a_softmax_over_one_output_is_told():
    assert found(one_output("softmax"), ODD) == [
        "a softmax over one output is always 1: take a sigmoid, or an output per class"
    ]


def test_outputs_that_are_not_numbers_are_another_problem():
    assert taken.problems(classifier(None), (X * np.nan, tf.constant(Y), None)) == []


def test_layers_that_scale_are_found_wherever_they_are():
    pixels = keras.Input((8, 8, 1))
    inner = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Rescaling(1 / 255)])
    assert taken.normalises(keras.Model(pixels, inner(pixels)))
    chain = ops.Chain([ops.ToFloat()])
    images = keras.Input((8, 8, 1), dtype="uint8")
    assert taken.normalises(keras.Model(images, chain.as_layer()(images)))
    assert not taken.normalises(classifier())


def test_a_model_that_scales_its_inputs_is_not_called_sick():
    scaled = classifier(trick=keras.layers.BatchNormalization())
    assert train.check(scaled, batches(X * 255)).problems == ()


def test_bytes_that_nobody_scales_are_told():
    pixels = (X * 255).astype(np.uint8)
    problems = train.check(classifier(), batches(pixels)).problems
    assert problems[0] == "inputs are large: scale them to about -1 to 1"


def test_labels_outside_the_classes_are_refused_as_in_fit():
    with pytest.raises(RequestError, match=r"^Expected labels from 0 to 2, as the model has 3"):
        train.check(classifier(), batches(y=Y + 1))


def test_sparse_inputs_are_looked_at():
    x = keras.Input((64,), sparse=True)
    model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(x))
    model.compile("sgd", "sparse_categorical_crossentropy")
    flat = tf.sparse.from_dense(X.reshape(16, 64))
    data = tf.data.Dataset.from_tensor_slices((flat, Y)).batch(16)
    assert train.check(model, data).facts[0].startswith("inputs: (16, 64) float32, from ")
