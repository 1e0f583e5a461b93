"""Normalize by hand, PreprocessInput against Keras; both to the bit in every file."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import ops
from tfpipe.errors import RequestError

# Every value in every channel.
IMAGES = np.stack([np.roll(np.arange(256), shift) for shift in (0, 85, 170)], axis=-1)
IMAGES = IMAGES.reshape(1, 16, 16, 3).astype(np.uint8)


def refused(*arguments):
    with pytest.raises(RequestError) as caught:
        ops.Normalize(*arguments)
    return str(caught.value)


@pytest.mark.parametrize("style", ["caffe", "tf", "torch"])
def test_preprocess_input_is_keras_within_the_last_bits(style):
    found = ops.PreprocessInput(style)({"image": IMAGES})["image"].numpy()
    expected = keras.applications.imagenet_utils.preprocess_input(
        IMAGES.astype(np.float32), data_format="channels_last", mode=style
    )
    assert found.dtype == np.float32
    # Near 0 the last bits are those of the numbers that were subtracted.
    np.testing.assert_allclose(found, expected, rtol=3e-7, atol=3e-7)
    if style == "caffe":
        np.testing.assert_array_equal(found, expected)


APPLICATIONS = {
    "caffe": ["resnet", "vgg16", "vgg19"],
    "tf": [
        "inception_resnet_v2",
        "inception_v3",
        "mobilenet",
        "mobilenet_v2",
        "nasnet",
        "resnet_v2",
        "xception",
    ],
    "torch": ["densenet"],
    "none": ["convnext", "efficientnet", "efficientnet_v2", "mobilenet_v3"],
}


@pytest.mark.parametrize("style", APPLICATIONS)
def test_each_model_of_keras_has_the_style_that_the_docstring_says(style):
    found = ops.PreprocessInput(style)({"image": IMAGES})["image"].numpy()
    for name in APPLICATIONS[style]:
        expected = getattr(keras.applications, name).preprocess_input(IMAGES.astype(np.float32))
        np.testing.assert_allclose(found, expected, rtol=3e-7, atol=3e-7, err_msg=name)


def test_normalize_subtracts_and_divides():
    floats = IMAGES / np.float32(255)
    found = ops.Normalize((0.1, 0.2, 0.3), (0.5, 0.25, 2))({"image": floats})["image"]
    expected = (floats - [0.1, 0.2, 0.3]) / [0.5, 0.25, 2]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_one_number_does_for_all_channels():
    for channels in (1, 3):
        floats = np.ones((4, 5, channels), np.float32)
        found = ops.Normalize((0.5,), (0.25,))({"image": floats})["image"]
        np.testing.assert_array_equal(found, np.full((4, 5, channels), 2, np.float32))


def test_imagenet_by_name_are_its_numbers():
    floats = {"image": IMAGES / np.float32(255)}
    numbers = ops.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    np.testing.assert_array_equal(ops.Normalize()(floats)["image"], numbers(floats)["image"])


@pytest.mark.parametrize("runtime", ["saved_model", "tflite", "onnx"])
@pytest.mark.parametrize(
    "chain",
    [
        [ops.ToFloat(), ops.Normalize("imagenet")],
        [ops.ToFloat(), ops.Normalize((0.51,), (0.27,))],
        [ops.PreprocessInput("caffe")],
        [ops.PreprocessInput("tf")],
        [ops.PreprocessInput("torch")],
        [ops.PreprocessInput("none")],
    ],
    ids=str,
)
def test_every_file_computes_the_same_bits(run_in, chain, runtime):
    expected = ops.Chain(chain)({"image": IMAGES})["image"]
    np.testing.assert_array_equal(run_in(chain, IMAGES, runtime), expected)


def test_what_they_take_is_checked():
    with pytest.raises(RequestError) as caught:
        ops.Normalize()({"image": IMAGES})
    assert str(caught.value) == "Normalize() expected float32 images. Received: uint8 images."
    with pytest.raises(RequestError) as caught:
        ops.PreprocessInput("tf")({"image": IMAGES / np.float32(255)})
    assert str(caught.value) == (
        "PreprocessInput(style='tf') expected uint8 images, 0 to 255. Received: float32 images."
    )
    with pytest.raises(RequestError) as caught:
        ops.Normalize()({"image": tf.zeros((4, 4, 1))})
    assert str(caught.value) == (
        "Normalize() expected images with 3 channels. Received: shape (4, 4, 1)"
    )


@pytest.mark.parametrize("std", [0.0, -1.0, 1e-40])
def test_a_deviation_of_zero_is_refused(std):
    assert refused((0.5, 0.5), (1.0, std)) == (
        f"Expected `std` to be positive. Received: std=(1.0, {std})"
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, "1", None])
def test_what_is_no_number_is_refused(value):
    assert refused((0.5,), (value,)) == (
        "Expected `std` to hold a number per channel, or one for all, as (0.5,). "
        f"Received: std=({value!r},)"
    )


def test_other_arguments_are_refused():
    assert refused("imagenet", (1.0,)) == (
        "Expected `mean` and `std` both as numbers, or both as 'imagenet'. "
        "Received: mean='imagenet', std=(1.0,)"
    )
    assert refused((0.5,), (1.0, 1.0)) == (
        "Expected `mean` and `std` to hold as many numbers as each other. "
        "Received: mean=(0.5,), std=(1.0, 1.0)"
    )
    assert refused(0.5, 1.0) == (
        "Expected `mean` to hold a number per channel, or one for all, as (0.5,). "
        "Received: mean=0.5"
    )
    with pytest.raises(RequestError) as caught:
        ops.PreprocessInput("caffee")
    assert str(caught.value) == (
        "Expected `style` to be one of 'caffe', 'tf', 'torch', 'none'. Received: style='caffee'. "
        "Did you mean 'caffe'?"
    )
