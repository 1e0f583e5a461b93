"""Grad-CAM against sums by hand, against Keras' recipe, and on a task whose evidence is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import models, train
from tfpipe.errors import RequestError

RNG = np.random.default_rng(0)
HEAD = np.array([[1.0, -2.0, 0.5], [-1.0, 1.0, 3.0]], np.float32)  # two maps, three classes


def by_hand(activation="softmax", units=3, size=6):
    """The image's two channels are the maps; their means make the scores."""
    x = keras.Input((size, size, 2))
    maps = keras.layers.Conv2D(2, 1, use_bias=False, name="maps")(x)
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(maps)
    model = keras.Model(x, keras.layers.Dense(units, activation, name="head")(pooled), name="hand")
    model.get_layer("maps").set_weights([np.eye(2, dtype=np.float32)[None, None]])
    model.get_layer("head").set_weights([HEAD[:, :units], np.zeros(units, np.float32)])
    return model


def cam(images, weights):
    """The class activation map that Grad-CAM is, where means of maps make the scores."""
    heat = np.maximum(images @ weights, 0)
    return heat / heat.max(axis=(1, 2), keepdims=True)


IMAGES = RNG.normal(size=(3, 6, 6, 2)).astype("float32")


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "linear"])
def test_it_is_the_class_activation_map(activation):
    classes = [0, 1, 2]
    expected = [cam(IMAGES[n : n + 1], HEAD[:, n])[0] for n in classes]
    found = models.grad_cam(by_hand(activation), IMAGES, classes)
    assert (found.dtype, found.shape) == (np.float32, (3, 6, 6))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_score_of_nearly_one_has_its_map_too():
    model, images = by_hand(), 200 * IMAGES  # of a softmax of 1.0 nothing can be derived
    found = models.grad_cam(model, images, [0, 1, 2])
    np.testing.assert_allclose(found, models.grad_cam(model, IMAGES, [0, 1, 2]), atol=1e-5)


def test_no_class_is_the_answer():
    answers = by_hand().predict(IMAGES, verbose=0).argmax(-1)
    np.testing.assert_array_equal(
        models.grad_cam(by_hand(), IMAGES), models.grad_cam(by_hand(), IMAGES, answers)
    )


@pytest.mark.parametrize("activation", ["sigmoid", "linear"])
def test_of_one_unit_zero_is_the_other_class(activation):
    model = by_hand(activation, units=1)
    np.testing.assert_allclose(
        models.grad_cam(model, IMAGES, [1, 1, 0]),
        np.concatenate([cam(IMAGES[:2], HEAD[:, 0]), cam(IMAGES[2:], -HEAD[:, 0])]),
        atol=1e-6,
    )


def test_nothing_that_speaks_for_it_is_no_heat():
    assert models.grad_cam(by_hand(), -np.ones((1, 6, 6, 2)), [2]).max() == 0
    assert models.grad_cam(by_hand(), np.ones((1, 6, 6, 2)), [2]).min() == 1


def test_small_maps_are_enlarged_to_the_image():
    x = keras.Input((8, 8, 1))
    maps = keras.layers.AveragePooling2D(4, name="maps")(x)
    pooled = keras.layers.GlobalAveragePooling2D()(maps)
    model = keras.Model(x, keras.layers.Dense(1, kernel_initializer="ones")(pooled))
    image = np.zeros((1, 8, 8, 1), np.float32)
    image[0, :4, :4] = 1
    corner = np.array([1, 1, 0.875, 0.625, 0.375, 0.125, 0, 0])  # halfway between the middles
    found = models.grad_cam(model, image, [1])
    np.testing.assert_allclose(found[0], corner[:, None] * corner, atol=1e-6)


