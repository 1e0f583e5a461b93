"""What a hundred steps on one batch tell: each common mistake of a model."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.losses import BinaryCrossentropy, CategoricalCrossentropy

from tests.train.sound import RNG, X, Y, classifier
from tfpipe.train.learning import _first_loss, learning
from tfpipe.train.losses import SparseCategoricalFocalCrossentropy

WEIGHTS = RNG.random(16).astype(np.float32) + 0.5
MEAN_WEIGHT = WEIGHTS.mean()


def test_a_model_that_learns_has_no_problem():
    facts, problems = learning(classifier(), (X, Y, None))
    assert problems == []
    assert facts[0].endswith("; that of a guess is 1.099")


@pytest.mark.parametrize(
    ("head", "loss", "targets", "weights", "guess"),
    [
        ("softmax", "sparse_categorical_crossentropy", Y, None, -np.log(1 / 3)),
        ("softmax", "sparse_categorical_crossentropy", Y, WEIGHTS, -np.log(1 / 3) * MEAN_WEIGHT),
        ("softmax", "categorical_crossentropy", np.eye(3)[Y], None, -np.log(1 / 3)),
        ("softmax", SparseCategoricalFocalCrossentropy(), Y, None, 4 / 36 * -np.log(1 / 3)),
        ("sigmoid", "binary_crossentropy", np.eye(3)[Y], None, -np.log(1 / 2)),
    ],
    ids=["labels", "weighted", "one-hot", "focal", "sigmoid"],
)
def test_a_guess_has_the_loss_of_equal_probabilities(head, loss, targets, weights, guess):
    facts, problems = learning(classifier(head, loss), (X, targets, weights))
    assert problems == []
    assert float(facts[0].split("that of a guess is ")[1]) == pytest.approx(guess, rel=1e-3)


@pytest.mark.parametrize(
    ("scale", "problem"), [(0.4, True), (0.6, False), (1.8, False), (2.2, True)]
)
def test_a_first_loss_far_from_that_of_a_guess_is_told(scale, problem):
    _, problems = _first_loss(scale * 1.099, 1.099)
    sentence = f"the first loss is {scale * 1.099:.4g}, and that of a guess is 1.099"
    assert problems == [sentence] * problem


def test_without_a_guess_the_first_loss_is_told_alone():
    facts, _ = learning(classifier(None, "mse"), (X, np.eye(3)[Y], None))
    assert facts[0].startswith("first loss: ")
    assert ";" not in facts[0]


def test_several_outputs_have_no_guess():
    x = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(x)
    heads = {name: keras.layers.Dense(3, activation="softmax", name=name)(flat) for name in "ab"}
    model = keras.Model(x, heads)
    model.compile("sgd", {name: "sparse_categorical_crossentropy" for name in "ab"})
    facts, _ = learning(model, (X, {"a": Y, "b": Y}, None))
    assert ";" not in facts[0]


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (
            classifier(trick=keras.layers.Rescaling(1000.0)),
            "and that of a guess is 1.099",
        ),
        (
            classifier(trick=keras.layers.Lambda(keras.ops.stop_gradient)),
            "hidden/kernel has no gradient: the loss does not depend on it",
        ),
        (
            classifier(trick=keras.layers.Rescaling(0.0)),
            "the gradient of hidden/kernel is 0 everywhere",
        ),
        (
            classifier(trick=keras.layers.Rescaling(0.0)),
            "the model cannot learn one batch: its loss is",
        ),
    ],
)
def test_a_mistake_is_told(model, problem):
    _, problems = learning(model, (X, Y, None))
    assert any(problem in sentence for sentence in problems), problems


@tf.custom_gradient
def without_gradient(x):
    """The same; its gradient is not a number."""
    return x, lambda upstream: upstream * np.nan


def test_a_gradient_that_is_not_finite_is_told():
    model = classifier(trick=keras.layers.Lambda(without_gradient))
    _, problems = learning(model, (X, Y, None))
    assert problems[0] == "the gradient of hidden/kernel is not finite"


def test_a_model_that_learns_slowly_or_has_a_floor_is_not_called_sick():
    smooth = keras.losses.CategoricalCrossentropy(label_smoothing=0.2)
    slow = classifier("softmax", smooth, trick=keras.layers.GaussianNoise(1.0))
    facts, problems = learning(slow, (X, np.eye(3)[Y], None))
    assert problems == []
    steps = int(facts[-1].split("loss after ")[1].split()[0])
    assert 100 < steps <= 1000


def test_a_loss_below_0_need_only_fall():
    def likelihood(y, p):  # of a normal distribution of a small spread: its least is not 0
        return 2 * keras.ops.mean((y - p) ** 2, -1) - 3.0

    targets = np.eye(3, dtype=np.float32)[Y]
    facts, problems = learning(classifier(loss=likelihood), (X, targets, None))
    assert problems == []
    told = r".*: (-[\d.]+); of one below 0 no least is known: it need only fall"
    assert float(re.fullmatch(told, facts[-1])[1]) < -2.6  # it began above; -3 is the least
    _, problems = learning(
        classifier(loss=lambda y, p: 0 * keras.ops.mean(p, -1) - 3.0), (X, targets, None)
    )
    assert problems[-1] == "the model cannot learn one batch: its loss is -3 after -3"


def test_a_model_of_which_nothing_trains_is_told():
    model = classifier()
    model.trainable = False
    assert learning(model, (X, Y, None))[1] == ["no weight of the model trains"]


@pytest.mark.parametrize(
    ("head", "loss", "targets", "least"),  # the entropy of the (smoothed) targets, by hand
    [
        ("softmax", CategoricalCrossentropy(label_smoothing=0.3), np.eye(3)[Y], "0.639"),
        (None, CategoricalCrossentropy(from_logits=True), np.eye(3)[Y] / 4 + 0.25, "1.04"),
        ("sigmoid", BinaryCrossentropy(label_smoothing=0.4), np.eye(3)[Y], "0.5004"),
        (None, BinaryCrossentropy(from_logits=True), np.eye(3)[Y] / 2 + 0.25, "0.5623"),
    ],
    ids=["smoothed", "mixed", "binary smoothed", "binary mixed"],
)
def test_what_soft_targets_leave_is_not_held_against_a_model(head, loss, targets, least):
    targets = targets.astype(np.float32)
    facts, problems = learning(classifier(head, loss), (X, targets, None))
    assert problems == []
    assert facts[-1].endswith(f"; soft targets leave {least}")
    _, problems = learning(
        classifier(head, loss, trick=keras.layers.Rescaling(0.0)), (X, targets, None)
    )
    assert "the model cannot learn one batch" in problems[-1]
