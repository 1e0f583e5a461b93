"""What goes into every file: what it takes, and the ops inside."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import export, ops
from tfpipe.errors import RequestError
from tfpipe.export.writing.graph import input_spec, ops_inside, scoring

DECODE, RESIZE, FLOAT = ops.Decode(1), ops.Resize((32, 32)), ops.ToFloat()
PIXELS = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), np.uint8)


def refused(function, *arguments):
    with pytest.raises(RequestError) as caught:
        function(*arguments)
    return str(caught.value)


def takes(model, *arguments):
    spec = input_spec(model, *arguments)
    assert spec.name == "images"
    return tuple(spec.shape), spec.dtype.name


@pytest.mark.parametrize(
    "chain", [[DECODE, RESIZE, FLOAT], [DECODE, FLOAT], [RESIZE, FLOAT], [FLOAT], [DECODE, RESIZE]]
)
def test_after_a_chain_a_file_takes_pixels_of_the_models_size(trained, chain):
    assert takes(trained, ops.Chain(chain)) == ((None, 32, 32, 1), "uint8")


@pytest.mark.parametrize("chain", [[DECODE, RESIZE, FLOAT], [RESIZE, FLOAT]])
def test_with_an_input_size_it_takes_pixels_of_that(trained, chain):
    assert takes(trained, ops.Chain(chain), (48, 40)) == ((None, 48, 40, 1), "uint8")


@pytest.mark.parametrize("prepare", [None, ops.Chain([])])
def test_without_a_chain_it_takes_what_the_model_takes(trained, prepare):
    assert takes(trained, prepare) == ((None, 32, 32, 1), "float32")


def test_the_ops_inside_are_those_after_the_resizing():
    chain = ops.Chain([DECODE, ops.RandomAffine(), RESIZE, FLOAT])
    assert ops_inside(chain, None) == (FLOAT,)
    assert ops_inside(chain, (48, 40)) == (RESIZE, FLOAT)
    assert ops_inside(None, None) == ()


def test_the_scores_are_the_models(trained):
    found = scoring(trained, [FLOAT], "saved_model")(tf.constant(PIXELS))
    expected = trained.predict(PIXELS / np.float32(255), verbose=0)
    assert list(found) == ["scores"]
    np.testing.assert_allclose(found["scores"], expected, atol=1e-6)


def test_each_op_is_asked_for_the_runtimes_operators(trained):
    asked = []

    class Lowered(ops.ToFloat):
        def lower(self, images, runtime):
            asked.append(runtime)
            return super().lower(images, runtime)

    for runtime in ("saved_model", "tflite", "onnx"):
        scoring(trained, [Lowered()], runtime)(tf.constant(PIXELS))
    assert asked == ["saved_model", "tflite", "onnx"]


def test_an_input_size_without_a_chain_is_refused(trained):
    assert refused(input_spec, trained, None, (48, 40)) == (
        "`input_size` puts the resizing of `prepare` into the file. "
        "Received: input_size=(48, 40) without `prepare`."
    )


def test_a_chain_of_another_size_than_the_models_is_refused(trained):
    chain = ops.Chain([DECODE, ops.Resize((28, 28)), FLOAT])
    assert refused(input_spec, trained, chain) == (
        "Expected `prepare` to give what the model takes, images of (32, 32, 1). "
        "Received: images of (28, 28, 1), from pixels of (28, 28, 1)."
    )
    assert refused(input_spec, trained, chain, (48, 40)) == (
        "Expected `prepare` to give what the model takes, images of (32, 32, 1). "
        "Received: images of (28, 28, 1), from pixels of (48, 40, 1)."
    )


def test_a_model_of_several_outputs_is_refused():
    x = keras.Input((8, 8, 1))
    assert refused(input_spec, keras.Model(x, [x, x], name="twins"), None) == (
        "Expected a model with one input and one output. Received: 'twins' with 1 and 2."
    )


@pytest.mark.parametrize(
    ("shape", "dtype", "name", "taken"),
    [
        ((100, 8), "float32", "sequences", "float32"),
        ((12,), "float32", "features", "float32"),
        ((64,), "int32", "tokens", "int32"),
        ((64,), "int64", "tokens", "int32"),
    ],
)
def test_what_is_no_image_goes_in_as_the_model_takes_it(shape, dtype, name, taken):
    x = keras.Input(shape, dtype=dtype)
    spec = input_spec(keras.Model(x, keras.layers.Flatten()(x)), None)
    assert spec == tf.TensorSpec((None, *shape), taken, name)


def test_a_model_that_takes_none_of_these_is_refused():
    x = keras.Input((8, 8, 8, 1))
    assert refused(input_spec, keras.Model(x, x), None) == (
        "Expected a model that takes images (B, H, W, C), sequences (B, T, F), tokens (B, T) or "
        "features (B, F). Received: input_shape=(None, 8, 8, 8, 1)"
    )


def test_ops_on_images_before_a_model_that_takes_none_are_refused():
    x = keras.Input((8, 3))
    assert refused(input_spec, keras.Model(x, x, name="flat"), ops.Chain([DECODE, FLOAT])) == (
        "Expected a model that takes images (B, H, W, C) after ToFloat(). "
        "Received: 'flat' with input_shape=(None, 8, 3)"
    )


@pytest.mark.parametrize("shape", [(None, None, 1), (None, 8), (None,)])
def test_a_model_of_an_open_size_is_refused(shape):
    x = keras.Input(shape)
    assert refused(input_spec, keras.Model(x, x), None) == (
        "Expected a model with a fixed input size, as files have. "
        f"Received: input_shape={(None, *shape)}. Build it with that size, and copy the weights: "
        "`new.set_weights(old.get_weights())`."
    )


def test_tokens_as_floats_are_refused():
    x = keras.Input((8,))
    model = keras.Model(x, keras.layers.Embedding(10, 4, name="words")(x))
    assert refused(input_spec, model, None) == (
        "Expected tokens as integers before 'words'. Received: float32. Build the model with "
        'keras.Input(shape, dtype="int32"), and copy the weights: '
        "`new.set_weights(old.get_weights())`."
    )


THREE = "'burst/a/kernel', 'burst/b/kernel', 'burst/c/kernel'"


@pytest.mark.parametrize(
    ("lost", "listed"), [(1, "'burst/a/kernel'"), (5, f"{THREE} and 2 others")]
)
def test_weights_that_are_no_numbers_are_refused(tmp_path, lost, listed):
    x = keras.Input((2,))
    layers = [keras.layers.Dense(2, name=name) for name in "abcde"]
    model = keras.Sequential([x, *layers], name="burst")
    for layer, value in zip(layers[:lost], [np.nan, np.inf, -np.inf, np.nan, np.nan], strict=False):
        layer.kernel.assign([[1, value], [0, 1]])
    expected = (
        "Expected weights that are finite numbers. Received: 'burst' with NaN or infinity in "
        f"{listed}. Take the weights from "
        "before, and train with a smaller learning rate: `train.fit` stops where that begins."
    )
    for ending in ("tflite", "onnx"):
        assert refused(getattr(export, f"to_{ending}"), model, tmp_path / f"a.{ending}") == expected
    assert refused(export.to_saved_model, model, tmp_path / "a") == expected
    assert list(tmp_path.iterdir()) == []


def test_texts_are_for_tensorflow_alone(tmp_path):
    words = keras.layers.TextVectorization(vocabulary=["a", "b"], output_sequence_length=3)
    x = keras.Input((1,), dtype="string")
    model = keras.Model(x, keras.layers.Flatten()(keras.layers.Embedding(4, 2)(words(x))), name="m")
    for ending, runtime in (("tflite", "TFLite"), ("onnx", "ONNX")):
        assert refused(getattr(export, f"to_{ending}"), model, tmp_path / f"a.{ending}") == (
            f"Expected a model that takes numbers: {runtime} has no operators for texts. "
            "Received: 'm', which takes strings. Build a model that begins behind the layer that "
            "makes tokens of them, or use `to_saved_model`."
        )


class Own(keras.Model):
    def call(self, x):
        return x


def test_a_subclassed_model_is_refused():
    model = Own(name="mine")
    model(np.zeros((1, 8, 8, 1), np.float32))
    assert refused(input_spec, model, None) == (
        "Expected a functional model, or a Sequential one that begins with keras.Input. Received: "
        "'mine', a model of the class Own, whose layers do not tell what they are called with. "
        "Build it from keras.Input with keras.Model(inputs, outputs)."
    )


def test_a_sequential_model_without_an_input_is_refused():
    model = keras.Sequential([keras.layers.Dense(2)], name="open")
    assert refused(input_spec, model, None).startswith("Expected a functional model, or a Seq")


@pytest.mark.parametrize("ending", ["tflite", "onnx", "keras"])
def test_a_file_has_the_ending_by_which_it_is_loaded(trained, tmp_path, ending):
    write = getattr(export, f"to_{ending}")
    path = str(tmp_path / "model.bin")
    assert refused(write, trained, path) == (
        f"Expected `path` to end in '.{ending}'. Received: path={path!r}"
    )


def test_what_is_no_model_and_what_is_no_chain(trained):
    assert refused(input_spec, "model.keras", None) == (
        "Expected `model` to be a keras.Model. Received: model='model.keras'"
    )
    assert refused(input_spec, trained, [DECODE]) == (
        f"Expected `prepare` to be a tfpipe.ops.Chain. Received: prepare={[DECODE]!r}"
    )