@pytest.mark.parametrize("form", ["flat", "nested", "sequential", "layer of its own", "operation"])
def test_forms_of_models(form):
    flat = by_hand()
    inner = keras.Model(flat.input, flat.get_layer("pool").output, name="backbone")
    head = flat.get_layer("head")
    x = keras.Input((6, 6, 2))
    linear = keras.layers.Dense(3, name="linear")
    forms = {"flat": flat, "nested": keras.Model(x, head(inner(x)))}
    forms["sequential"] = keras.Sequential([x, inner, head])
    logits = linear(inner(x))
    linear.set_weights(head.get_weights())
    forms["layer of its own"] = keras.Model(x, keras.layers.Softmax()(logits))
    forms["operation"] = keras.Model(x, keras.ops.softmax(logits))
    expected = [cam(IMAGES[n : n + 1], HEAD[:, 2 - n])[0] for n in range(3)]
    for layer in (None, "maps"):
        found = models.grad_cam(forms[form], IMAGES, [2, 1, 0], layer=layer)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_an_earlier_layer_against_gradients_by_keras_alone():
    """The recipe of Keras' own example, for a model whose last layer has no softmax."""
    keras.utils.set_random_seed(0)
    model = models.lenet5((16, 16, 1), 4, modern=True, activation="linear")
    images = RNG.random((2, 16, 16, 1), np.float32)
    both = keras.Model(model.input, [model.get_layer("conv1").output, model.output])
    with tf.GradientTape() as tape:
        maps, scores = both(images, training=False)
        total = scores[0, 3] + scores[1, 0]
    weights = tape.gradient(total, maps).numpy().mean(axis=(1, 2), keepdims=True)
    expected = np.maximum((weights * maps).numpy().sum(-1), 0)
    expected = tf.image.resize(expected[..., None], (16, 16))[..., 0].numpy()
    found = models.grad_cam(model, images, [3, 0], layer="conv1")
    np.testing.assert_allclose(found, expected / expected.max((1, 2), keepdims=True), atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_loses_no_small_gradients(policy):
    """Of a mean over 128x128 places, with small weights: float16 has no room for 1e-8."""
    exact = models.grad_cam(by_hand(size=128), images := RNG.normal(size=(1, 128, 128, 2)), [0])
    keras.config.set_dtype_policy(policy)
    try:
        mixed = by_hand(size=128)
    finally:
        keras.config.set_dtype_policy("float32")
    mixed.get_layer("head").set_weights([1e-4 * HEAD, np.zeros(3)])
    assert mixed.get_layer("maps").compute_dtype == policy.removeprefix("mixed_")
    np.testing.assert_allclose(models.grad_cam(mixed, images, [0]), exact, atol=0.02)


def test_pixels_and_preprocessing_in_the_model():
    from tfpipe import ops

    prepare = ops.Chain([ops.Decode(1), ops.Resize((16, 16)), ops.Clahe(), ops.ToFloat()])
    pixels = keras.Input((16, 16, 1), dtype="uint8")
    inner = models.lenet5((16, 16, 1), 4)
    model = keras.Model(pixels, inner(prepare.as_layer()(pixels)))
    images = RNG.integers(0, 256, (2, 16, 16, 1), np.uint8)
    floats = prepare.inside()({"image": images})["image"]
    found = models.grad_cam(model, images)
    np.testing.assert_allclose(found, models.grad_cam(inner, floats), atol=1e-6)


def test_it_points_at_the_evidence_of_a_drawn_task():
    """A ring on the right always, on the left a ring or, in class 1, a cross: the pointing game."""
    images, labels, _ = drawn(128)
    keras.utils.set_random_seed(0)
    x = keras.Input((32, 32, 1))
    h = keras.layers.Conv2D(8, 9, padding="same", activation="relu")(x)
    h = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(h)
    scores = keras.layers.Dense(2, "softmax")(keras.layers.GlobalAveragePooling2D()(h))
    model = keras.Model(x, scores)
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(16)
    train.fit(model, batches, epochs=15, optimizer=keras.optimizers.Adam(3e-3))
    fresh, labels, places = drawn(64, seed=1)
    assert np.mean(model.predict(fresh, verbose=0).argmax(-1) == labels) >= 0.95
    with_cross = labels == 1
    heat = models.grad_cam(model, fresh, labels)[with_cross]
    hottest = np.stack(np.unravel_index(heat.reshape(len(heat), -1).argmax(-1), (32, 32)), axis=-1)
    away = np.abs(hottest - places[with_cross]).max(-1)
    assert np.mean(away <= 5) >= 0.9  # of all places, 0.12 are that near


def drawn(number, seed=0):
    """Noise, a ring, and another or a cross; labels, and the middles of the latter."""
    rng = np.random.default_rng(seed)
    images = rng.normal(0, 0.1, (number, 32, 32)).astype("float32")
    labels, places = (
        rng.integers(0, 2, number),
        np.stack([rng.integers(5, 27, number), rng.integers(5, 12, number)], axis=-1),
    )
    rows, columns = np.mgrid[-4:5, -4:5]
    cross, ring = (rows == 0) | (columns == 0), np.abs(np.hypot(rows, columns) - 3) < 0.7
    for image, label, (row, column) in zip(images, labels, places, strict=True):
        image[row - 4 : row + 5, 18:27] += ring
        image[row - 4 : row + 5, column - 4 : column + 5] += cross if label else ring
    return images[..., None], labels, places


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"layer": "mapz"},
            "Expected `layer` to be one of 'maps'. Received: layer='mapz'. Did you mean 'maps'?",
        ),
        (
            {"layer": "pool"},
            "Expected `layer` to be one of 'maps'. Received: layer='pool'",
        ),
        (
            {"classes": [0, 3, 1]},
            "Expected `classes` to hold 3 whole numbers from 0 to 2. Received: classes=[0, 3, 1]",
        ),
        (
            {"classes": [0, 1]},
            "Expected `classes` to hold 3 whole numbers from 0 to 2. Received: classes=[0, 1]",
        ),
        (
            {"classes": [0.0, 1.0, 2.0]},
            "Expected `classes` to hold 3 whole numbers from 0 to 2. "
            "Received: classes=[0.0, 1.0, 2.0]",
        ),
        (
            {"images": IMAGES[0]},
            "Expected `images` of shape (B, 6, 6, 2). Received: shape=(6, 6, 2)",
        ),
        (
            {"images": IMAGES[:, :5]},
            "Expected `images` of shape (B, 6, 6, 2). Received: shape=(3, 5, 6, 2)",
        ),
        (
            {"images": IMAGES[:0]},
            "Expected `images` of shape (B, 6, 6, 2). Received: shape=(0, 6, 6, 2)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(arguments, sentence):
    with pytest.raises(RequestError) as caught:
        models.grad_cam(by_hand(), **{"images": IMAGES, **arguments})
    assert str(caught.value) == sentence


class Subclassed(keras.Model):
    def call(self, x):
        return x


def no_gradient():
    x = keras.Input((6, 6, 2))
    maps = keras.layers.Conv2D(2, 1, name="maps")(x)
    counted = keras.ops.argmax(keras.layers.Reshape((72,))(maps), axis=-1, keepdims=True)
    return keras.Model(x, keras.ops.cast(counted, "float32"))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: models.mlp((6, 6, 2), 2),
            "Expected a model with a layer that gives maps (B, h, w, maps). Received: 'mlp', "
            "which has none: it says nothing of places.",
        ),
        (
            lambda: models.perceptron((5,)),
            "Expected a model of one input of images (B, H, W, C) and one output "
            "(B, num_classes). Received: model='perceptron', inputs=[(None, 5)], "
            "outputs=[(None, 1)]",
        ),
        (
            lambda: models.unet((16, 16, 1), 2, depth=1, width=2),
            "Expected a model of one input of images (B, H, W, C) and one output "
            "(B, num_classes). Received: model='unet', inputs=[(None, 16, 16, 1)], "
            "outputs=[(None, 16, 16, 2)]",
        ),
        (
            lambda: Subclassed(name="own"),
            "Expected a functional model, or a Sequential one that is built. Received: "
            "model='own', type='Subclassed'",
        ),
        (
            lambda: keras.Sequential([keras.layers.Dense(2)], name="open"),
            "Expected a functional model, or a Sequential one that is built. Received: "
            "model='open', type='Sequential'",
        ),
        (
            no_gradient,
            "Expected a layer whose maps decide the scores. Received: 'maps' of 'functional', "
            "after which an operation has no gradient. Give another `layer`.",
        ),
    ],
)
def test_models_of_another_form_are_refused(make, sentence):
    keras.backend.clear_session()
    with pytest.raises(RequestError) as caught:
        models.grad_cam(make(), IMAGES)
    assert str(caught.value) == sentence
