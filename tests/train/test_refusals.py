"""Models, losses and data that fit refuses before time is spent, and those that go together."""

import keras
import numpy as np
import pytest

from tests.train.uncompiled import TRAIN, model_of, refused
from tfpipe import train


def test_a_loss_of_the_wrong_length_is_refused():
    def wrong(y_true, y_pred):
        return keras.ops.concatenate([y_pred[:, 0], y_pred[:1, 0]])

    assert refused(model_of(), TRAIN, loss=wrong) == (
        "Expected the loss to return one value per example, 7 for a batch of 7. "
        "Received: shape=(8,) from wrong"
    )


def test_labels_without_an_axis_fit_one_sigmoid():
    x = keras.Input((6,))
    model = keras.Model(x, keras.layers.Dense(1, activation="sigmoid")(x))
    labels = TRAIN.map(lambda x, y: (x, y % 2))
    history = train.fit(model, labels, loss="binary_crossentropy").history
    assert np.isfinite(history["loss"]).all()


def test_a_model_with_a_step_of_its_own_is_refused():
    class Own(keras.Model):
        def train_step(self, data):
            return {}

    assert refused(model_of(kind=Own), TRAIN) == (
        "The model 'small' has a `train_step` of its own, which `fit` would not call. "
        "Train it with its own `model.fit`."
    )


@pytest.mark.parametrize("name", ["train", "val"])
def test_inputs_of_another_shape_are_refused(name):
    other = TRAIN.map(lambda x, y: (x[:, :5], y))
    datasets = {"train": (other, None), "val": (TRAIN, other)}[name]
    assert refused(model_of(), *datasets) == (
        "Expected batches of inputs (None, 6), as the model 'small' takes them. "
        f"Received: (None, 5) from `{name}`"
    )


@pytest.mark.parametrize(
    ("option", "advice"),
    [
        ({"gradient_accumulation_steps": 2}, "Give `fit` `accumulate` instead."),
        (
            {"use_ema": True, "ema_overwrite_frequency": 3},
            "Leave it out: the averages end in the model all the same.",
        ),
    ],
)
def test_what_keras_optimizers_cannot_do_on_replicas_is_refused(two_devices, option, advice):
    with two_devices.scope():
        model = model_of()
        model.compile(keras.optimizers.Adam(**option), "sparse_categorical_crossentropy")
    name, value = list(option.items())[-1]
    assert refused(model, TRAIN) == (
        f"Expected an optimizer without `{name}`, which Keras cannot do on several replicas. "
        f"Received: {name}={value}. {advice}"
    )
