"""What a hundred steps on one batch tell: each common mistake of a model."""

import keras
import pytest

from tests.train.sound import X, Y, classifier
from tfpipe.train.learning import learning


def test_a_model_that_learns_has_no_problem():
    facts, problems = learning(classifier(), (X, Y, None), 3)
    assert problems == []
    assert facts[0].endswith("; -log(1/3) is 1.099")


def test_without_classes_the_first_loss_is_told_alone():
    facts, _ = learning(classifier(), (X, Y, None), None)
    assert facts[0].startswith("first loss: ")
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
    _, problems = learning(model, (X, Y, None), 3)
    assert any(problem in sentence for sentence in problems), problems
