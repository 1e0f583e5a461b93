"""Random geometry against SciPy and NumPy, and how far it goes."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tfpipe import ops
from tfpipe.errors import RequestError
from tfpipe.ops.affine import Motion, move

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (5, 20, 14, 1), np.uint8)
KEYS = ["0/1/a", "0/1/b", "0/2/a", "1/1/a", "x"]


def affine(image, angle, shift_x, shift_y):
    numbers = (angle / (2 * math.pi), 1, shift_x, shift_y)
    motion = Motion(*(tf.constant(number, tf.float64) for number in numbers))
    return move({"image": tf.constant(image)}, motion, 0)["image"].numpy()


def moved(images=IMAGES, keys=KEYS, op=ops.RandomAffine(0.05, 0.2)):  # noqa: B008
    return op({"image": tf.constant(images), "key": tf.constant(keys)})["image"].numpy()


def test_without_angle_and_shift_nothing_changes():
    np.testing.assert_array_equal(affine(IMAGES[0], 0, 0, 0), IMAGES[0])


@given(st.integers(-20, 20), st.integers(-14, 14))
@settings(max_examples=40)
def test_a_shift_by_whole_pixels_moves_right_and_down_and_leaves_black(down, right):
    expected = np.roll(IMAGES[0], (down, right), axis=(0, 1))
    expected[: max(down, 0)] = 0
    expected[20 + min(down, 0) :] = 0
    expected[:, : max(right, 0)] = 0
    expected[:, 14 + min(right, 0) :] = 0
    np.testing.assert_array_equal(affine(IMAGES[0], 0, right / 14, down / 20), expected)


@pytest.mark.parametrize("size", [8, 9])
def test_a_quarter_turn_is_counterclockwise_about_the_centre(size):
    image = RNG.integers(0, 256, (size, size, 1), np.uint8)
    np.testing.assert_array_equal(affine(image, math.pi / 2, 0, 0), np.rot90(image))


@given(
    st.floats(-math.pi, math.pi),
    st.floats(-0.5, 0.5),
    st.floats(-0.5, 0.5),
)
@settings(max_examples=60)
def test_turn_then_shift_is_what_scipy_computes(angle, shift_x, shift_y):
    height, width = 20, 14
    # SciPy takes (y, x), and maps an output position to the input position it is read from.
    matrix = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    shift = np.array([shift_y * height, shift_x * width])
    expected = ndimage.affine_transform(
        IMAGES[0, ..., 0].astype(float),
        matrix,
        offset=centre - matrix @ (centre + shift),
        order=1,
        mode="grid-constant",
    )
    found = affine(IMAGES[0], angle, shift_x, shift_y)[..., 0]
    # Half a grey level from rounding, the rest from float32 positions times steep edges.
    assert np.abs(found - expected).max() <= 0.51


def test_channels_move_together():
    image = RNG.integers(0, 256, (9, 9, 3), np.uint8)
    whole = affine(image, 0.3, 0.1, -0.2)
    for channel in range(3):
        np.testing.assert_array_equal(
            whole[..., channel, None], affine(image[..., channel, None], 0.3, 0.1, -0.2)
        )


def test_nothing_to_draw_changes_nothing():
    np.testing.assert_array_equal(moved(op=ops.RandomAffine(0, 0)), IMAGES)


def test_a_shift_stays_within_its_fraction_of_each_side():
    dot = np.zeros((400, 41, 21, 1), np.uint8)
    dot[:, 20, 10] = 255
    keys = [str(number) for number in range(400)]
    found = moved(dot, keys, ops.RandomAffine(rotation=0, translation=0.2))
    weights = found[..., 0].astype(float)
    total = weights.sum((1, 2))
    shift_y = (weights * np.arange(41)[:, None]).sum((1, 2)) / total - 20
    shift_x = (weights * np.arange(21)).sum((1, 2)) / total - 10
    for shift, largest in ((shift_y, 0.2 * 41), (shift_x, 0.2 * 21)):
        assert np.abs(shift).max() <= largest + 0.02
        assert np.abs(shift).max() > 0.95 * largest
        assert abs(shift.mean()) < 0.15 * largest
    assert abs(np.corrcoef(shift_x, shift_y)[0, 1]) < 0.2


def test_a_turn_stays_within_its_fraction_of_a_full_turn():
    bar = np.zeros((400, 41, 41, 1), np.uint8)
    bar[:, 20, 24:37] = 255  # to the right of the centre: its direction is the angle
    found = moved(bar, [str(n) for n in range(400)], ops.RandomAffine(0.1, 0))[..., 0]
    y = (found * (20.0 - np.arange(41)[:, None])).sum((1, 2))
    x = (found * (np.arange(41) - 20.0)).sum((1, 2))
    turns = np.arctan2(y, x) / (2 * math.pi)
    assert 0.095 < np.abs(turns).max() <= 0.101
    assert abs(turns.mean()) < 0.015


def test_the_same_key_gives_the_same_image_alone_and_in_any_batch():
    batch = moved()
    for place in range(5):
        np.testing.assert_array_equal(batch[place], moved(IMAGES[place], KEYS[place]))
    order = [3, 0, 4]
    chosen = moved(IMAGES[order], [KEYS[place] for place in order])
    np.testing.assert_array_equal(chosen, batch[order])


def test_another_key_gives_another_image():
    found = moved(np.repeat(IMAGES[:1], 5, axis=0))
    assert len({image.tobytes() for image in found}) == 5


def test_a_second_random_op_draws_anew():
    op = ops.RandomAffine(0, 0.3)
    once = op({"image": tf.constant(IMAGES[0]), "key": tf.constant("a")})
    twice = op(once)
    again = op({"image": once["image"], "key": tf.constant("a")})
    assert (twice["image"].numpy() != again["image"].numpy()).any()


@pytest.mark.parametrize("name", ["rotation", "translation"])
@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_what_is_no_fraction_is_refused(name, value):
    with pytest.raises(RequestError) as caught:
        ops.RandomAffine(**{name: value})
    assert str(caught.value) == (
        f"Expected `{name}` to be a fraction from 0 to 1. Received: {name}={value}"
    )


def test_sizes_stay_known_or_unknown_in_a_graph():
    def spec(shape):
        types = {
            "image": tf.TensorSpec(shape, tf.uint8),
            "key": tf.TensorSpec(shape[:-3], tf.string),
        }
        traced = tf.function(ops.RandomAffine()).get_concrete_function(types)
        return traced.structured_outputs["image"].shape.as_list()

    for shape in ([None, None, 1], [8, 8, 3], [None, 8, 8, 1]):
        assert spec(shape) == shape


def test_a_zoom_stays_within_its_range():
    square = np.zeros((300, 40, 40, 1), np.uint8)
    square[:, 10:30, 10:30] = 255
    example = {"image": square, "key": [str(n) for n in range(300)]}
    sides = np.sqrt(ops.RandomZoom((0.8, 1.2))(example)["image"].numpy().sum((1, 2, 3)) / 255)
    assert 15.8 < sides.min() < 16.3
    assert 23.7 < sides.max() < 24.3
    assert abs(sides.mean() - 20) < 0.4


def test_rotation_and_zoom_are_the_affine_with_nothing_else():
    example = {"image": tf.constant(IMAGES), "key": tf.constant(KEYS)}
    for op, affine_op in (
        (ops.RandomRotation(0.2), ops.RandomAffine(0.2, 0)),
        (ops.RandomZoom((0.5, 0.9)), ops.RandomAffine(0, 0, (0.5, 0.9))),
    ):
        np.testing.assert_array_equal(op(example)["image"], affine_op(example)["image"])


@pytest.mark.parametrize("mode", ["horizontal", "vertical", "horizontal_and_vertical"])
def test_flips_are_exact_and_every_second_image_is_flipped(mode):
    image = RNG.integers(0, 256, (6, 5, 3), np.uint8)
    box = np.float32([[0.25, 0.5, 0.5, 0.875]])
    count = 800
    example = {
        "image": np.repeat(image[None], count, 0),
        "mask": np.repeat(image[None, ..., :1].astype(np.int32), count, 0),
        "boxes": np.repeat(box[None], count, 0),
        "classes": np.zeros((count, 1), np.int64),
        "key": [str(n) for n in range(count)],
    }
    found = ops.RandomFlip(mode)(example)
    seen = []
    for n in range(count):
        for down in (1, -1):
            for across in (1, -1):
                if (found["image"][n].numpy() == image[::down, ::across]).all():
                    seen.append((down, across))
                    np.testing.assert_array_equal(found["mask"][n], image[::down, ::across, :1])
                    y1, x1, y2, x2 = box[0]
                    ys = (y1, y2) if down > 0 else (1 - y2, 1 - y1)
                    xs = (x1, x2) if across > 0 else (1 - x2, 1 - x1)
                    np.testing.assert_array_equal(
                        found["boxes"][n, 0], [ys[0], xs[0], ys[1], xs[1]]
                    )
    assert len(seen) == count
    if mode == "horizontal_and_vertical":  # neither tells anything about the other
        assert seen.count((-1, -1)) / count == pytest.approx(0.25, abs=0.05)
    downs, acrosses = np.mean(np.array(seen) < 0, axis=0)
    assert downs == (0 if mode == "horizontal" else pytest.approx(0.5, abs=0.06))
    assert acrosses == (0 if mode == "vertical" else pytest.approx(0.5, abs=0.06))


def test_other_flips_and_zooms_are_refused():
    with pytest.raises(RequestError) as caught:
        ops.RandomFlip("horizontl")
    assert str(caught.value) == (
        "Expected `mode` to be one of 'horizontal', 'vertical', 'horizontal_and_vertical'. "
        "Received: mode='horizontl'. Did you mean 'horizontal'?"
    )
    with pytest.raises(RequestError) as caught:
        ops.RandomZoom((1.2, 0.8))
    assert str(caught.value) == (
        "Expected `zoom` to be (smallest, largest), in order and from 0.01 to 100. "
        "Received: zoom=(1.2, 0.8)"
    )
