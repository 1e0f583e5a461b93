"""fit(): the same training as Keras' own, with its callbacks beside it."""

import re
import threading
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import models, train
from tfpipe.errors import RequestError
from tfpipe.train import data, loop

RNG = np.random.default_rng(0)
X = RNG.random((42, 6), np.float32)
Y = (X[:, 0] * 3).astype(np.int64)
WEIGHTS = RNG.random(42, np.float32)
TRAIN = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)  # 6 steps, the last one of 2
VAL = tf.data.Dataset.from_tensor_slices((X[:21], Y[:21])).batch(8)


def fit(*arguments, **options):
    """As Keras trains: it clips no gradient unless told to."""
    return train.fit(*arguments, **{"clip_norm": None, **options})


def classifier(optimizer="sgd", **compiled):
    keras.utils.set_random_seed(1)
    x = keras.Input((6,))
    hidden = keras.layers.Dense(5, activation="tanh")(x)
    model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(hidden), name="small")
    settings = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **compiled}
    model.compile(optimizer, **settings)
    return model


def assert_close(one, two):
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def assert_same_history(one, two):
    assert sorted(one) == sorted(two)
    for name in one:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-5, err_msg=name)


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        fit(*arguments, **options)
    return str(caught.value)


class Calls(keras.callbacks.Callback):
    """Every call of a callback, in order."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_begin(self, logs=None):
        self.seen.append("train")

    def on_epoch_begin(self, epoch, logs=None):
        self.seen.append(f"epoch {epoch}")

    def on_train_batch_begin(self, batch, logs=None):
        self.seen.append(f"from {batch}")

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(f"to {batch}")

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(sorted(logs))

    def on_train_end(self, logs=None):
        self.seen.append("end")


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_it_trains_as_keras_trains(optimizer):
    ours, theirs = classifier(optimizer), classifier(optimizer)
    history = fit(ours, TRAIN, VAL, epochs=3)
    expected = theirs.fit(TRAIN, validation_data=VAL, epochs=3, verbose=0, shuffle=False)
    assert_close(ours.get_weights(), theirs.get_weights())
    assert_same_history(history.history, expected.history)
    assert history.epoch == [0, 1, 2]
    assert ours.history is history


def test_lenet_trains_as_keras_trains(digits):
    images, labels = digits
    floats = images[:40].astype(np.float32) / 255
    dataset = tf.data.Dataset.from_tensor_slices((floats, labels[:40])).batch(16)

    def lenet():
        keras.utils.set_random_seed(2)
        model = models.lenet5()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    ours, theirs = lenet(), lenet()
    history = fit(ours, dataset, epochs=2).history
    assert_same_history(history, theirs.fit(dataset, epochs=2, verbose=0, shuffle=False).history)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_layers_that_differ_in_training_and_after_are_told_which_it_is():
    def normalised():
        keras.utils.set_random_seed(1)
        x = keras.Input((6,))
        h = keras.layers.BatchNormalization()(keras.layers.Dense(5)(x))
        model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(h))
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    ours, theirs = normalised(), normalised()
    history = fit(ours, TRAIN, VAL, epochs=2).history
    expected = theirs.fit(TRAIN, validation_data=VAL, epochs=2, verbose=0, shuffle=False)
    assert_close(ours.get_weights(), theirs.get_weights())
    assert_same_history(history, expected.history)


def test_sample_weights_count_as_in_keras():
    weighted = tf.data.Dataset.from_tensor_slices((X, Y, WEIGHTS)).batch(8)
    ours, theirs = (classifier(weighted_metrics=["accuracy"]) for _ in range(2))
    history = fit(ours, weighted, weighted, epochs=2).history
    expected = theirs.fit(weighted, validation_data=weighted, epochs=2, verbose=0, shuffle=False)
    assert_close(ours.get_weights(), theirs.get_weights())
    assert_same_history(history, expected.history)


def test_a_model_of_several_outputs_trains_as_in_keras():
    def two_headed():
        keras.utils.set_random_seed(1)
        x = keras.Input((6,))
        a = keras.layers.Dense(3, activation="softmax", name="a")(x)
        model = keras.Model(x, {"a": a, "b": keras.layers.Dense(1, name="b")(x)})
        losses = {"a": "sparse_categorical_crossentropy", "b": "mse"}
        model.compile("sgd", losses, metrics={"a": "accuracy", "b": "mae"})
        return model

    targets = {"a": Y, "b": WEIGHTS[:, None]}
    dataset = tf.data.Dataset.from_tensor_slices((X, targets)).batch(8)
    ours, theirs = two_headed(), two_headed()
    history = fit(ours, dataset, dataset, epochs=2).history
    expected = theirs.fit(dataset, validation_data=dataset, epochs=2, verbose=0, shuffle=False)
    assert_close(ours.get_weights(), theirs.get_weights())
    assert_same_history(history, expected.history)


def test_a_model_that_knows_no_input_size_yet_gets_it_from_the_data():
    model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
    assert np.isfinite(fit(model, TRAIN).history["loss"]).all()
    assert model.input_shape == (None, 6)


def test_val_metrics_are_those_of_evaluate():
    model = classifier()
    history = fit(model, TRAIN, VAL, epochs=2).history
    expected = model.evaluate(VAL, return_dict=True, verbose=0)
    assert history["val_loss"][-1] == pytest.approx(expected["loss"], rel=1e-6)
    assert history["val_accuracy"][-1] == pytest.approx(expected["accuracy"])


@pytest.mark.parametrize("steps_per_call", [1, 4])
def test_the_steps_in_a_call_change_nothing(steps_per_call):
    model, expected = classifier("adam"), classifier("adam")
    history = fit(model, TRAIN, VAL, epochs=2, steps_per_call=steps_per_call).history
    assert_same_history(history, fit(expected, TRAIN, VAL, epochs=2).history)
    assert_close(model.get_weights(), expected.get_weights())


def test_callbacks_are_called_as_keras_calls_them():
    calls, expected = Calls(), Calls()
    fit(classifier(), TRAIN, VAL, epochs=2, steps_per_call=3, callbacks=[calls])
    classifier(steps_per_execution=3).fit(
        TRAIN, validation_data=VAL, epochs=2, callbacks=[expected], verbose=0, shuffle=False
    )
    assert calls.seen == expected.seen


def test_a_call_of_fewer_steps_is_counted_as_it_is():
    calls = Calls()
    fit(classifier(), TRAIN, steps_per_call=4, callbacks=[calls])
    assert calls.seen[1:-2] == ["epoch 0", "from 0", "to 3", "from 4", "to 5"]


def test_no_epoch_waits_for_the_iterators_of_the_one_before(monkeypatch):
    gone = []

    def watched(dataset):
        iterator = iter(dataset)
        weakref.finalize(iterator, lambda: gone.append(threading.current_thread().name))
        return iterator

    monkeypatch.setattr(data, "iter", watched, raising=False)
    fit(classifier(), TRAIN, VAL, epochs=3)
    for thread in threading.enumerate():
        if thread.name == "tfpipe-let-go":
            thread.join()
    assert gone == ["tfpipe-let-go"] * 6


def test_callbacks_see_the_mean_so_far():
    seen = []
    at_end = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(logs)
    )
    history = fit(classifier(), TRAIN, steps_per_call=5, callbacks=[at_end]).history
    model = classifier()
    expected = fit(model, TRAIN.take(5)).history
    assert seen[0]["loss"] == pytest.approx(expected["loss"][0])
    assert seen[-1]["loss"] == history["loss"][0]


def test_early_stopping_stops_and_restores():
    stopping = keras.callbacks.EarlyStopping(
        "val_loss", patience=1, mode="max", restore_best_weights=True
    )
    model, expected = classifier(), classifier()
    history = fit(model, TRAIN, VAL, epochs=9, callbacks=[stopping]).history
    assert len(history["loss"]) == 2  # the loss falls, and so gets worse for mode="max"
    fit(expected, TRAIN, VAL, epochs=1)
    assert_close(model.get_weights(), expected.get_weights())


def test_a_training_after_one_that_stopped_early_is_whole():
    model = classifier()
    stop = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", True)
    )
    assert len(fit(model, TRAIN, epochs=3, callbacks=[stop]).epoch) == 1
    assert len(fit(model, TRAIN, epochs=3).epoch) == 3


def test_a_callback_can_stop_in_the_middle_of_an_epoch():
    model, calls = classifier(), Calls()
    stop = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: setattr(model, "stop_training", batch == 3)
    )
    fit(model, TRAIN, epochs=3, steps_per_call=2, callbacks=[calls, stop])
    assert calls.seen == [
        "train", "epoch 0", "from 0", "to 1", "from 2", "to 3", ["accuracy", "loss"], "end"
    ]  # fmt: skip


def test_a_checkpoint_is_written_and_gives_the_same_model(tmp_path):
    model = classifier()
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras", "val_loss")
    fit(model, TRAIN, VAL, epochs=2, callbacks=[checkpoint])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.keras", "2.keras"]
    loaded = keras.models.load_model(tmp_path / "2.keras")
    assert_close(loaded.get_weights(), model.get_weights())


def test_a_csv_file_is_written(tmp_path):
    table = keras.callbacks.CSVLogger(str(tmp_path / "log.csv"))
    history = train.fit(classifier(), TRAIN, VAL, epochs=2, callbacks=[table]).history
    head, *rows = (tmp_path / "log.csv").read_text().splitlines()
    assert head == "epoch,accuracy,loss,val_accuracy,val_loss"
    assert [float(row.split(",")[4]) for row in rows] == history["val_loss"]


def test_tensorboard_gets_every_epoch(tmp_path):
    board = keras.callbacks.TensorBoard(tmp_path, profile_batch=0)
    history = fit(classifier(), TRAIN, VAL, epochs=2, callbacks=[board]).history
    (events,) = (tmp_path / "validation").glob("events.*")
    found = [
        float(tf.make_ndarray(value.tensor))
        for event in tf.compat.v1.train.summary_iterator(str(events))
        for value in event.summary.value
        if value.tag == "epoch_loss"
    ]
    np.testing.assert_allclose(found, history["val_loss"], rtol=1e-6)


def test_a_schedule_by_callback_sets_the_rate():
    model = classifier()
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    fit(model, TRAIN, epochs=2, callbacks=[schedule])
    assert float(model.optimizer.learning_rate) == pytest.approx(0.05)


def test_mixed_float16_trains_with_a_scaled_loss(two_devices):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        with two_devices.scope():
            model = classifier("adam")
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    history = fit(model, TRAIN, epochs=8).history
    assert history["loss"][-1] < history["loss"][0]
    # The first scale, 2^15, overflows nothing here: every step was an update.
    iterations = model.optimizer.inner_optimizer.iterations
    assert int(keras.ops.convert_to_numpy(iterations)) == 48
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}


def test_scaling_the_loss_changes_no_gradient():
    scaled = classifier(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01)))
    plain = classifier(keras.optimizers.SGD(0.01))
    history = [fit(model, TRAIN, epochs=2).history for model in (scaled, plain)]
    assert_close(scaled.get_weights(), plain.get_weights())
    assert_same_history(*history)


def test_a_softmax_model_that_is_not_compiled_gets_adam():
    x = keras.Input((6,))
    model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(x))
    history = fit(model, TRAIN, VAL).history
    assert isinstance(model.optimizer, keras.optimizers.Adam)
    assert sorted(history) == ["accuracy", "loss", "val_accuracy", "val_loss"]


def test_every_epoch_is_a_line_where_there_is_no_terminal(capsys):
    history = fit(classifier(), TRAIN, VAL, epochs=2).history
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    for epoch, line in enumerate(lines):
        numbers = [f"{name} {values[epoch]:.4f}" for name, values in history.items()]
        start, *found, rate, wait, seconds = re.split(": |, ", line)
        assert start == f"epoch {epoch + 1}/2"
        assert sorted(found) == sorted(numbers)
        assert re.fullmatch(r"[\d,]+ examples/s", rate)
        assert re.fullmatch(r"input wait [01]\.\d\d", wait)
        assert re.fullmatch(r"\d+\.\d s", seconds)


def test_a_model_without_a_softmax_is_not_guessed_at():
    x = keras.Input((6,))
    model = keras.Model(x, keras.layers.Dense(3)(x), name="logits")
    assert refused(model, TRAIN) == (
        "The model 'logits' is not compiled and does not end in a softmax, so there is no loss to "
        "choose. Give `fit` a `loss`, or call `model.compile(optimizer=..., loss=..., "
        "metrics=[...])` first."
    )


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda dataset: dataset.take(0), "it is empty"),
        (lambda dataset: dataset.repeat(), "it is infinite"),
        (lambda dataset: dataset.filter(lambda x, y: True), "its length is unknown"),
    ],
)
@pytest.mark.parametrize("name", ["train", "val"])
def test_a_dataset_without_a_known_length_is_refused(name, change, found):
    datasets = {"train": TRAIN, "val": VAL}
    datasets[name] = change(datasets[name])
    assert refused(classifier(), *datasets.values()) == (
        f"Expected `{name}` to have a known number of batches. Received: {found}. "
        "`dataset.apply(tf.data.experimental.assert_cardinality(n))` tells it."
    )


def test_a_told_length_is_enough():
    told = TRAIN.filter(lambda x, y: True).apply(tf.data.experimental.assert_cardinality(6))
    assert len(fit(classifier(), told).epoch) == 1


def test_batches_without_targets_are_refused():
    assert refused(classifier(), TRAIN.map(lambda x, y: x)) == (
        "Expected `train` to hold batches of (inputs, targets) or with sample weights too. "
        "Received: element_spec=TensorSpec(shape=(None, 6), dtype=tf.float32, name=None)"
    )


def test_the_line_of_an_epoch_leaves_out_the_parts_of_metrics():
    assert loop._words({"auc": 0.5, "auc/Mass": 0.25, "loss": 1.0}) == "auc 0.5000, loss 1.0000"
