"""The layer in front of Keras models: saved, loaded in safe mode, trained, exported."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import ops
from tfpipe.errors import RequestError

CHAIN = ops.Chain(
    [
        ops.Decode(3),
        ops.RandomFlip(),
        ops.Resize((12, 10), letterbox=True),
        ops.ToFloat(),
        ops.Normalize("imagenet"),
        ops.MixUp(2),
    ]
)
PIXELS = np.random.default_rng(0).integers(0, 256, (4, 30, 20, 3), np.uint8)
PREPARED = ops.Chain(CHAIN.inference().ops[1:])({"image": PIXELS})["image"].numpy()


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    images = keras.Input((None, None, 3), dtype="uint8")
    prepared = CHAIN.as_layer(name="prepare")(images)
    features = keras.layers.Conv2D(4, 3, activation="relu")(prepared)
    scores = keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(features))
    return keras.Model(images, scores)


def test_it_does_what_the_chain_does_without_decoding_and_drawing():
    layer = CHAIN.as_layer()
    assert layer.chain == ops.Chain(CHAIN.inference().ops[1:])
    np.testing.assert_array_equal(layer(PIXELS), PREPARED)


def test_in_a_model_it_gives_the_same_bits(model):
    inner = keras.Model(model.input, model.get_layer("prepare").output)
    assert inner.output_shape == (None, 12, 10, 3)
    assert inner.compute_output_spec(model.input).dtype == "float32"
    np.testing.assert_array_equal(inner.predict(PIXELS, verbose=0), PREPARED)


def test_it_is_saved_with_the_model_and_loads_in_safe_mode(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.get_layer("prepare").chain == model.get_layer("prepare").chain
    np.testing.assert_array_equal(
        loaded.predict(PIXELS, verbose=0), model.predict(PIXELS, verbose=0)
    )


def test_it_loads_in_a_process_that_only_imports_the_ops(model, tmp_path, python):
    model.save(tmp_path / "model.keras")
    code = (
        "import keras, tfpipe.ops; "
        f"print(keras.models.load_model({str(tmp_path / 'model.keras')!r}).count_params())"
    )
    done = python(code)
    assert done.stdout.strip() == str(model.count_params()), done.stderr


def test_a_model_trains_with_it(model):
    clone = keras.models.clone_model(model)
    clone.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = clone.fit(PIXELS, np.array([0, 1, 0, 1]), epochs=30, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_a_model_is_exported_with_it(model, tmp_path):
    model.export(tmp_path / "saved", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "saved")
    served = loaded.serve(tf.constant(PIXELS))
    np.testing.assert_allclose(served, model.predict(PIXELS, verbose=0), atol=1e-6)


def test_floats_are_refused(model):
    with pytest.raises(RequestError, match=r"expected uint8 images\. Received: float32"):
        CHAIN.as_layer()(PIXELS / np.float32(255))


def test_an_op_that_cannot_be_saved_is_told_when_the_model_is(tmp_path):
    class Own(ops.Op):
        takes = gives = "uint8"

        def apply(self, image):
            return image

    images = keras.Input((4, 4, 3), dtype="uint8")
    model = keras.Model(images, ops.Chain([Own()]).as_layer()(images))
    with pytest.raises(RequestError, match=r"Put `@tfpipe\.ops\.register` above its class\.$"):
        model.save(tmp_path / "model.keras")
