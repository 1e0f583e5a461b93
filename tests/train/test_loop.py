"""The loop: epochs, calls of the graph, and callbacks beside them."""

import contextlib
import re
import threading
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.train.small import TRAIN, VAL, assert_close, assert_same_history, classifier, fit
from tfpipe import train
from tfpipe.train import data, loop


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

    def on_test_begin(self, logs=None):
        self.seen.append("test")

    def on_test_batch_begin(self, batch, logs=None):
        self.seen.append(f"test from {batch}")

    def on_test_batch_end(self, batch, logs=None):
        self.seen.append(f"test to {batch} {sorted(logs)}")

    def on_test_end(self, logs=None):
        self.seen.append(f"tested {sorted(logs)}")

    def on_train_end(self, logs=None):
        self.seen.append("end")


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


def test_averaged_weights_are_those_that_are_looked_at():
    optimizers = [keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.8) for _ in range(2)]
    model, expected = map(classifier, optimizers)
    history = fit(model, TRAIN, VAL, epochs=2, callbacks=[keras.callbacks.SwapEMAWeights()])
    kept = expected.fit(
        TRAIN,
        validation_data=VAL,
        epochs=2,
        callbacks=[keras.callbacks.SwapEMAWeights()],
        verbose=0,
        shuffle=False,
    )
    assert_same_history(history.history, kept.history)
    assert_close(model.get_weights(), expected.get_weights())


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


def test_the_line_of_an_epoch_leaves_out_the_parts_of_metrics():
    assert loop._words({"auc": 0.5, "auc/Mass": 0.25, "loss": 1.0}) == "auc 0.5000, loss 1.0000"


def test_calls_grow_until_one_takes_a_quarter_of_a_second():
    pace, sizes = loop.Pace("auto", workers=False), []
    for seconds in (0.01, 0.1, 0.24, 0.26, 0.1):
        pace.took(pace.steps, seconds)
        sizes.append(pace.steps)
    assert sizes == [2, 4, 8, 8, 16]


def test_calls_grow_to_a_limit():
    pace = loop.Pace("auto", workers=False)
    for _ in range(20):
        pace.took(pace.steps, 0.0)
    assert pace.steps == 1024


def test_a_call_that_the_epochs_end_cut_short_tells_nothing():
    pace = loop.Pace("auto", workers=False)
    pace.took(1, 0.0)
    pace.took(1, 0.0)
    assert pace.steps == 2


@pytest.mark.parametrize(
    ("given", "workers", "steps"), [(5, False, 5), (5, True, 5), ("auto", True, 16)]
)
def test_calls_whose_length_is_given_or_agreed_on_do_not_grow(given, workers, steps):
    pace = loop.Pace(given, workers=workers)
    pace.took(pace.steps, 0.0)
    assert pace.steps == steps


def test_the_bar_says_the_loss_the_speed_and_the_share_of_waiting(monkeypatch):
    notes, sizes = [], []

    class Notes:
        def advance(self, count, note=""):
            sizes.append(count)
            notes.append(note)

        def line(self, text):
            pass

    monkeypatch.setattr(loop, "progress", lambda *_, **__: contextlib.nullcontext(Notes()))
    history = fit(classifier(), TRAIN, steps_per_call=4).history
    assert sizes == [0, 4, 2]  # none were done before
    loss, accuracy = history["loss"][0], history["accuracy"][0]
    assert re.fullmatch(
        rf"epoch 1/1: loss {loss:.4f}, accuracy {accuracy:.4f}, [\d,]+ examples/s, "
        r"input wait [01]\.\d\d",
        notes[-1],
    )
