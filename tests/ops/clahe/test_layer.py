"""The layer inside people's own models: built, trained, saved, exported."""

import re

import numpy as np
import pytest
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.ops import ClaheLayer


def model(layer, shape=(30, 41, 1)):
    pixels = keras.Input(shape, dtype="uint8")
    equalised = layer(pixels)
    floats = keras.layers.Rescaling(1 / 255)(equalised)
    scores = keras.layers.Dense(2)(keras.layers.AveragePooling2D(9)(floats))
    scores = keras.layers.GlobalAveragePooling2D()(scores)
    return keras.Model(pixels, scores), keras.Model(pixels, equalised)


def test_it_equals_opencv(opencv, pictures):
    for colour, channels in ((None, 1), ("lab", 3), ("channels", 3)):
        images = pictures(np.random.default_rng(0), 4, 30, 41, channels)
        _, equalise = model(ClaheLayer(3.0, (5, 4), colour), images.shape[1:])
        expected = opencv(images, 3.0, (5, 4), colour)
        np.testing.assert_array_equal(equalise.predict(images, verbose=0), expected)
        np.testing.assert_array_equal(equalise(images), expected)


def test_sizes_may_be_open(opencv, pictures):
    _, equalise = model(ClaheLayer(), (None, None, 1))
    for shape in ((30, 41), (64, 7)):
        images = pictures(np.random.default_rng(0), 2, *shape)
        np.testing.assert_array_equal(equalise(images), opencv(images))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_it_trains_in_anybodys_fit(opencv, pictures, jit_compile):
    images = pictures(np.random.default_rng(0), 16, 30, 41)
    trained, equalise = model(ClaheLayer())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    trained.compile("adam", loss, jit_compile=jit_compile)
    history = trained.fit(images, np.arange(16) % 2, epochs=3, batch_size=8, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    equalise.compile(jit_compile=jit_compile)
    np.testing.assert_array_equal(equalise.predict(images, verbose=0), opencv(images))


def test_it_is_saved_and_loaded(pictures, tmp_path):
    images = pictures(np.random.default_rng(0), 3, 30, 41, 3)
    original, _ = model(ClaheLayer(3.0, (5, 4), "lab", name="even"), (30, 41, 3))
    original.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(images), original(images))
    assert loaded.get_layer("even").clahe == original.get_layer("even").clahe


def test_its_config_is_what_it_takes():
    layer = ClaheLayer(3.0, (5, 4), "channels", name="even")
    config = layer.get_config()
    assert {k: config[k] for k in ("clip_limit", "tile_grid", "colour", "name")} == {
        "clip_limit": 3.0,
        "tile_grid": (5, 4),
        "colour": "channels",
        "name": "even",
    }
    assert ClaheLayer.from_config(config).clahe == layer.clahe
    assert keras.saving.get_registered_name(ClaheLayer) == "tfpipe>ClaheLayer"


def test_it_is_exported(opencv, pictures, tmp_path):
    images = pictures(np.random.default_rng(0), 3, 30, 41)
    _, equalise = model(ClaheLayer())
    equalise.export(tmp_path / "saved", verbose=False)
    served = tf.saved_model.load(tmp_path / "saved").serve(images)
    np.testing.assert_array_equal(served, opencv(images))


def test_other_images_are_refused_when_the_model_is_built():
    """Keras adds the layer's name and what it was called with."""
    sentence = "Expected `images` to be uint8, 0 to 255. Received: dtype='float32'"
    with pytest.raises(RequestError, match=re.escape(sentence)):
        ClaheLayer()(keras.Input((30, 41, 1)))
    sentence = "Expected `colour` to be 'lab' or 'channels' for 3 channels. Received: colour=None"
    with pytest.raises(RequestError, match=re.escape(sentence)):
        ClaheLayer()(keras.Input((30, 41, 3), dtype="uint8"))
