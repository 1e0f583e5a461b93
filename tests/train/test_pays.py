"""What pays for a model; a compiled update is the same update."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe.models import lenet5
from tfpipe.train import fit, pays


def wide(width, **compiled):
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense(width, "relu", kernel_constraint=compiled.pop("constraint", None))
    outputs = keras.layers.Dense(3, "softmax")
    model = keras.Sequential([keras.Input((400,)), dense, outputs])
    model.compile(compiled.get("optimizer", "adam"), "sparse_categorical_crossentropy")
    return model


class Slower(keras.optimizers.schedules.LearningRateSchedule):
    """Of somebody's own, in Python: more than XLA can compile."""

    def __call__(self, step):
        rate = tf.numpy_function(lambda step: np.float32(0.1 / (1 + step)), [step], tf.float32)
        return tf.ensure_shape(rate, ())

    def get_config(self):
        return {}


class Mine(keras.optimizers.SGD):
    """Somebody's own."""


class Capped(keras.constraints.Constraint):
    """Somebody's own."""

    def __call__(self, w):
        return tf.minimum(w, 1.0)


def test_small_models_overlap_and_large_variables_are_updated_by_xla():
    assert (pays.overlapping(wide(300)), pays.compiled_update(wide(300))) == (True, False)
    assert (pays.overlapping(wide(400)), pays.compiled_update(wide(400))) == (False, True)
    matrix = keras.Sequential([keras.Input((40_000,)), keras.layers.Dense(3, use_bias=False)])
    matrix.compile("adam", "mse")
    assert (pays.overlapping(matrix), pays.compiled_update(matrix)) == (True, False)
    small = lenet5()
    small.compile("adam", "sparse_categorical_crossentropy")
    assert (pays.overlapping(small), pays.compiled_update(small)) == (True, False)


def test_many_small_variables_are_updated_as_they_are():
    layers = [keras.layers.Dense(64) for _ in range(40)]
    model = keras.Sequential([keras.Input((64,)), *layers])
    model.compile("adam", "mse")
    assert (pays.overlapping(model), pays.compiled_update(model)) == (False, False)


@pytest.mark.parametrize(
    "compiled", [{"optimizer": Mine()}, {"optimizer": keras.optimizers.Adam(Slower())},
                 {"constraint": Capped()}],
)  # fmt: skip
def test_code_of_ones_own_is_not_compiled(compiled):
    assert not pays.compiled_update(wide(400, **compiled))


@pytest.mark.parametrize(
    "compiled",
    [{"optimizer": keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(0.1, 9))},
     {"optimizer": keras.optimizers.SGD(0.1, momentum=0.9)},
     {"optimizer": keras.optimizers.Adam(use_ema=True, ema_overwrite_frequency=3)},
     {"optimizer": keras.optimizers.LossScaleOptimizer(keras.optimizers.RMSprop())},
     {"constraint": keras.constraints.MaxNorm(0.5)}],
)  # fmt: skip
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_compiled_update_is_keras_own(compiled, accumulate):
    rng = np.random.default_rng(0)
    x, y = rng.random((24, 400), np.float32), rng.integers(0, 3, 24)
    examples = tf.data.Dataset.from_tensor_slices((x, y))
    ours, keras_own = (wide(400, **config(compiled)) for _ in range(2))
    assert pays.compiled_update(ours)
    fit(ours, examples.batch(8 // accumulate), epochs=2, clip_norm=None, accumulate=accumulate)
    keras_own.fit(examples.batch(8), epochs=2, verbose=0, shuffle=False)
    for a, b in zip(ours.get_weights(), keras_own.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_what_fit_compiles_is_asked_for_by_auto_alone(monkeypatch):
    asked = []
    monkeypatch.setattr(pays, "compiled_update", lambda model: asked.append(model) or False)
    x, y = np.zeros((4, 400), np.float32), np.zeros(4, np.int64)
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    fit(wide(4), batches, epochs=1, jit_compile=False)
    assert not asked
    fit(wide(4), batches, epochs=1)
    assert len(asked) == 1


def config(compiled):
    """Objects of the same settings: an optimizer belongs to one model."""
    return {
        key: type(value).from_config(value.get_config()) if key == "optimizer" else value
        for key, value in compiled.items()
    }


def test_an_update_that_xla_cannot_compile_runs_without_it(monkeypatch):
    x, y = np.zeros((4, 400), np.float32), np.zeros(4, np.int64)
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    fit(wide(400, optimizer=keras.optimizers.SGD(Slower())), batches, epochs=1)
    monkeypatch.setattr(pays, "compiled_update", lambda model: True)
    with pytest.raises(tf.errors.InvalidArgumentError, match="PyFunc"):
        fit(wide(400, optimizer=keras.optimizers.SGD(Slower())), batches, epochs=1)
