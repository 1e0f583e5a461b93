"""The ranges before a training, against the least and the largest activations."""

import keras
import numpy as np
import tensorflow as tf

from tfpipe.compress.annotate import annotated
from tfpipe.compress.legacy import rebuild
from tfpipe.compress.ranges import find_ranges
from tfpipe.compress.tfmot import load_tfmot

L = keras.layers
RNG = np.random.default_rng(0)


def test_they_are_the_mean_least_and_largest_activations_of_the_batches():
    keras.utils.set_random_seed(0)
    x = keras.Input((8, 8, 3))
    # Activations of hundreds, which tfmot's first ranges, -6 to 6, would cut off.
    h = L.Conv2D(4, 3, activation="relu", name="large")(x)
    h = L.Conv2D(4, 3, name="small")(L.AveragePooling2D(2, name="pool")(h))
    model = keras.Model(x, L.Flatten()(h))
    model.get_layer("large").kernel.assign(model.get_layer("large").kernel * 100)
    images = RNG.random((64, 8, 8, 3), np.float32)
    quantization = load_tfmot().quantization.keras
    with quantization.quantize_scope():
        quantised = quantization.quantize_apply(annotated(rebuild(model)))
    before = quantised.get_weights()
    find_ranges(quantised, tf.data.Dataset.from_tensor_slices(images).batch(16))
    found = {v.name.removesuffix(":0"): float(v) for v in quantised.variables if v.shape == ()}
    parts = [
        keras.Model(x, model.get_layer(name).output).predict(images, verbose=0)
        for name in ("large", "pool", "small")
    ]
    names = ("large/post_activation", "pool/output", "small/post_activation")
    for name, values in zip(names, parts, strict=True):
        batches = values.reshape(4, -1)
        width = np.ptp(values)
        assert abs(found[f"quant_{name}_max"] - batches.max(1).mean()) < 0.05 * width
        assert abs(found[f"quant_{name}_min"] - min(0, batches.min(1).mean())) < 0.05 * width
    assert np.ptp(parts[0]) > 100
    others = [
        (ours, theirs)
        for ours, theirs, v in zip(before, quantised.get_weights(), quantised.weights, strict=True)
        if "activation" not in v.name and "output" not in v.name
    ]
    for ours, theirs in others:
        np.testing.assert_array_equal(ours, theirs)
