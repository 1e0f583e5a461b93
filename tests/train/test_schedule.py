"""The optimizer of most jobs: its rate step by step, and the average of the weights."""

import keras
import numpy as np
import pytest

from tfpipe import train
from tfpipe.errors import RequestError


def steps(optimizer, number):
    """Where a weight goes whose gradient is always 1."""
    weight = keras.Variable([0.0])
    optimizer.build([weight])
    path = []
    for _ in range(number):
        optimizer.apply([np.ones(1, np.float32)])
        path.append(float(weight.numpy()[0]))
    return weight, path


def test_the_rate_falls_along_half_a_cosine():
    _, path = steps(train.cosine_adam(0.1, 10), 10)
    # With equal gradients, each of Adam's steps is as long as its learning rate.
    rates = 0.05 * (1 + np.cos(np.pi * np.arange(10) / 10))
    np.testing.assert_allclose(np.diff([0, *path]), -rates, rtol=1e-4)


def test_a_warm_up_rises_in_a_straight_line_and_the_cosine_follows():
    _, path = steps(train.cosine_adam(0.1, 14, warm_up=0.3), 14)
    cosine = 0.05 * (1 + np.cos(np.pi * np.arange(10) / 10))
    rates = np.concatenate([0.1 * np.arange(4) / 4, cosine])
    np.testing.assert_allclose(np.diff([0, *path]), -rates, rtol=1e-4, atol=1e-6)


def test_the_average_is_over_the_last_share_of_the_steps():
    optimizer = train.cosine_adam(0.1, 20, average=0.25)
    weight, path = steps(optimizer, 20)
    expected = path[0]
    for value in path[1:]:  # over 5 steps
        expected = 0.8 * expected + 0.2 * value
    optimizer.finalize_variable_values([weight])
    assert float(weight.numpy()[0]) == pytest.approx(expected, rel=1e-4)


def test_an_average_over_less_than_a_step_is_the_weight_itself():
    optimizer = train.cosine_adam(0.1, 3, average=0.1)
    weight, path = steps(optimizer, 3)
    optimizer.finalize_variable_values([weight])
    assert float(weight.numpy()[0]) == pytest.approx(path[-1])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"steps": 0}, "Expected `steps` to be at least 1. Received: steps=0"),
        (
            {"steps": 5, "average": 1.5},
            "Expected `average` to be a fraction from 0 to 1. Received: average=1.5",
        ),
        (
            {"steps": 5, "warm_up": -1},
            "Expected `warm_up` to be a fraction from 0 to 1. Received: warm_up=-1",
        ),
    ],
)
def test_what_is_no_schedule_is_refused(arguments, sentence):
    with pytest.raises(RequestError) as caught:
        train.cosine_adam(0.1, **arguments)
    assert str(caught.value) == sentence
