"""quantize_aware(): the training, what it keeps, and what it refuses."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import compress
from tfpipe.errors import RequestError

L = keras.layers
RNG = np.random.default_rng(0)
X = RNG.random((96, 8, 8, 1), np.float32)
Y = (X[:, :, :4].mean((1, 2, 3)) > X[:, :, 4:].mean((1, 2, 3))).astype(np.int64)
TRAIN = tf.data.Dataset.from_tensor_slices((X, Y)).batch(16)


def folded():
    """Convolution, batch normalisation and activation, as a model in a model."""
    x = keras.Input((8, 8, 1), name="images")
    h = L.Conv2D(4, 3, use_bias=False, name="conv")(x)
    h = L.ReLU(name="relu")(L.BatchNormalization(momentum=0.5, name="norm")(h))
    stem = keras.Model(x, h, name="stem")
    y = keras.Input((8, 8, 1), name="pixels")
    h = L.DepthwiseConv2D(3, activation="relu", name="depthwise")(stem(y))
    h = L.Dense(20, activation="tanh", name="dense")(L.Flatten(name="flatten")(h))
    return compiled(keras.Model(y, L.Dense(2, activation="softmax", name="head")(h), name="small"))


def compiled(model, optimizer="adam"):
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def small(*layers, shape=(8, 8, 1), name="small"):
    """Layers before a softmax."""
    head = [L.Flatten(name="flatten"), L.Dense(2, activation="softmax", name="head")]
    return compiled(keras.Sequential([keras.Input(shape), *layers, *head], name=name))


@pytest.fixture(scope="module")
def before():
    """A model whose dense kernel is pruned and whose depthwise kernel shares three values."""
    keras.utils.set_random_seed(1)
    model = folded()
    model.fit(TRAIN, epochs=2, verbose=0, shuffle=False)
    dense, depthwise = model.get_layer("dense").kernel, model.get_layer("depthwise").kernel
    dense.assign(np.where(np.abs(dense) > np.quantile(np.abs(dense), 0.8), dense, 0))
    depthwise.assign(np.sign(np.round(depthwise * 5)) * 0.25)
    return model


@pytest.fixture(scope="module")
def after(before):
    return compress.quantize_aware(before, TRAIN, TRAIN, epochs=2)


def weights(model):
    """By name, without tfmot's own."""
    return {v.name.removesuffix(":0"): v.numpy() for v in model.variables}


def refused(model, train=TRAIN, **options):
    with pytest.raises(RequestError) as caught:
        compress.quantize_aware(model, train, **options)
    return str(caught.value)


def test_it_is_a_keras_2_model_with_its_history(after):
    assert type(after).__module__.startswith("tf_keras")
    assert list(after.history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert len(after.history.history["loss"]) == 2


def test_it_trains_and_the_model_stays_as_it_was(before, after):
    ours = before.get_layer("stem").get_layer("conv").kernel.numpy()
    theirs = weights(after)["conv/kernel"]
    assert ours.shape == theirs.shape
    assert 0 < np.abs(ours - theirs).max() < 0.1
    zeros = np.mean(before.get_layer("dense").kernel.numpy() == 0)
    assert zeros == pytest.approx(0.8, abs=0.01)


def test_zeros_stay_zeros_while_the_others_train(before, after):
    ours, theirs = before.get_layer("dense").kernel.numpy(), weights(after)["dense/kernel"]
    np.testing.assert_array_equal(theirs == 0, ours == 0)
    assert (theirs[ours != 0] != ours[ours != 0]).mean() > 0.9


def test_weights_that_share_a_value_go_on_sharing_one(before, after):
    ours = before.get_layer("depthwise").kernel.numpy()
    theirs = weights(after)["depthwise/depthwise_kernel"]
    assert len(np.unique(ours)) == 3
    for value in np.unique(ours):
        assert np.ptp(theirs[ours == value]) == 0
    assert (theirs[ours == 0] == 0).all()
    assert (theirs[ours != 0] != ours[ours != 0]).all()


def test_convolution_normalisation_and_activation_are_rounded_once(after):
    """As in TFLite, where they are one operator: the range is that of what it gives."""
    ranges = {
        name.split("/")[0]
        for name in weights(after)
        if name.endswith(("output_max", "activation_max"))
    }
    assert ranges == {"quant_relu", "quant_depthwise", "quant_dense", "quant_head"}


def test_the_ranges_are_those_of_the_activations(before, after):
    stem = before.get_layer("stem")
    expected = float(keras.ops.max(stem(X)))
    assert weights(after)["quant_relu/output_max"] == pytest.approx(expected, rel=0.3)
    # The layer before the first one; Keras numbers those of a process.
    first = re.compile(r"quantize_layer(_\d+)?_max$")
    (pixels,) = [v for name, v in weights(after).items() if first.search(name)]
    assert pixels == pytest.approx(1, abs=0.01)


def test_it_computes_nearly_what_the_model_did():
    model = small(L.Conv2D(4, 3, activation="relu"), L.AveragePooling2D(2))
    once = compress.quantize_aware(model, TRAIN, epochs=1, optimizer=keras.optimizers.SGD(0.0))
    difference = once.predict(X, verbose=0) - model.predict(X, verbose=0)
    assert np.abs(difference).mean() < 0.005


def test_batches_may_have_ids_and_weights():
    train = TRAIN.map(lambda x, y: ({"image": x, "id": tf.zeros(16)}, y, tf.ones(16)))
    after = compress.quantize_aware(small(), train, epochs=1)
    assert np.isfinite(after.history.history["loss"][0])


def test_the_loss_and_the_optimizer_are_those_of_keras_3():
    model = small()
    decay = keras.optimizers.schedules.CosineDecay(0.25, 12)
    model.compile(
        keras.optimizers.SGD(decay, momentum=0.5),
        keras.losses.SparseCategoricalCrossentropy(),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="right")],
    )
    after = compress.quantize_aware(model, TRAIN, epochs=1)
    config = after.optimizer.get_config()
    assert (type(after.optimizer).__name__, config["momentum"]) == ("SGD", 0.5)
    assert config["learning_rate"]["config"]["initial_learning_rate"] == 0.25
    assert list(after.history.history) == ["loss", "right"]
    expected = keras.losses.SparseCategoricalCrossentropy()(Y, after.predict(X, verbose=0))
    assert after.evaluate(X, Y, verbose=0)[0] == pytest.approx(float(expected), rel=1e-5)


