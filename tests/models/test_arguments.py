"""Wrong shapes, counts and heads are refused in one sentence, by every model that takes them."""

import pytest

from tfpipe import models
from tfpipe.errors import RequestError


def refused(name, **arguments):
    with pytest.raises(RequestError) as caught:
        models.build(name, **arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["mlp", "lenet5", "residual", "resnet50", "lstm", "bilstm", "unet"]
)
def test_an_unknown_activation(name):
    weights = {"weights": None} if name == "resnet50" else {}
    assert refused(name, activation="softmaxx", **weights) == (
        "Expected `activation` to be one of 'softmax', 'sigmoid', 'linear'. "
        "Received: activation='softmaxx'. Did you mean 'softmax'?"
    )


def test_a_softmax_of_one_class():
    assert refused("lenet5", num_classes=1) == (
        "Expected `num_classes` to be at least 2 for a softmax, as that of one class is always 1. "
        "Received: num_classes=1. activation='sigmoid' tells two classes by one output."
    )


@pytest.mark.parametrize("number", [0, -1, 2.0, True, "3", None])
def test_counts_that_are_none(number):
    expected = (
        f"Expected `num_classes` to be a whole number from 1. Received: num_classes={number!r}"
    )
    assert refused("unet", num_classes=number) == expected
    assert refused("yolov8", num_classes=number) == expected


@pytest.mark.parametrize("name", ["lenet5", "residual", "resnet50", "unet", "yolov8"])
@pytest.mark.parametrize("shape", [(32, 32), (32, 32, 0), (32, 32.0, 1), 32, None, "abc"])
def test_shapes_that_are_no_images(name, shape):
    assert refused(name, input_shape=shape) == (
        "Expected `input_shape` to be (height, width, channels) in whole numbers from 1. "
        f"Received: input_shape={shape!r}"
    )


def test_images_that_are_too_small():
    assert refused("lenet5", input_shape=(15, 32, 1)) == (
        "Expected `input_shape` of at least 16x16 pixels. Received: input_shape=(15, 32, 1)"
    )
    assert models.lenet5((16, 16, 1)).get_layer("pool2").output.shape == (None, 1, 1, 16)
    assert refused("resnet50", input_shape=(32, 31, 3)) == (
        "Expected `input_shape` of at least 32x32 pixels. Received: input_shape=(32, 31, 3)"
    )


def test_sizes_that_cannot_be_halved_as_often():
    assert refused("unet", input_shape=(256, 250, 1)) == (
        "Expected `input_shape` with height and width divisible by 16, such as (256, 256). "
        "Received: input_shape=(256, 250, 1)"
    )
    assert refused("yolov8", input_shape=(10, 330, 3)) == (
        "Expected `input_shape` with height and width divisible by 32, such as (32, 320). "
        "Received: input_shape=(10, 330, 3)"
    )
