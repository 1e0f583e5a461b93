"""A pass without the autotuner: the same batches, and what else was chosen stays."""

import tensorflow as tf

from tfpipe.untuned import untuned


def test_the_batches_and_the_other_options_stay():
    options = tf.data.Options()
    options.deterministic = False
    counted = tf.data.Dataset.range(7).map(lambda n: n * 2, tf.data.AUTOTUNE, deterministic=True)
    plain = untuned(counted.batch(3).prefetch(tf.data.AUTOTUNE).with_options(options))
    assert plain.options().autotune.enabled is False
    assert plain.options().deterministic is False
    assert [batch.tolist() for batch in plain.as_numpy_iterator()] == [[0, 2, 4], [6, 8, 10], [12]]
