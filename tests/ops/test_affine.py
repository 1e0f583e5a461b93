"""What is drawn into an image, its mask and its boxes move to the same place."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tfpipe.ops import affine
from tfpipe.ops.affine import Motion

HEIGHT, WIDTH = 60, 90


def motion(turns=0.0, zoom=1.0, right=0.0, down=0.0):
    return Motion(*(tf.constant(value, tf.float64) for value in (turns, zoom, right, down)))


def move(example, motion, mask_fill):
    tensors = {name: tf.constant(value) for name, value in example.items()}
    return affine.move(tensors, motion, mask_fill)


def drawn(y1=20, x1=30, y2=34, x2=52):
    image = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
    image[y1:y2, x1:x2] = 255
    boxes = np.float32([[y1 / HEIGHT, x1 / WIDTH, y2 / HEIGHT, x2 / WIDTH]])
    mask = (image > 0).astype(np.int32)
    return {"image": image, "mask": mask, "boxes": boxes, "classes": np.int64([4])}


def bounds(image):
    rows, columns = np.nonzero(image[..., 0])
    ends = np.array([rows.min(), columns.min(), rows.max() + 1, columns.max() + 1])
    return ends / [HEIGHT, WIDTH, HEIGHT, WIDTH]


@settings(max_examples=60)
@given(st.floats(-0.5, 0.5), st.floats(0.6, 1.4), st.floats(-0.15, 0.15), st.floats(-0.15, 0.15))
def test_image_mask_and_boxes_move_together(turns, zoom, right, down):
    moved = move(drawn(), motion(turns, zoom, right, down), 0)
    image, mask = moved["image"].numpy(), moved["mask"].numpy()
    # Where an edge falls on the middle of pixels, the nearest pixel may be either.
    assert ((image > 127) != (mask == 1)).mean() < 0.01
    # Corners of turned boxes are thinner than a pixel.
    np.testing.assert_allclose(bounds(mask), moved["boxes"][0], atol=1.6 / HEIGHT)
    np.testing.assert_allclose(bounds(image > 63), moved["boxes"][0], atol=1.6 / HEIGHT)


@pytest.mark.parametrize("zoom", [0.8, 1.2])
def test_zoom_is_the_magnification(zoom):
    boxes = move(drawn(15, 30, 45, 60), motion(zoom=zoom), 0)["boxes"].numpy()[0]
    assert (boxes[2] - boxes[0]) * HEIGHT == pytest.approx(30 * zoom, rel=1e-5)
    assert (boxes[3] - boxes[1]) * WIDTH == pytest.approx(30 * zoom, rel=1e-5)
    assert boxes[0] + boxes[2] == pytest.approx(1, rel=1e-5)


@settings(max_examples=30)
@given(st.floats(-0.5, 0.5), st.floats(0.6, 1.4), st.floats(-0.3, 0.3), st.floats(-0.3, 0.3))
def test_it_is_what_scipy_computes(turns, zoom, right, down):
    image = np.random.default_rng(0).integers(0, 256, (20, 14, 1), np.uint8)
    angle = 2 * np.pi * turns
    # SciPy takes (y, x), and maps an output position to the input position it is read from.
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / zoom
    centre, shift = np.array([9.5, 6.5]), np.array([down * 20, right * 14])
    expected = ndimage.affine_transform(
        image[..., 0].astype(float),
        matrix,
        offset=centre - matrix @ (centre + shift),
        order=1,
        mode="grid-constant",
    )
    found = move({"image": image}, motion(turns, zoom, right, down), 0)["image"]
    assert np.abs(found.numpy()[..., 0] - expected).max() <= 0.51


def test_outside_is_the_class_that_was_asked_for():
    moved = move(drawn(), motion(zoom=0.5), 9)
    mask = moved["mask"].numpy()
    assert (mask[:15] == 9).all()
    assert (mask[15:45, 23:67] < 9).all()
    assert set(np.unique(mask)) == {0, 1, 9}
    assert (moved["image"].numpy()[:14] == 0).all()


def test_what_leaves_is_dropped():
    moved = move(drawn(), motion(right=0.9), 0)
    assert moved["boxes"].shape == (0, 4)
    assert moved["classes"].shape == (0,)


def test_channels_and_dtypes_stay():
    example = {"image": np.zeros((8, 6, 3), np.uint8), "mask": np.zeros((8, 6, 1), np.uint8)}
    moved = move(example, motion(0.1), 255)
    assert (moved["image"].dtype, moved["mask"].dtype) == (tf.uint8, tf.uint8)
    assert (moved["image"].shape, moved["mask"].shape) == ((8, 6, 3), (8, 6, 1))
    assert moved["mask"].numpy().max() == 255
