"""Datasets whose passes end when they are over.

Example:

    for batch in untuned(dataset).as_numpy_iterator(): ...
"""

import tensorflow as tf


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The dataset without TensorFlow's autotuner.

    The autotuner sleeps for longer and longer times, and what ends a pass often has to wait until
    it wakes up: for up to as long as the pass took. Without it, `AUTOTUNE` means as many calls at
    once as there are cores, 16 at most.

    >>> untuned(tf.data.Dataset.range(3)).options().autotune.enabled
    False
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
