"""Many steps in one call of the graph: traced once, and its waits for input counted."""

import keras
import numpy as np
import tensorflow as tf

from tests.train.small import TRAIN, VAL, classifier, fit
from tfpipe.train import compiling, finite, graph, step


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


def test_the_time_that_batches_take_to_come_is_counted(monkeypatch):
    clock = [0.0]

    def slow(x, y):
        clock[0] += 3.0
        return x, y

    def come(x, y):
        found = tf.py_function(slow, [x, y], [x.dtype, y.dtype])
        return [tf.ensure_shape(a, b.shape) for a, b in zip(found, (x, y), strict=True)]

    options = tf.data.Options()
    options.autotune.enabled = options.experimental_optimization.inject_prefetch = False
    dataset = TRAIN.map(lambda *batch: tuple(come(*batch))).with_options(options)
    monkeypatch.setattr(
        graph, "_now", lambda: tf.py_function(lambda: np.float64(clock[0]), [], tf.float64)
    )
    model, watch = classifier(), finite.Watch(stop=True)
    compiling.build(model, dataset.element_spec)
    repeat = graph.training(model, step.Options(None, 1, False, False), watch)
    assert int(repeat(iter(dataset), tf.constant(4))) == 4
    assert float(watch.waited_s) == 12.0
