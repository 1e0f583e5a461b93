"""check(): a sound job has no problem, and each common mistake is told."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.train.sound import RNG, X, Y, batches, classifier
from tfpipe import models, train
from tfpipe.errors import RequestError


def test_a_sound_job_has_no_problem(tmp_path):
    found = train.check(classifier(), batches(), picture=tmp_path / "batch.png")
    assert found.problems == ()
    counts = ", ".join(f"{np.sum(n == Y)} x {n}" for n in range(3))
    lines = str(found).splitlines()
    assert lines[0] == f"inputs: (16, 8, 8, 1) float32, from {X.min():.4g} to {X.max():.4g}"
    assert lines[1] == f"targets: (16,) int64, from 0 to 2: {counts}"
    assert lines[2].startswith("first loss: ")
    assert lines[2].endswith("; that of a guess is 1.099")
    assert lines[3].startswith("loss after 100 steps on this batch alone: 0.")
    assert lines[4:] == ["no problem found"]
    assert (tmp_path / "batch.png").read_bytes() == found.picture
    assert found.picture[1:4] == b"PNG"


@pytest.mark.parametrize("replicas", [1, 2])
def test_the_model_stays_as_it_was(two_devices, replicas):
    strategy = two_devices if replicas == 2 else tf.distribute.get_strategy()
    with strategy.scope():
        model = classifier()
        before = [keras.ops.convert_to_numpy(variable) for variable in model.variables]
        assert train.check(model, batches()).problems == ()
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), value)


@pytest.mark.parametrize(
    ("model", "dataset", "problem"),
    [
        (classifier(), batches(X * 255), "inputs are large: scale them to about -1 to 1"),
        (classifier(), batches(X * 0), "all inputs of the batch are the same"),
        (classifier(), batches(np.where(X > 0.99, np.nan, X)), "inputs are not finite"),
        (
            classifier(),
            batches(y=Y * 0),
            "all targets of the batch are the same: is the order shuffled?",
        ),
    ],
)
def test_a_mistake_is_told(model, dataset, problem):
    found = train.check(model, dataset)
    assert any(problem in sentence for sentence in found.problems), found
    assert f"problem: {found.problems[0]}" in str(found)


def test_what_is_no_image_has_no_picture():
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(1)(x))
    model.compile("sgd", "mse")
    data = tf.data.Dataset.from_tensor_slices((RNG.random((8, 4)), RNG.random(8))).batch(8)
    assert train.check(model, data).picture is None


def test_what_fit_refuses_is_refused():
    with pytest.raises(RequestError, match=r"^Expected batches of inputs \(None, 32, 32, 1\)"):
        train.check(models.lenet5(), batches())
