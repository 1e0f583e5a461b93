"""Many steps in one call of the graph: traced once, and its waits for input counted."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.train.small import TRAIN, VAL, classifier, fit
from tfpipe.train import compiling, finite, graph, pays, step


def test_a_step_is_traced_once_whatever_the_calls_and_batches():
    def traces(**options):
        found = []
        x = keras.Input((6,))
        seen = keras.layers.Lambda(lambda x: found.append(x) or x)(x)
        model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(seen))
        fit(model, TRAIN, VAL, **options)
        return len(found)

    # 6 batches, the last of which is smaller: calls of 4 and 2, in every epoch.
    assert traces(epochs=3, steps_per_call=4) == traces(epochs=1, steps_per_call=6)


@pytest.mark.parametrize("on_nan", ["stop", "skip"])
def test_steps_that_overlap_are_those_that_come_in_turn(monkeypatch, on_nan):
    def trained():
        model = classifier("adam")
        history = fit(model, TRAIN, epochs=2, steps_per_call=4, on_nan=on_nan, clip_norm=0.1)
        return model.get_weights(), history.history

    overlapped, history = trained()
    monkeypatch.setattr(pays, "overlapping", lambda model: False)
    monkeypatch.setattr(pays, "compiled_update", lambda model: False)
    in_turn, same = trained()
    assert history == same
    for a, b in zip(overlapped, in_turn, strict=True):
        np.testing.assert_array_equal(a, b)


class Job:
    """A clock that only slow batches move, and what has happened so far."""

    def __init__(self):
        self.now_s = 0.0
        self.looks = self.batches = self.updates = 0
        self.changed = threading.Condition()

    def wait(self, until):
        assert self.changed.wait_for(until, timeout=60)

    def clock(self):
        """For the graph, instead of TensorFlow's."""

        def look():
            with self.changed:
                self.looks += 1
                self.changed.notify_all()
                return np.float64(self.now_s)

        return tf.py_function(look, [], tf.float64)

    def batch(self, *batch):
        with self.changed:
            self.now_s += 3.0
            self.batches += 1
            self.changed.notify_all()
        return batch

    def dataset(self, come):
        """Batches that come when they are asked for, by a function of Python."""

        def slow(*batch):
            found = tf.py_function(come, batch, [part.dtype for part in batch])
            return tuple(tf.ensure_shape(a, b.shape) for a, b in zip(found, batch, strict=True))

        options = tf.data.Options()
        options.autotune.enabled = options.experimental_optimization.inject_prefetch = False
        return TRAIN.map(slow).with_options(options)


def waited_s(job, come, monkeypatch, optimizer="sgd"):
    """For four batches, in one call."""
    monkeypatch.setattr(graph, "_now", tf.autograph.experimental.do_not_convert(job.clock))
    dataset, watch = job.dataset(come), finite.Watch(stop=True)
    model = classifier(optimizer)
    compiling.build(model, dataset.element_spec)
    repeat = graph.training(model, step.Options(None, 1, False, False), watch)
    assert int(repeat(iter(dataset), tf.constant(4))) == 4
    return float(watch.waited_s)


def test_the_time_that_batches_take_to_come_is_counted(monkeypatch):
    job = Job()

    def come(*batch):
        """After the look that says from when on it is due, and before that at its arrival."""
        with job.changed:
            job.wait(lambda: job.looks % 2 == 1)
            return job.batch(*batch)

    assert waited_s(job, come, monkeypatch) == 12.0


def test_a_batch_comes_while_the_one_before_is_still_counted_and_is_not_waited_for(monkeypatch):
    job = Job()

    class Slow(keras.optimizers.SGD):
        """Its updates end when the next batch is there."""

        def update_step(self, gradient, variable, learning_rate):
            if variable.shape == (3,):
                with tf.control_dependencies([tf.py_function(self.wait, [], [])]):
                    gradient = tf.identity(gradient)
            super().update_step(gradient, variable, learning_rate)

        def wait(self):
            with job.changed:
                job.updates += 1
                job.wait(lambda: job.batches > min(job.updates, 3))

    assert waited_s(job, job.batch, monkeypatch, Slow(0.01)) <= 3.0  # for the first
