"""CenterCrop by slicing; RandomResizedCrop by its statistics and by what is drawn into images."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tfpipe import ops
from tfpipe.errors import RequestError
from tfpipe.ops.boxes import MIN_VISIBLE

KEYS = [f"0/0/{number}" for number in range(400)]
CROP = ops.RandomResizedCrop((32, 32))


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@settings(max_examples=40)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 20), st.integers(0, 20))
@example(1, 1, 7, 12)
def test_the_middle_is_cut_out_of_image_mask_and_boxes(height, width, more, wider):
    image = noise(height + more, width + wider, 3)
    share = height * width / (image.shape[0] * image.shape[1])
    assume(abs(share - MIN_VISIBLE) > 1e-5)  # a box of which less is left is dropped
    top, left = more // 2, wider // 2
    rows, columns = slice(top, top + height), slice(left, left + width)
    whole = {
        "image": image,
        "mask": image[..., :1].astype(np.int32),
        "boxes": np.float32([[0, 0, 1, 1]]),
    }
    found = ops.CenterCrop((height, width))(whole)
    np.testing.assert_array_equal(found["image"], image[rows, columns])
    np.testing.assert_array_equal(found["mask"], image[rows, columns, :1])
    boxes = [[0, 0, 1, 1]] if share > MIN_VISIBLE else np.empty((0, 4))
    np.testing.assert_allclose(found["boxes"], boxes, atol=1e-6)


def test_boxes_are_seen_from_the_part():
    boxes = np.float32([[0.25, 0.5, 0.5, 1], [0, 0, 0.2, 0.2]])
    example = {"image": noise(20, 40, 1), "boxes": boxes, "classes": np.int64([1, 2])}
    found = ops.CenterCrop((10, 20))(example)
    np.testing.assert_allclose(found["boxes"], [[0, 0.5, 0.5, 1]], atol=1e-6)
    assert found["classes"].numpy().tolist() == [1]


def test_a_batch_and_unknown_sizes_are_cropped_alike():
    images = noise(3, 12, 15, 1)
    expected = images[:, 2:10, 4:11]
    op = ops.CenterCrop((8, 7))
    np.testing.assert_array_equal(op({"image": images})["image"], expected)
    spec = {"image": tf.TensorSpec((None, None, None, 1), tf.uint8)}
    traced = tf.function(op, input_signature=[spec])
    np.testing.assert_array_equal(traced({"image": images})["image"], expected)
    assert traced.get_concrete_function().structured_outputs["image"].shape[1:] == (8, 7, 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected images of at least that"):
        traced({"image": images[:, :7]})


def test_a_smaller_image_is_refused():
    with pytest.raises(RequestError) as caught:
        ops.CenterCrop((8, 7))({"image": noise(20, 6, 1)})
    assert str(caught.value) == (
        "CenterCrop(size=(8, 7)) expected images of at least that size; resize them first. "
        "Received: (height, width) (20, 6)"
    )


def gradient(height, width):
    """Every pixel tells where it was: its row in one channel, its column in another."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows, columns, rows], axis=-1).astype(np.uint8)


def parts(height=160, width=200):
    """(top, left, rows, columns) of each part."""
    start, part = CROP._draw(tf.constant(KEYS), height, width)
    return [*map(np.asarray, start), *map(np.asarray, part)]


def test_parts_are_as_large_and_as_wide_as_asked_for():
    top, left, rows, columns = parts()
    share = rows * columns / (160 * 200)
    assert share.max() <= 1
    assert share.min() > 0.07
    assert abs(share.mean() - 0.54) < 0.08  # from 0.08 to 1
    small = share < 0.5
    ratio = (columns / rows)[small]
    assert 0.72 < ratio.min() < 0.85
    assert 1.2 < ratio.max() < 1.37
    assert abs(np.log(ratio).mean()) < 0.06
    assert (top >= 0).all()
    assert (top + rows <= 160).all()
    assert (left + columns <= 200).all()
    room = (160 - rows) > 10
    assert 0.38 < (top / np.maximum(160 - rows, 1))[room].mean() < 0.62


def test_place_size_and_shape_of_a_part_tell_nothing_about_each_other():
    every = np.array(parts(4000, 4000))
    top, left, rows, columns = every[:, every[2] * every[3] < 2000 * 2000]  # none is cut
    numbers = [rows * columns, columns / rows, top / (4000 - rows), left / (4000 - columns)]
    assert np.abs(np.corrcoef(numbers) - np.eye(4)).max() < 0.2


def test_the_pixels_are_those_of_the_part_and_the_boxes_too():
    image = gradient(160, 200)
    box = np.float32([[0.4, 0.45, 0.6, 0.55]])
    for key in KEYS[:20]:
        example = {"image": image, "mask": image[..., :1].astype(np.int32), "boxes": box}
        found = CROP({**example, "key": key})
        start, part = CROP._draw(tf.constant(key), 160, 200)
        top, left, rows, columns = map(int, (*start, *part))
        expected = ops.Resize((32, 32))({"image": image[top : top + rows, left : left + columns]})
        np.testing.assert_array_equal(found["image"], expected["image"])
        assert np.abs(found["mask"][..., 0] - found["image"].numpy()[..., 0].astype(int)).max() <= 3
        y1, x1, y2, x2 = box[0] * [160, 200, 160, 200]
        by_hand = np.array(
            [(y1 - top) / rows, (x1 - left) / columns, (y2 - top) / rows, (x2 - left) / columns]
        ).clip(0, 1)
        if len(found["boxes"]):
            np.testing.assert_allclose(found["boxes"][0], by_hand, atol=1e-5)
        else:
            assert (by_hand[2] - by_hand[0]) * (by_hand[3] - by_hand[1]) < 0.01


def test_a_batch_is_cropped_as_its_images_are():
    images = noise(5, 40, 50, 3)
    together = CROP({"image": images, "key": KEYS[:5]})["image"]
    assert together.shape == (5, 32, 32, 3)
    for image, key, found in zip(images, KEYS, together, strict=False):
        np.testing.assert_array_equal(CROP({"image": image, "key": key})["image"], found)


def test_in_training_the_resize_after_it_finds_nothing_to_do():
    chain = ops.Chain([CROP, ops.Resize((32, 32)), ops.ToFloat()])
    example = {"image": noise(40, 50, 3), "key": "a"}
    np.testing.assert_array_equal(
        chain(example)["image"], ops.Chain([CROP, ops.ToFloat()])(example)["image"]
    )
    assert chain.inference()(example)["image"].shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"scale": (0.5, 0.2)},
            "Expected `scale` to be (smallest, largest), in order and from 0.0001 to 1. "
            "Received: scale=(0.5, 0.2)",
        ),
        (
            {"ratio": 1.0},
            "Expected `ratio` to be (smallest, largest), in order and from 0.01 to 100. "
            "Received: ratio=1.0",
        ),
    ],
)
def test_other_arguments_are_refused(arguments, sentence):
    with pytest.raises(RequestError) as caught:
        ops.RandomResizedCrop((8, 8), **arguments)
    assert str(caught.value) == sentence
