"""rebuild(): whole models, against the model itself; and TFLite's fused LSTM, run by LiteRT."""

import os

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tests.compress.small import mixed_precision
from tfpipe.compress.legacy import rebuild
from tfpipe.errors import RequestError

L = keras.layers
RNG = np.random.default_rng(0)


def drawn(model):
    """Sets weights that differ from each other, as after a training."""
    for variable in model.weights:
        shape = variable.shape
        around = 1 if variable.name in ("gamma", "moving_variance") else 0
        scale = 0.3 if around or len(shape) < 2 else 1 / np.sqrt(np.prod(shape[:-1]))
        variable.assign(around + scale * RNG.uniform(-1, 1, shape))
    return model


def assert_same(model, *inputs, tolerance=1e-6):
    """The model and what is rebuilt of it, on the same inputs."""
    given = inputs[0] if len(inputs) == 1 else list(inputs)
    rebuilt = rebuild(drawn(model))
    expected = keras.tree.flatten(model(given, training=False))
    for ours, theirs in zip(expected, tf.nest.flatten(rebuilt(given)), strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=tolerance)
        assert np.ptp(ours) > 1e-3  # else it says nothing
    return rebuilt


def noise(*shape):
    return tf.constant(RNG.normal(0, 1, shape), tf.float32)


def lstm(**options):
    x = keras.Input((12, 5))
    both = L.Bidirectional(L.LSTM(8, **options))(x)
    return keras.Model(x, L.Dense(3, activation="softmax")(both), name="bilstm")


def refused(model):
    with pytest.raises(RequestError) as caught:
        rebuild(model)
    return str(caught.value)


def test_lenet5(trained):
    rebuilt = rebuild(trained)
    images = noise(4, 32, 32, 1)
    np.testing.assert_allclose(rebuilt(images), trained(images), rtol=0, atol=1e-7)
    assert type(rebuilt).__module__.startswith("tf_keras")
    assert [layer.name for layer in rebuilt.layers] == [layer.name for layer in trained.layers]
    assert (rebuilt.name, rebuilt.input_names) == ("lenet5", ["images"])


def test_a_bilstm():
    assert_same(lstm(), noise(4, 12, 5), tolerance=1e-7)


def test_models_in_models_and_layers_that_are_used_twice():
    x = keras.Input((6,))
    shared = L.Dense(6, activation="gelu", name="shared")
    inner = keras.Sequential([keras.Input((6,)), L.Dense(6, name="a"), L.LayerNormalization()])
    y = keras.Input((6,))
    outer = keras.Model(y, L.Concatenate()([inner(y), shared(y)]), name="outer")
    model = keras.Model(x, L.Dense(3)(outer(shared(inner(x)))))
    rebuilt = assert_same(model, noise(4, 6))
    assert rebuilt.count_params() == model.count_params()
    flat = rebuild(model, flat=True)
    assert not any(hasattr(layer, "layers") for layer in flat.layers)
    np.testing.assert_allclose(flat(noise(4, 6) * 0 + 1), model(np.ones((4, 6))), atol=1e-6)


def test_several_inputs_and_outputs_by_name():
    a, b = keras.Input((4,), name="a"), keras.Input((3,), dtype="int32", name="b")
    embedded = L.Flatten()(L.Embedding(9, 4)(b))
    joint = L.Concatenate()([a, embedded])
    model = keras.Model({"b": b, "a": a}, {"one": L.Dense(2)(joint), "two": L.Dense(3)(joint)})
    rebuilt = rebuild(drawn(model))
    given = {"a": noise(5, 4), "b": tf.constant(RNG.integers(0, 9, (5, 3)), tf.int32)}
    expected, found = model(given), rebuilt(given)
    assert sorted(found) == ["one", "two"]
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-6)