def test_an_lstm_is_refused():
    model = small(L.LSTM(3, name="lstm"), shape=(5, 3), name="recurrent")
    assert refused(model) == (
        "Expected layers that quantisation-aware training knows. Received: 'lstm' (LSTM). "
        "Convert the model with `mode='int8'` and a calibration, or with another mode; or replace "
        "the layers."
    )


def test_every_layer_that_cannot_be_quantised_is_named_with_the_reason():
    x = keras.Input((8, 8, 2))
    shared = L.Conv2D(2, 1, name="shared")
    h = L.BatchNormalization(name="norm")(shared(shared(x)))
    h = L.Conv2D(2, 3, activation="elu", name="elu")(L.Activation("mish", name="mish")(h))
    h = keras.ops.abs(h)
    model = compiled(keras.Model(x, L.Dense(2, activation="softmax")(L.Flatten()(h))))
    assert refused(model).split("Received: ")[1].split(". Convert")[0] == (
        "'shared' (Conv2D, called more than once), "
        "'norm' (BatchNormalization, not directly behind a convolution or a Dense), "
        "'mish' (Activation, activation mish), 'elu' (Conv2D, activation elu), "
        "'absolute' (keras.ops)"
    )


def test_a_layer_that_is_taken_over_is_refused_by_its_own_class():
    model = small(L.RandomFlip("horizontal", name="flip"))
    assert "Received: 'flip' (RandomFlip). Convert" in refused(model)


def test_an_optimizer_that_keras_2_lacks_is_refused():
    assert refused(small(), optimizer=keras.optimizers.Muon(0.125)).startswith(
        "Expected an optimizer that Keras 2 has too, which quantisation-aware training uses. "
        "Received: Muon with {"
    )


def test_what_is_wrong_with_the_model_is_said_first():
    assert refused(small(), epochs=0) == "Expected `epochs` to be at least 1. Received: epochs=0"
    x = keras.Input((3,))
    assert refused(keras.Model(x, L.Dense(2)(x), name="raw")) == (
        "The model 'raw' is not compiled. "
        "Call `model.compile(optimizer=..., loss=..., metrics=[...])` first."
    )
    two = compiled(keras.Model([x, keras.Input((2,))], L.Dense(2)(x), name="two"))
    assert refused(two) == (
        "Expected a model with one input and one output. Received: 'two' with 2 and 1."
    )


def test_a_model_that_is_not_built_is_refused():
    expected = (
        "The model 'bare' is not built: what it takes is not known, and it has no weights. "
        "Let it begin with keras.Input(shape), and train it first."
    )
    bare = compiled(keras.Sequential([L.Dense(2)], name="bare"))
    assert refused(bare) == expected
    for compress_it in (compress.prune, compress.cluster):
        with pytest.raises(RequestError) as error:
            compress_it(bare, TRAIN)
        assert str(error.value) == expected


def test_a_subclassed_model_is_refused():
    class Own(keras.Model):
        def train_step(self, data):
            return super().train_step(data)

    x = keras.Input((2,))
    for model in (Own(name="own"), Own(x, L.Dense(2)(x), name="own")):
        assert refused(compiled(model)) == (
            "The model 'own' is a subclass of keras.Model (Own), and what its own code does is not "
            "known here. Build it as keras.Sequential or keras.Model(inputs, outputs)."
        )
