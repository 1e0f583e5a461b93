"""Calibration: the right images, enough of them, and the whole range of pixels."""

import numpy as np
import pytest
import tensorflow as tf

from tfpipe import ops
from tfpipe.errors import RequestError
from tfpipe.export.writing.calibration import calibration_examples

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(1, 255, (600, 6, 5, 1), np.uint8)
SHAPE = (6, 5, 1)
TAKES = tf.TensorSpec((1, *SHAPE), tf.uint8, "images")


def batches(images, batch_size=64):
    return tf.data.Dataset.from_tensor_slices(images).batch(batch_size)


def refused(dataset, takes=TAKES):
    with pytest.raises(RequestError) as caught:
        calibration_examples(dataset, takes)
    return str(caught.value)


def test_the_first_500_images_are_taken():
    images = calibration_examples(batches(PIXELS), TAKES)
    assert (images.shape, images.dtype) == ((500, 6, 5, 1), np.float32)
    np.testing.assert_array_equal(images[1:], PIXELS[1:500])


def test_targets_are_left_aside():
    labelled = batches((PIXELS, np.arange(600)))
    images = calibration_examples(labelled, TAKES)
    np.testing.assert_array_equal(images[1:], PIXELS[1:500])


def test_one_pixel_is_black_and_one_white():
    images = calibration_examples(batches(PIXELS), TAKES)
    assert (images.min(), images.max()) == (0, 255)
    assert np.sum(images[0] != PIXELS[0]) == 2


def test_floats_stay_as_they_are():
    floats = RNG.normal(size=(150, *SHAPE)).astype(np.float32)
    takes = tf.TensorSpec((1, *SHAPE), tf.float32, "images")
    np.testing.assert_array_equal(calibration_examples(batches(floats), takes), floats)


def test_exactly_100_distinct_images_will_do_and_are_taken_once():
    images = np.concatenate([PIXELS[:50], PIXELS[:100], PIXELS[:50]])
    found = calibration_examples(batches(images), TAKES)
    assert len(found) == 100
    np.testing.assert_array_equal(found[1:], PIXELS[1:100])


def test_none_are_refused():
    assert refused(None) == (
        "mode='int8' takes the ranges of the activations from examples. Give `calibration`, "
        "batches of the training images."
    )


def test_too_few_are_refused():
    assert refused(batches(PIXELS[:99])) == (
        "Expected `calibration` to hold at least 100 distinct images. "
        "Received: 99 among the first 99."
    )


def test_fewer_are_taken_where_there_are_no_more():
    images = calibration_examples(batches(PIXELS[:40]), TAKES, least=40)
    assert len(images) == 40
    with pytest.raises(RequestError) as caught:
        calibration_examples(batches(PIXELS[:39]), TAKES, least=40)
    assert str(caught.value) == (
        "Expected `calibration` to hold at least 40 distinct images. "
        "Received: 39 among the first 39."
    )


def test_copies_of_one_image_are_refused():
    assert refused(batches(np.repeat(PIXELS[:2], 300, axis=0))) == (
        "Expected `calibration` to hold at least 100 distinct images. "
        "Received: 2 among the first 500."
    )


def test_images_of_one_value_throughout_do_not_count():
    blank = np.broadcast_to(np.arange(150, dtype=np.uint8)[:, None, None, None], (150, *SHAPE))
    assert refused(batches(np.concatenate([blank, PIXELS[:99]]))) == (
        "Expected `calibration` to hold at least 100 distinct images. "
        "Received: 99 among the first 249. 150 hold one value throughout, and do not count."
    )


def test_pixels_that_are_normalised_already_are_refused():
    images = (PIXELS > 128).astype(np.uint8)
    assert refused(batches(images)) == (
        "Expected `calibration` to hold pixels from 0 to 255. Received: none above 1: they are "
        "normalised already. `records.read(..., prepare.outside())` gives what a file takes."
    )


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(wrong):
    sequences = RNG.normal(size=(150, 7, 3)).astype(np.float32)
    sequences[120, 3, 1] = wrong
    takes = tf.TensorSpec((1, 7, 3), tf.float32, "sequences")
    assert refused(batches(sequences), takes) == (
        "Expected `calibration` to hold finite numbers. Received: sequences with NaN or infinity. "
        "Mend them, or leave them out, as in training."
    )


