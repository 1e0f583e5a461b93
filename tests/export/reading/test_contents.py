"""What a TFLite file says of itself, in files of TensorFlow's own converter."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe.export.reading.contents import contents

RNG = np.random.default_rng(0)


NO_INT16 = ("text", "int16x8")  # TensorFlow's converter cannot calibrate tokens for it


@pytest.fixture(scope="module")
def networks():
    """A dense network, one that looks tokens up, and one without weights."""
    x = keras.Input((40,))
    dense = keras.Model(x, keras.layers.Dense(40)(keras.layers.Dense(40, activation="relu")(x)))
    tokens = keras.Input((6,), dtype="int32")
    rows = keras.layers.Embedding(50, 64)(tokens)
    pooled = keras.layers.GlobalAveragePooling1D()(rows)
    text = keras.Model(tokens, keras.layers.Dense(40)(pooled))
    pool = keras.Model(x, keras.layers.Flatten()(keras.layers.Reshape((40, 1))(x) * 2))
    return {
        "dense": (dense, "float32", 40),
        "text": (text, "int32", 6),
        "none": (pool, "float32", 40),
    }


def converted(network, mode, folder):
    """The bytes of a file that TensorFlow's converter makes."""
    model, dtype, size = network
    archive, kinds = keras.export.ExportArchive(), tf.lite.OpsSet
    archive.add_endpoint(
        "serving_default", model, input_signature=[tf.TensorSpec((1, size), dtype)]
    )
    archive.write_out(str(folder), verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    if mode != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if mode in ("int8", "int16x8"):
        int16 = "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8"
        name = "TFLITE_BUILTINS_INT8" if mode == "int8" else int16
        converter.target_spec.supported_ops = [getattr(kinds, name)]
        some = RNG.integers(0, 40, (20, 1, size)).astype(dtype)
        converter.representative_dataset = lambda: ([row] for row in some)
    return converter.convert()


@pytest.mark.parametrize("mode", ["float32", "float16", "dynamic", "int8", "int16x8"])
@pytest.mark.parametrize("name", ["dense", "text"])
def test_the_mode_is_told_from_the_types_in_the_file(networks, name, mode, tmp_path):
    if (name, mode) != NO_INT16:
        found = contents(converted(networks[name], mode, tmp_path))
        assert found.mode == mode
        assert found.operators["FULLY_CONNECTED"] == {"dense": 2, "text": 1}[name]


@pytest.mark.parametrize("mode", ["float32", "int8", "int16x8"])
def test_a_file_without_weights_has_the_mode_of_its_operators(networks, mode, tmp_path):
    found = contents(converted(networks["none"], mode, tmp_path))
    assert (found.mode, found.sparsity) == (mode, 0.0)


def test_operators_and_zeros_are_counted(networks, tmp_path):
    model = keras.models.clone_model(networks["dense"][0])
    first, *others = model.get_weights()
    first[:20] = 0
    model.set_weights([first, *others])
    found = contents(converted((model, "float32", 40), "float32", tmp_path))
    assert found.operators == {"FULLY_CONNECTED": 2}
    assert found.sparsity == 800 / 3200
