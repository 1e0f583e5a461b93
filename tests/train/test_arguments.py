"""What `fit` refuses before it looks at model and data."""

import keras
import pytest
import tensorflow as tf

from tfpipe import train
from tfpipe.errors import RequestError

BATCHES = tf.data.Dataset.from_tensor_slices((tf.zeros((4, 2)), tf.zeros(4))).batch(2)


def refused(**options):
    x = keras.Input((2,))
    model = keras.Model(x, keras.layers.Dense(1)(x))
    with pytest.raises(RequestError) as caught:
        train.fit(model, BATCHES, loss="mse", **options)
    return str(caught.value)


@pytest.mark.parametrize("name", ["epochs", "accumulate"])
def test_nothing_to_do(name):
    assert refused(**{name: 0}) == f"Expected `{name}` to be at least 1. Received: {name}=0"


@pytest.mark.parametrize("steps", [0, "many"])
def test_a_call_of_no_steps(steps):
    assert refused(steps_per_call=steps) == (
        f"Expected `steps_per_call` to be at least 1, or 'auto'. Received: steps_per_call={steps!r}"
    )


@pytest.mark.parametrize("norm", [0.0, -1.0, float("nan")])
def test_a_norm_that_no_gradient_has(norm):
    assert refused(clip_norm=norm) == (
        f"Expected `clip_norm` to be above 0, or None. Received: clip_norm={norm}"
    )


def test_an_unknown_answer_to_nan():
    assert refused(on_nan="skipp") == (
        "Expected `on_nan` to be one of 'stop', 'skip'. Received: on_nan='skipp'. "
        "Did you mean 'skip'?"
    )