def test_sequences_stay_as_they_are_and_constant_ones_do_not_count():
    sequences = RNG.normal(size=(150, 7, 3)).astype(np.float32)
    takes = tf.TensorSpec((1, 7, 3), tf.float32, "sequences")
    np.testing.assert_array_equal(calibration_examples(batches(sequences), takes), sequences)
    sequences[:60] = sequences[:60, :1, :1]
    assert refused(batches(sequences), takes) == (
        "Expected `calibration` to hold at least 100 distinct sequences. "
        "Received: 90 among the first 150. 60 hold one value throughout, and do not count."
    )


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_tokens_become_int32(dtype):
    tokens = RNG.integers(0, 50, (150, 9)).astype(dtype)
    takes = tf.TensorSpec((1, 9), tf.int32, "tokens")
    found = calibration_examples(batches(tokens), takes)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, tokens)


def test_tokens_of_one_value_throughout_do_not_count():
    tokens = np.repeat(np.arange(150, dtype=np.int32)[:, None], 9, axis=1)
    takes = tf.TensorSpec((1, 9), tf.int32, "tokens")
    assert refused(batches(tokens), takes) == (
        "Expected `calibration` to hold at least 100 distinct sequences of tokens. "
        "Received: 0 among the first 150. 150 hold one value throughout, and do not count."
    )


def test_an_empty_dataset_is_refused():
    assert refused(batches(PIXELS).take(0)) == (
        "Expected `calibration` to hold at least 100 distinct images. "
        "Received: 0 among the first 0."
    )


def test_images_of_another_size_are_refused():
    assert refused(batches(PIXELS), tf.TensorSpec((1, 8, 8, 1), tf.uint8, "images")) == (
        "Expected `calibration` to hold uint8 images of shape (8, 8, 1). "
        "Received: uint8 of shape (6, 5, 1). "
        "`records.read(..., prepare.outside())` gives what a file takes."
    )


@pytest.mark.parametrize(("expected", "found"), [("uint8", "float32"), ("float32", "uint8")])
def test_images_of_another_dtype_are_refused(expected, found):
    assert refused(
        batches(PIXELS.astype(found)), tf.TensorSpec((1, *SHAPE), expected, "images")
    ) == (
        f"Expected `calibration` to hold {expected} images of shape (6, 5, 1). "
        f"Received: {found} of shape (6, 5, 1). "
        "`records.read(..., prepare.outside())` gives what a file takes."
    )


def test_the_network_sees_what_the_ops_before_it_give():
    images = calibration_examples(batches(PIXELS), TAKES, [ops.Resize((3, 5))])
    expected = ops.Resize((3, 5))({"image": PIXELS[:500]})["image"].numpy()
    np.testing.assert_array_equal(images[1:], expected[1:])
    assert (images[0, 0, 0], images[0, -1, -1]) == (0, 255)


def test_after_all_ops_the_range_is_that_of_black_and_white():
    images = calibration_examples(
        batches(PIXELS), TAKES, [ops.Resize((3, 5)), ops.ToFloat()], mode="int16x8"
    )
    assert (images.dtype, images.min(), images.max()) == (np.float32, 0, 1)
    expected = ops.Resize((3, 5))({"image": PIXELS[1:500]})["image"].numpy()
    np.testing.assert_allclose(images[1:], expected / 255, atol=1e-6)


def test_what_is_no_dataset_of_inputs_is_refused():
    assert refused(PIXELS) == (
        "Expected `calibration` to be a tf.data.Dataset of batches. Received: calibration='ndarray'"
    )
    assert refused(batches({"image": PIXELS})).startswith(
        "Expected `calibration` to hold batches of inputs, or of (inputs, targets). Received: "
        "element_spec={'image': TensorSpec("
    )
