"""Resize against Pillow, OpenCV and NumPy; inside files against itself."""

import cv2
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tfpipe import ops
from tfpipe.errors import RequestError

sizes = st.integers(1, 40)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def resize(image, size, *arguments, **options):
    return ops.Resize(size, *arguments, **options)({"image": image})["image"].numpy()


@settings(max_examples=60)
@given(sizes, sizes, sizes, sizes, st.integers(0, 2**32 - 1))
def test_resize_is_within_one_grey_level_of_pillow(height, width, to_height, to_width, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    expected = np.asarray(
        PIL.Image.fromarray(image).resize((to_width, to_height), PIL.Image.Resampling.BILINEAR)
    )
    resized = resize(image[..., None], (to_height, to_width))[..., 0]
    assert np.abs(resized.astype(int) - expected).max() <= 1


@settings(max_examples=20)
@given(hnp.arrays(np.uint8, st.tuples(sizes, sizes, st.sampled_from([1, 3]))))
def test_resize_to_the_same_size_changes_nothing(image):
    np.testing.assert_array_equal(resize(image, image.shape[:2]), image)


def test_resize_takes_each_channel_by_itself_and_batches():
    images = np.random.default_rng(0).integers(0, 256, (2, 20, 11, 3), np.uint8)
    batch = resize(images, (7, 9))
    assert (batch.shape, batch.dtype) == ((2, 7, 9, 3), np.uint8)
    for index in range(2):
        for channel in range(3):
            alone = resize(images[index, ..., channel, None], (7, 9))
            np.testing.assert_array_equal(batch[index, ..., channel, None], alone)


@pytest.mark.parametrize(("old", "new"), [((40, 60), (20, 20)), ((37, 53), (19, 11))])
def test_area_is_opencv_s_within_one_grey_level(old, new):
    image = noise(*old, 3)
    expected = cv2.resize(image, new[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(resize(image, new, "area").astype(int) - expected).max() <= 1


def test_without_antialias_pixels_in_between_are_skipped():
    image = noise(40, 60, 3)
    expected = cv2.resize(image, (15, 10), interpolation=cv2.INTER_LINEAR)
    assert np.abs(resize(image, (10, 15), antialias=False).astype(int) - expected).max() <= 1
    assert np.abs(resize(image, (10, 15)).astype(int) - expected).max() > 30


def letterboxed(image, size):
    """By hand: the larger of the two scales that fit, and the rest black."""
    scale = min(size[0] / image.shape[0], size[1] / image.shape[1])
    rows, columns = (max(1, int(np.floor(side * scale + 0.5))) for side in image.shape[:2])
    top, left = (size[0] - rows) // 2, (size[1] - columns) // 2
    whole = np.zeros((*size, image.shape[2]), image.dtype)
    whole[top : top + rows, left : left + columns] = resize(image, (rows, columns))
    return whole


@settings(max_examples=40)
@given(sizes, sizes, sizes, sizes)
def test_letterbox_keeps_the_aspect_ratio_and_centres(height, width, to_height, to_width):
    image = noise(height, width, 1)
    size = (to_height, to_width)
    np.testing.assert_array_equal(resize(image, size, letterbox=True), letterboxed(image, size))


def drawn(height, width, box):
    """A white box on black, the same as a mask, and as a box."""
    image = np.zeros((height, width, 1), np.uint8)
    y1, x1, y2, x2 = box
    image[y1:y2, x1:x2] = 255
    relative = np.float32([[y1 / height, x1 / width, y2 / height, x2 / width]])
    mask = (image > 0).astype(np.int32)
    return {"image": image, "mask": mask, "boxes": relative, "classes": np.int64([5])}


def bounds(image):
    rows, columns = np.nonzero(image[..., 0] > 127)
    height, width = image.shape[:2]
    ends = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
    return np.array(ends) / [height, width, height, width]


@pytest.mark.parametrize("letterbox", [False, True])
@pytest.mark.parametrize("size", [(40, 40), (90, 31), (64, 120)])
def test_mask_and_boxes_move_with_the_image(letterbox, size):
    example = drawn(48, 64, (9, 20, 33, 44))
    moved = ops.Resize(size, letterbox=letterbox, mask_fill=7)(example)
    image, mask = moved["image"].numpy(), moved["mask"].numpy()
    assert mask.dtype == np.int32
    one_pixel = 1 / min(size)
    np.testing.assert_allclose(bounds(image), moved["boxes"][0], atol=one_pixel)
    np.testing.assert_allclose(bounds((mask == 1) * 255), moved["boxes"][0], atol=one_pixel)
    assert np.asarray(moved["classes"]).tolist() == [5]
    everywhere = np.full((48, 64, 1), 255, np.uint8)
    np.testing.assert_array_equal(
        mask == 7, ops.Resize(size, letterbox=letterbox)({"image": everywhere})["image"] == 0
    )


def test_a_mask_takes_the_nearest_pixel_s_class():
    mask = np.random.default_rng(1).integers(0, 9, (31, 17, 1), np.int32)
    example = {"image": noise(31, 17, 1), "mask": mask}
    found = ops.Resize((12, 25))(example)["mask"].numpy()
    rows = ((np.arange(12) + 0.5) * 31 / 12).astype(int)
    columns = ((np.arange(25) + 0.5) * 17 / 25).astype(int)
    np.testing.assert_array_equal(found, mask[rows][:, columns])


@pytest.mark.parametrize("letterbox", [False, True])
def test_an_unknown_size_gives_what_a_known_one_gives(letterbox):
    op = ops.Resize((20, 30), letterbox=letterbox)
    data = tf.data.Dataset.from_generator(
        lambda: ({"image": noise(side, 40, 3)} for side in (10, 20, 70)),
        output_signature={"image": tf.TensorSpec((None, None, 3), tf.uint8)},
    ).map(op)
    assert data.element_spec["image"].shape == (20, 30, 3)
    for side, example in zip((10, 20, 70), data, strict=True):
        np.testing.assert_array_equal(example["image"], op({"image": noise(side, 40, 3)})["image"])


@pytest.mark.parametrize("runtime", ["tflite", "onnx"])
@pytest.mark.parametrize(
    "op",
    [
        ops.Resize((20, 17)),
        ops.Resize((20, 17), letterbox=True),
        ops.Resize((20, 17), antialias=False),
        ops.Resize((61, 20), "area"),
        ops.Resize((41, 53)),
    ],
    ids=str,
)
def test_inside_a_file_it_is_within_one_grey_level(run_in, op, runtime):
    images = noise(1, 41, 53, 3)
    found = run_in([op], images, runtime).astype(int)
    difference = np.abs(found - op({"image": images})["image"])
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


def test_inside_a_file_the_size_must_be_known():
    @tf.function(input_signature=[tf.TensorSpec((1, None, 8, 3), tf.uint8)])
    def lowered(images):
        return ops.Resize((4, 4)).lower(images, "onnx")

    with pytest.raises(RequestError) as caught:
        lowered.get_concrete_function()
    assert str(caught.value) == (
        "Resize(size=(4, 4)) expected images of a known size for onnx. "
        "Received: shape (1, None, 8, 3)"
    )


@pytest.mark.parametrize("size", [(0, 4), (4, -1), (4,), (4, 4, 1), 224, (4.0, 4), "ab"])
def test_other_sizes_are_refused(size):
    with pytest.raises(RequestError) as caught:
        ops.Resize(size)
    assert (
        str(caught.value)
        == f"Expected `size` to be (height, width) in pixels. Received: size={size!r}"
    )


def test_other_arguments_are_refused():
    with pytest.raises(RequestError) as caught:
        ops.Resize((4, 4), "biliner")
    assert str(caught.value) == (
        "Expected `method` to be one of 'bilinear', 'area'. Received: method='biliner'. "
        "Did you mean 'bilinear'?"
    )
    with pytest.raises(RequestError, match=r"^Expected `letterbox` to be True or False\."):
        ops.Resize((4, 4), letterbox=1)
    with pytest.raises(RequestError, match=r"^Expected `antialias` to be True or False\."):
        ops.Resize((4, 4), antialias="no")
    with pytest.raises(RequestError, match=r"^Expected `mask_fill` to be a whole number from -1\."):
        ops.Resize((4, 4), mask_fill=0.5)


def test_a_list_is_as_good_as_a_tuple():
    assert ops.Resize([4, 6]) == ops.Resize((4, 6))
    assert hash(ops.Resize([4, 6])) == hash(ops.Resize((4, 6)))
