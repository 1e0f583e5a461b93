"""keep(): a finished training is loaded, an unfinished one is made again."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import train


def model():
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(2, name="dense")(x))
    model.compile("adam", "mse", metrics=["mae"])
    return model


def trained():
    made = model()
    x = np.random.default_rng(0).random((16, 4), np.float32)
    made.fit(x, x[:, :2], epochs=3, verbose=0)
    return made


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def never():
    raise AssertionError("trained again")


def test_a_training_is_made_and_kept(tmp_path):
    made, history = train.keep(tmp_path / "dense.keras", trained)
    assert names(tmp_path) == ["dense.history.json", "dense.keras"]
    assert history == made.history.history
    assert len(history["loss"]) == 3


def test_a_history_tells_its_model_and_the_arguments_are_passed_on(tmp_path):
    untrained, x = model(), np.ones((8, 4), np.float32)
    batches = tf.data.Dataset.from_tensor_slices((x, x[:, :2])).batch(4)
    kept, history = train.keep(tmp_path / "m.keras", train.fit, untrained, batches, epochs=2)
    assert kept is untrained
    assert len(history["mae"]) == 2


def test_a_kept_training_is_not_made_again(tmp_path):
    made, history = train.keep(tmp_path / "dense.keras", trained)
    loaded, again = train.keep(str(tmp_path / "dense.keras"), never)
    assert again == history
    for a, b in zip(made.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_kept_model_is_compiled_and_trains_on_where_it_was(tmp_path):
    train.keep(tmp_path / "dense.keras", trained)
    loaded, _ = train.keep(tmp_path / "dense.keras", never)
    assert loaded.compiled
    assert int(loaded.optimizer.iterations) == 3


def test_what_is_loaded_in_a_scope_trains_there(tmp_path, two_devices):
    train.keep(tmp_path / "dense.keras", trained)
    with two_devices.scope():
        loaded, _ = train.keep(tmp_path / "dense.keras", never)
    assert loaded.distribute_strategy is two_devices


def test_an_interrupted_training_leaves_nothing_and_is_made_again(tmp_path):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.keep(tmp_path / "dense.keras", interrupted)
    assert names(tmp_path) == []
    train.keep(tmp_path / "dense.keras", trained)


def test_without_its_model_a_history_is_no_finished_training(tmp_path):
    (tmp_path / "dense.history.json").write_text('{"loss": [0.0]}')
    _, history = train.keep(tmp_path / "dense.keras", trained)
    assert len(history["loss"]) == 3
