"""Calibration: the right images, enough of them, and the whole range of pixels."""

import numpy as np
import pytest
import tensorflow as tf

from tfpipe import ops
from tfpipe.errors import RequestError
from tfpipe.export.calibration import calibration_images

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(1, 255, (600, 6, 5, 1), np.uint8)
SHAPE = (6, 5, 1)
TAKES = tf.TensorSpec((1, *SHAPE), tf.uint8)


def batches(images, batch_size=64):
    return tf.data.Dataset.from_tensor_slices(images).batch(batch_size)


def refused(dataset, takes=TAKES):
    with pytest.raises(RequestError) as caught:
        calibration_images(dataset, takes)
    return str(caught.value)


def test_the_first_500_images_are_taken():
    images = calibration_images(batches(PIXELS), TAKES)
    assert (images.shape, images.dtype) == ((500, 6, 5, 1), np.float32)
    np.testing.assert_array_equal(images[1:], PIXELS[1:500])


def test_targets_are_left_aside():
    labelled = batches((PIXELS, np.arange(600)))
    images = calibration_images(labelled, TAKES)
    np.testing.assert_array_equal(images[1:], PIXELS[1:500])


def test_one_pixel_is_black_and_one_white():
    images = calibration_images(batches(PIXELS), TAKES)
    assert (images.min(), images.max()) == (0, 255)
    assert np.sum(images[0] != PIXELS[0]) == 2


def test_floats_stay_as_they_are():
    floats = RNG.normal(size=(150, *SHAPE)).astype(np.float32)
    takes = tf.TensorSpec((1, *SHAPE), tf.float32)
    np.testing.assert_array_equal(calibration_images(batches(floats), takes), floats)


def test_exactly_100_distinct_images_will_do():
    images = np.concatenate([PIXELS[:100], PIXELS[:50]])
    assert len(calibration_images(batches(images), TAKES)) == 150


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


def test_copies_of_one_image_are_refused():
    assert refused(batches(np.repeat(PIXELS[:2], 300, axis=0))) == (
        "Expected `calibration` to hold at least 100 distinct images. "
        "Received: 2 among the first 500."
    )


def test_an_empty_dataset_is_refused():
    assert refused(batches(PIXELS).take(0)) == (
        "Expected `calibration` to hold at least 100 distinct images. "
        "Received: 0 among the first 0."
    )


def test_images_of_another_size_are_refused():
    assert refused(batches(PIXELS), tf.TensorSpec((1, 8, 8, 1), tf.uint8)) == (
        "Expected `calibration` to hold uint8 images of shape (8, 8, 1). "
        "Received: uint8 of shape (6, 5, 1). "
        "`records.read(..., prepare.outside())` gives what a file takes."
    )


@pytest.mark.parametrize(("expected", "found"), [("uint8", "float32"), ("float32", "uint8")])
def test_images_of_another_dtype_are_refused(expected, found):
    assert refused(batches(PIXELS.astype(found)), tf.TensorSpec((1, *SHAPE), expected)) == (
        f"Expected `calibration` to hold {expected} images of shape (6, 5, 1). "
        f"Received: {found} of shape (6, 5, 1). "
        "`records.read(..., prepare.outside())` gives what a file takes."
    )


def test_the_network_sees_what_the_ops_before_it_give():
    images = calibration_images(batches(PIXELS), TAKES, [ops.Resize((3, 5))])
    expected = ops.Resize((3, 5))({"image": PIXELS[:500]})["image"].numpy()
    np.testing.assert_array_equal(images[1:], expected[1:])
    assert (images[0, 0, 0], images[0, -1, -1]) == (0, 255)