def test_operations_layers_of_ones_own_and_changed_layers_are_taken_over():
    class Half(L.Layer):
        def call(self, x):
            return x / 2

    x = keras.Input((8, 8, 3))
    h = L.Resizing(6, 5)(1.0 - keras.ops.maximum(x, 0.1) * 2)
    h = L.Conv2D(4, 3, activation="relu6")(Half()(L.Lambda(lambda x: x + 1)(h)))
    h = keras.ops.concatenate([h, keras.ops.mean(h, axis=-1, keepdims=True)], axis=-1)
    assert_same(keras.Model(x, L.GlobalMaxPooling2D()(h)), noise(4, 8, 8, 3))


def test_random_layers_are_at_rest_outside_of_training():
    x = keras.Input((8, 8, 3))
    rebuilt = assert_same(keras.Model(x, L.RandomFlip()(L.Dropout(0.5)(x))), noise(4, 8, 8, 3))
    images = noise(4, 8, 8, 3)
    assert np.abs(rebuilt(images, training=True) - images).max() > 0.1


@pytest.mark.parametrize("cell", [L.LSTM, L.GRU])
def test_masks(cell):
    x = keras.Input((7,), dtype="int32")
    h = cell(4, return_sequences=True)(L.Embedding(10, 4, mask_zero=True)(x))
    h = L.Bidirectional(cell(3))(L.Dropout(0.1)(h))
    tokens = tf.constant([[1, 2, 3, 0, 0, 0, 0], [4, 5, 0, 6, 7, 0, 0], [1, 2, 3, 4, 5, 6, 7]])
    assert_same(keras.Model(x, h), tokens)


def test_masks_in_attention():
    x = keras.Input((7,), dtype="int32")
    h = L.Embedding(10, 4, mask_zero=True)(x)
    h = L.LayerNormalization()(L.MultiHeadAttention(2, 3)(h, h) + h)
    tokens = tf.constant([[1, 2, 3, 0, 0, 0, 0], [4, 5, 0, 6, 7, 0, 0]])
    assert_same(keras.Model(x, L.GlobalAveragePooling1D()(h)), tokens)


def test_states_that_are_handed_on():
    x = keras.Input((7, 3))
    _, *states = L.LSTM(4, return_state=True)(x)
    h = L.LSTM(4)(x, initial_state=states)
    assert_same(keras.Model(x, h), noise(3, 7, 3))


def test_a_model_for_each_time_step():
    inner = keras.Sequential(
        [keras.Input((8, 8, 1)), L.Conv2D(3, 3), L.BatchNormalization(), L.Flatten()]
    )
    x = keras.Input((4, 8, 8, 1))
    assert_same(keras.Model(x, L.LSTM(3)(L.TimeDistributed(inner)(x))), noise(2, 4, 8, 8, 1))
    h = L.TimeDistributed(L.BatchNormalization())(x)
    assert_same(keras.Model(x, L.TimeDistributed(L.Flatten())(h)), noise(2, 4, 8, 8, 1))


def test_mixed_precision_becomes_float32():
    with mixed_precision():
        mixed = lstm()
    plain = drawn(lstm())
    mixed.set_weights(plain.get_weights())
    sequences = noise(4, 12, 5)
    rebuilt = rebuild(mixed)
    np.testing.assert_allclose(rebuilt(sequences), plain(sequences), atol=1e-7)
    assert mixed.layers[1].compute_dtype == "float16"


def test_frozen_layers_stay_frozen_and_the_model_stays_as_it_was():
    inner = keras.Sequential([keras.Input((3,)), L.Dense(3, name="a"), L.BatchNormalization()])
    inner.trainable = False
    x = keras.Input((3,))
    model = drawn(keras.Model(x, L.Dense(2, name="b")(inner(x))))
    before = model.get_weights()
    rebuilt = rebuild(model)
    assert [v.name for v in rebuilt.trainable_variables] == ["b/kernel:0", "b/bias:0"]
    rebuilt.compile("sgd", "mse")
    rebuilt.fit(noise(4, 3), noise(4, 2), verbose=0)
    for ours, was in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, was)


