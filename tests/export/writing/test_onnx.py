"""ONNX files: checked by onnx, run by ONNX Runtime."""

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf

from tfpipe import export, models, ops
from tfpipe.errors import RequestError

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (40, 32, 32, 1), np.uint8)


@pytest.fixture(scope="module")
def file(trained, prepare, tmp_path_factory):
    return export.to_onnx(trained, tmp_path_factory.mktemp("a") / "a.onnx", prepare=prepare)


def scores(path, images):
    (found,) = onnxruntime.InferenceSession(str(path)).run(["scores"], {"images": images})
    return found


def test_the_file_computes_what_keras_computes(file, trained, digits):
    for images in (NOISE, digits[0][:50]):
        expected = trained.predict(images / np.float32(255), verbose=0)
        assert np.abs(scores(file, images) - expected).max() <= 1e-5


@pytest.mark.parametrize("size", [1, 2, 33])
def test_the_batch_may_have_any_size(file, size):
    np.testing.assert_allclose(scores(file, NOISE[:size]), scores(file, NOISE)[:size], atol=1e-6)


def test_what_the_file_says_of_itself(file):
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    assert {entry.domain: entry.version for entry in model.opset_import}[""] == 18
    ends = {
        end.name: (
            end.type.tensor_type.elem_type,
            [size.dim_param or size.dim_value for size in end.type.tensor_type.shape.dim],
        )
        for end in (*model.graph.input, *model.graph.output)
    }
    assert ends == {
        "images": (onnx.TensorProto.UINT8, ["batch", 32, 32, 1]),
        "scores": (onnx.TensorProto.FLOAT, ["batch", 10]),
    }


def test_with_an_input_size_the_pixels_are_resized_inside(trained, prepare, tmp_path):
    path = export.to_onnx(trained, tmp_path / "a.onnx", prepare=prepare, input_size=(48, 40))
    large = RNG.integers(0, 256, (3, 48, 40, 1), np.uint8)
    small = ops.Resize((32, 32))({"image": large})["image"].numpy()
    expected = trained.predict(small / np.float32(255), verbose=0)
    assert np.abs(scores(path, large) - expected).max() <= 0.01
    assert export.load(path).sparsity == 0.0  # of the model: a resizing is mostly zeros


def test_without_a_chain_a_file_takes_what_the_model_takes(trained, tmp_path):
    path = export.to_onnx(trained, tmp_path / "a.onnx")
    floats = NOISE / np.float32(255)
    assert np.abs(scores(path, floats) - trained.predict(floats, verbose=0)).max() <= 1e-5


def test_a_mixed_precision_model_becomes_a_float32_file(trained, prepare, tmp_path, file):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        mixed = models.lenet5()
    finally:
        keras.config.set_dtype_policy("float32")
    mixed.set_weights(trained.get_weights())
    path = export.to_onnx(mixed, tmp_path / "a.onnx", prepare=prepare)
    np.testing.assert_array_equal(scores(path, NOISE), scores(file, NOISE))


def test_a_model_of_a_strategy_converts(two_devices, trained, prepare, tmp_path, file):
    with two_devices.scope():
        model = keras.models.clone_model(trained)
        model.set_weights(trained.get_weights())
        path = export.to_onnx(model, tmp_path / "a.onnx", prepare=prepare)
    np.testing.assert_array_equal(scores(path, NOISE), scores(file, NOISE))


def test_an_operator_that_onnx_does_not_have_is_refused_by_name(tmp_path):
    class Odd(keras.layers.Layer):
        def call(self, x):
            return tf.math.lgamma(x)

    x = keras.Input((8, 8, 1))
    with pytest.raises(RequestError) as caught:
        export.to_onnx(keras.Model(x, Odd()(x), name="odd"), tmp_path / "a.onnx")
    assert str(caught.value) == (
        "Expected a model whose operators ONNX has. Received: 'odd' with Lgamma. Replace the layer."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layer", [keras.layers.LSTM, keras.layers.GRU])
def test_recurrent_layers_become_onnx_own(tmp_path, layer):
    keras.utils.set_random_seed(0)
    x = keras.Input((9, 5))
    y = keras.layers.Bidirectional(layer(6, return_sequences=True))(x)
    model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(layer(4)(y)))
    path = export.to_onnx(model, tmp_path / "a.onnx")
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert layer.__name__ in kinds
    assert "Loop" not in kinds
    session = onnxruntime.InferenceSession(str(path))
    for size in (1, 7):
        sequences = RNG.normal(size=(size, 9, 5)).astype(np.float32)
        (found,) = session.run(["scores"], {"sequences": sequences})
        np.testing.assert_allclose(found, model.predict(sequences, verbose=0), atol=1e-5)


def test_tokens_go_in_as_int32(tmp_path):
    x = keras.Input((9,), dtype="int64")
    y = keras.layers.Embedding(40, 8)(x)
    model = keras.Model(x, keras.layers.GlobalMaxPooling1D()(y))
    path = export.to_onnx(model, tmp_path / "a.onnx")
    tokens = RNG.integers(0, 40, (3, 9)).astype(np.int32)
    (found,) = onnxruntime.InferenceSession(str(path)).run(["scores"], {"tokens": tokens})
    np.testing.assert_allclose(found, model.predict(tokens, verbose=0), atol=1e-6)


def test_gelu_has_a_form_in_onnx(tmp_path):
    x = keras.Input((6,))
    model = keras.Model(x, keras.layers.Dense(3, activation="gelu")(x))
    inputs = RNG.normal(0, 2, (9, 6)).astype(np.float32)
    path = export.to_onnx(model, tmp_path / "a.onnx")
    (found,) = onnxruntime.InferenceSession(str(path)).run(["scores"], {"features": inputs})
    np.testing.assert_allclose(found, model.predict(inputs, verbose=0), atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Conv2D(6, 3, groups=2),
        keras.layers.SeparableConv2D(5, 3),
        keras.layers.DepthwiseConv2D(3),
    ],
    ids=["groups", "separable", "depthwise"],
)
def test_convolutions_of_groups_of_channels(tmp_path, layer):
    x = keras.Input((8, 8, 4))
    model = keras.Model(x, keras.layers.Flatten()(layer(x)))
    inputs = RNG.normal(size=(5, 8, 8, 4)).astype(np.float32)
    path = export.to_onnx(model, tmp_path / "a.onnx")
    session = onnxruntime.InferenceSession(str(path))
    (found,) = session.run(None, {session.get_inputs()[0].name: inputs})
    np.testing.assert_allclose(found, model.predict(inputs, verbose=0), atol=1e-5)
    assert not tf.config.functions_run_eagerly()


def test_what_a_normalization_has_adapted_to_is_in_the_file(tmp_path):
    inputs = RNG.normal(5, 3, (20, 6)).astype(np.float32)
    layer = keras.layers.Normalization()
    layer.adapt(inputs)
    model = keras.Sequential([keras.Input((6,)), layer, keras.layers.Dense(3)])
    path = export.to_onnx(model, tmp_path / "a.onnx")
    (found,) = onnxruntime.InferenceSession(str(path)).run(["scores"], {"features": inputs})
    np.testing.assert_allclose(found, model.predict(inputs, verbose=0), atol=1e-5)


def test_only_those_tensors_are_kept_that_are_read(tmp_path):
    layer = keras.layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0])
    model = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(2)])
    graph = onnx.load(export.to_onnx(model, tmp_path / "a.onnx")).graph
    read = {name for node in graph.node for name in node.input}
    assert {kept.name for kept in graph.initializer} <= read
