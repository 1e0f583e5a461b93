"""One predictor for the Keras model and for its files."""

import concurrent.futures

import keras
import numpy as np
import pytest

from tfpipe import export, models, ops
from tfpipe.errors import RequestError
from tfpipe.export.reading.predictor import in_batches, zeros

NOISE = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 1), np.uint8)


def refused(predictor, images):
    with pytest.raises(RequestError) as caught:
        predictor.predict(images)
    return str(caught.value)


def test_the_keras_model_takes_pixels(trained, prepare):
    predictor = export.from_keras(trained, prepare)
    scores = predictor.predict(NOISE)
    assert scores.dtype == np.float32
    expected = trained.predict(NOISE / np.float32(255), verbose=0)
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_it_says_what_it_is(trained, prepare):
    assert repr(export.from_keras(trained, prepare)) == (
        "Predictor(name=\"the Keras model 'lenet5'\", format='keras', mode='float32', "
        "input_shape=(32, 32, 1), dtype='uint8', sparsity=0.0)"
    )


def test_without_a_chain_it_takes_what_the_model_takes(trained):
    predictor = export.from_keras(trained)
    assert predictor.dtype == "float32"
    floats = NOISE / np.float32(255)
    np.testing.assert_array_equal(predictor.predict(floats), trained.predict(floats, verbose=0))


def test_random_ops_do_not_happen(trained, prepare):
    chain = ops.Chain(
        [ops.Decode(1), ops.Resize((32, 32)), ops.RandomAffine(0.5, 0.5), ops.ToFloat()]
    )
    np.testing.assert_array_equal(
        export.from_keras(trained, chain).predict(NOISE),
        export.from_keras(trained, prepare).predict(NOISE),
    )


def test_mixed_precision_scores_are_float32(prepare):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = models.lenet5()
    finally:
        keras.config.set_dtype_policy("float32")
    assert export.from_keras(model, prepare).predict(NOISE).dtype == np.float32


def test_the_sparsity_is_that_of_all_kernels_together(prepare):
    model = models.lenet5()
    dense = model.get_layer("dense1").kernel
    dense.assign(np.zeros(dense.shape))
    kernels = 61_706 - 6 - 16 - 120 - 84 - 10
    assert export.from_keras(model, prepare).sparsity == 48_000 / kernels


def test_zeros_of_nothing_are_none():
    assert zeros([]) == 0.0


def test_eight_threads_get_the_answers_of_one(trained, prepare):
    predictor = export.from_keras(trained, prepare)
    expected = predictor.predict(NOISE)
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        for scores in threads.map(predictor.predict, [NOISE] * 16):
            np.testing.assert_array_equal(scores, expected)


@pytest.mark.parametrize("mode", ["float32", "int8"])
def test_a_wrong_shape_is_refused(files, mode):
    predictor = export.load(files[mode])
    assert refused(predictor, NOISE[:, :28, :28]) == (
        f"{mode}.tflite takes uint8 images of shape (N, 32, 32, 1). "
        "Received: uint8 of shape (40, 28, 28, 1)."
    )
    assert refused(predictor, NOISE[0]) == (
        f"{mode}.tflite takes uint8 images of shape (N, 32, 32, 1). "
        "Received: uint8 of shape (32, 32, 1)."
    )


def test_a_wrong_dtype_is_refused(files, trained, prepare):
    assert refused(export.load(files["int8"]), NOISE / np.float32(255)) == (
        "int8.tflite takes uint8 images of shape (N, 32, 32, 1). "
        "Received: float32 of shape (40, 32, 32, 1)."
    )
    assert refused(export.from_keras(trained, prepare), NOISE / np.float32(255)) == (
        "the Keras model 'lenet5' takes uint8 images of shape (N, 32, 32, 1). "
        "Received: float32 of shape (40, 32, 32, 1)."
    )
    assert refused(export.from_keras(trained), NOISE) == (
        "the Keras model 'lenet5' takes float32 images of shape (N, 32, 32, 1). "
        "Received: uint8 of shape (40, 32, 32, 1)."
    )


@pytest.mark.parametrize("prepared", [True, False])
def test_no_image_is_refused(files, trained, prepare, prepared):
    predictor = export.load(files["float32"]) if prepared else export.from_keras(trained, prepare)
    assert refused(predictor, NOISE[:0]) == (
        f"{predictor.name} takes at least one example. Received: none."
    )


def told(shape, dtype):
    """A predictor that would run anything."""
    return export.Predictor("a", "onnx", "float32", shape, dtype, 0.0, lambda inputs: inputs)


@pytest.mark.parametrize(
    ("shape", "dtype", "word", "shown"),
    [
        ((7, 3), "float32", "sequences", "N, 7, 3"),
        ((7,), "int32", "tokens", "N, 7"),
        ((7,), "float32", "features", "N, 7"),
    ],
)
def test_every_kind_of_example_has_its_word(shape, dtype, word, shown):
    assert refused(told(shape, dtype), np.zeros((2, 9), np.int64)) == (
        f"a takes {dtype} {word} of shape ({shown}). Received: int64 of shape (2, 9)."
    )


def test_numbers_that_are_not_finite_are_refused():
    inputs = np.zeros((2, 700), np.float32)
    inputs[0, :600], inputs[1, 0] = np.nan, np.inf
    assert refused(told((700,), "float32"), inputs) == (
        "a takes finite numbers. Received: 601 of 1,400 that are infinite or no number."
    )


def test_tokens_below_zero_are_refused():
    tokens = np.array([[0, 5], [-3, 5]], np.int32)
    assert refused(told((2,), "int32"), tokens) == "a takes tokens from 0. Received: -3."


def test_what_is_no_array_is_refused():
    assert refused(told((2,), "float32"), [[1.0, 2.0]]) == (
        "a takes features as a NumPy array. Received: list."
    )


def test_the_layers_are_its_operators(trained, prepare):
    x = keras.Input((32, 32, 1))
    inner = export.from_keras(keras.Model(x, trained(x)), prepare).operators
    assert inner == {**export.from_keras(trained, prepare).operators, "InputLayer": 2}
    assert (inner["Conv2D"], inner["Dense"]) == (2, 3)


def test_the_input_size_is_that_of_the_files(trained, prepare):
    large = np.random.default_rng(1).integers(0, 256, (3, 48, 40, 1), np.uint8)
    predictor = export.from_keras(trained, prepare, input_size=(48, 40))
    assert predictor.input_shape == (48, 40, 1)
    small = ops.Resize((32, 32))({"image": large})["image"].numpy()
    expected = export.from_keras(trained, prepare).predict(small)
    np.testing.assert_array_equal(predictor.predict(large), expected)


@pytest.mark.parametrize(("size", "seen"), [(None, [32, 32, 6]), (1, [1] * 70)])
def test_no_runtime_sees_more_images_than_it_can_take(size, seen):
    sizes = []

    def run(images):
        sizes.append(len(images))
        return images + 1

    images = np.arange(70.0)
    np.testing.assert_array_equal(in_batches(run, size)(images), images + 1)
    assert sizes == seen