def converted(model, mode="float32", examples=None):
    rebuilt = rebuild(model, batch_size=1)
    assert rebuilt.input_shape == (1, 12, 5)
    run = tf.function(lambda x: rebuilt(x, training=False))
    spec = tf.TensorSpec(rebuilt.input_shape, tf.float32)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [run.get_concrete_function(spec)], rebuilt
    )
    if mode == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: ([example[None]] for example in examples)
    litert = Interpreter(model_content=converter.convert())
    litert.allocate_tensors()
    return litert


def operators(litert):
    return [op["op_name"] for op in litert._get_ops_details()]


@pytest.mark.slow
def test_a_bilstm_becomes_one_operator_each_direction():
    model = drawn(lstm(dropout=0.2))
    litert = converted(model)
    assert operators(litert).count("UNIDIRECTIONAL_SEQUENCE_LSTM") == 2
    assert "WHILE" not in operators(litert)
    sequences = noise(10, 12, 5)
    for sequence, expected in zip(sequences, model(sequences).numpy(), strict=True):
        litert.reset_all_variables()  # the operator goes on where it stopped
        litert.set_tensor(litert.get_input_details()[0]["index"], sequence[None])
        litert.invoke()
        found = litert.get_tensor(litert.get_output_details()[0]["index"])[0]
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.slow
def test_in_int8_too():
    litert = converted(drawn(lstm()), "int8", noise(100, 12, 5))
    assert operators(litert).count("UNIDIRECTIONAL_SEQUENCE_LSTM") == 2


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"activation": "relu"}, {"use_bias": False}])
def test_another_lstm_becomes_a_loop(options):
    assert "WHILE" in operators(converted(lstm(**options)))


def test_what_cannot_be_rebuilt_is_named_all_at_once():
    class Scale(L.Layer):
        def build(self, shape):
            self.scale = self.add_weight((shape[-1],))

        def call(self, x):
            return x * self.scale

    x = keras.Input((4,))
    inner = keras.Sequential([keras.Input((4,)), L.RMSNormalization(name="rms")])
    model = keras.Model(x, inner(Scale(name="mine")(x)), name="new")
    assert refused(model) == (
        "Expected layers that Keras 2 has too: the model 'new' is rebuilt in it. Received: "
        "'mine' (Scale), 'rms' (RMSNormalization). Replace them with layers and arguments that "
        "`tf_keras.layers` has."
    )


def test_a_model_without_a_graph_is_refused():
    class Own(keras.Model):
        def call(self, x):
            return x

    expected = "Expected a functional model, or a Sequential one that is built. Received: "
    assert refused(Own(name="own")) == expected + "model='own', type='Own'"
    model = keras.Sequential([L.Dense(2)], name="open")
    assert refused(model) == expected + "model='open', type='Sequential'"


def test_the_environment_stays_as_it_was(trained):
    before = dict(os.environ)
    rebuild(trained)
    assert dict(os.environ) == before
    assert tf.keras.Model is keras.Model


def test_a_mobilenet():
    model = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, classes=5)
    assert_same(model, noise(2, 32, 32, 3))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["ResNet50", "EfficientNetB0", "MobileNetV3Small", "DenseNet121", "Xception"]
)
def test_models_of_keras_applications(name):
    model = getattr(keras.applications, name)(input_shape=(96, 96, 3), weights=None, classes=5)
    assert_same(model, noise(2, 96, 96, 3))


def test_what_augments_does_nothing_but_in_training():
    x = keras.Input((8, 8, 1))
    model = keras.Model(x, L.Flatten()(L.RandomContrast(0.9)(x)))
    images, rebuilt = noise(4, 8, 8, 1), rebuild(model)
    np.testing.assert_array_equal(rebuilt(images, training=False), np.reshape(images, (4, -1)))
    assert not np.array_equal(rebuilt(images, training=True), np.reshape(images, (4, -1)))
