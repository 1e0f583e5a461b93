"""A copy is compiled like the model, and shares nothing with it."""

import keras
import numpy as np
import pytest

from tfpipe.compress.copying import copied
from tfpipe.errors import RequestError


def absolute(y, y_pred):
    return keras.ops.mean(keras.ops.abs(y - y_pred), axis=-1)


def model():
    x = keras.Input((3,))
    return keras.Model(x, keras.layers.Dense(2, name="dense")(x), name="small")


def test_losses_and_metrics_need_not_be_registered():
    given = model()
    counted = keras.metrics.MeanSquaredError(name="squares")
    given.compile("sgd", absolute, metrics=[absolute, counted], weighted_metrics=["mae"])
    given.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    copy = copied(given, None)
    assert copy.loss is absolute
    result = copy.evaluate(np.ones((4, 3)), np.ones((4, 2)), verbose=0, return_dict=True)
    assert set(result) == {"loss", "absolute", "squares", "mae"}
    assert counted not in copy._compile_config.config["metrics"]
    assert copy.layers[1].kernel is not given.layers[1].kernel
    np.testing.assert_array_equal(copy.layers[1].kernel, given.layers[1].kernel)


def test_the_optimizer_is_a_new_one():
    given = model()
    given.compile(keras.optimizers.SGD(0.25), "mse")
    given.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    copy = copied(given, None)
    assert copy.optimizer.get_config() == given.optimizer.get_config()
    assert int(copy.optimizer.iterations) == 0
    for adam in (keras.optimizers.Adam(), "adam"):  # as `model.compile` takes them
        assert isinstance(copied(given, adam).optimizer, keras.optimizers.Adam)


def test_a_subclass_is_refused():
    class Own(keras.Model):
        def call(self, x):
            return x

    own = Own(name="own")
    own.compile("sgd", "mse")
    with pytest.raises(RequestError) as caught:
        copied(own, None)
    assert str(caught.value) == (
        "The model 'own' is a subclass of keras.Model (Own), and what its own code does is not "
        "known here. Build it as keras.Sequential or keras.Model(inputs, outputs)."
    )
