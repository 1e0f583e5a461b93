"""ColorJitter against the definitions, OpenCV's and colorsys' colours, and its ranges."""

import colorsys

import numpy as np
import pytest

from tfpipe import ops
from tfpipe.errors import RequestError

KEYS = [f"0/0/{number}" for number in range(300)]


def jitter(images, keys=KEYS, **amounts):
    op = ops.ColorJitter(**amounts)
    return op({"image": np.asarray(images), "key": keys[: len(images)]})["image"].numpy()


def repeated(image):
    return np.repeat(np.asarray(image, np.uint8)[None], len(KEYS), axis=0)


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_nothing_to_draw_changes_nothing():
    images = noise(3, 9, 8, 3)
    np.testing.assert_array_equal(jitter(images), images)


def test_brightness_adds_up_to_its_fraction_of_white():
    found = jitter(repeated(np.full((4, 4, 1), 128)), brightness=0.2).astype(int)
    assert (found == found[:, :1, :1]).all()
    added = found[:, 0, 0, 0] - 128
    assert -51 <= added.min() <= -49
    assert 49 <= added.max() <= 51
    assert abs(added.mean()) < 4


def test_contrast_moves_pixels_away_from_each_channel_s_mean():
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2], image[2:] = (80, 100, 20), (120, 160, 60)
    found = jitter(repeated(image), contrast=0.5).astype(float)
    np.testing.assert_allclose(found.mean((1, 2)), [[100, 130, 40]] * len(KEYS), atol=0.6)
    factor = (found[:, 3, 0, 1] - found[:, 0, 0, 1]) / 60
    assert 0.49 <= factor.min() <= 0.53
    assert 1.47 <= factor.max() <= 1.51
    assert abs(factor.mean() - 1) < 0.05


def test_brightness_and_contrast_tell_nothing_about_each_other():
    image = np.full((2, 2, 1), 100)
    image[0] = 140
    found = jitter(repeated(image), brightness=0.1, contrast=0.5).astype(float)[..., 0]
    correlation = np.corrcoef(found.mean((1, 2)), found[:, 0, 0] - found[:, 1, 0])
    assert abs(correlation[0, 1]) < 0.2


def test_saturation_and_hue_tell_nothing_about_each_other():
    found = jitter(repeated(np.full((1, 1, 3), (180, 120, 120))), saturation=0.5, hue=0.05)
    colours = np.array([colorsys.rgb_to_hsv(*pixel / 255) for pixel in found[:, 0, 0]])
    turns = (colours[:, 0] + 0.5) % 1
    assert abs(np.corrcoef(turns, colours[:, 1])[0, 1]) < 0.2


def test_saturation_and_hue_are_those_of_colorsys():
    colours = noise(200, 1, 1, 3)
    keys = ["0/0/7"] * 200  # the same draws for all
    amount = {"saturation": 0.4, "hue": 0.2}
    found = jitter(colours, keys, **amount)[:, 0, 0]
    before = np.array([colorsys.rgb_to_hsv(*pixel / 255) for pixel in colours[:, 0, 0]])
    after = np.array([colorsys.rgb_to_hsv(*pixel / 255) for pixel in found])
    clear = (before[:, 1] > 0.4) & (before[:, 1] < 0.6) & (before[:, 2] > 0.5)
    turns = (after - before)[clear, 0] % 1
    factors = (after / before)[clear, 1]
    assert np.ptp(turns) < 0.02
    assert np.ptp(factors) < 0.03
    turn, factor = np.median(turns), np.median(factors)
    assert min(turn, 1 - turn) <= 0.2
    assert 0.6 <= factor <= 1.4
    by_hand = [
        colorsys.hsv_to_rgb((hue + turn) % 1, min(saturation * factor, 1), value)
        for hue, saturation, value in before
    ]
    assert np.abs(found - np.array(by_hand) * 255).max() < 4


def test_hue_turns_both_ways_up_to_its_fraction_of_the_circle():
    found = jitter(repeated(np.full((1, 1, 3), (255, 40, 40))), hue=0.1)[:, 0, 0]
    hues = np.array([colorsys.rgb_to_hsv(*pixel / 255)[0] for pixel in found])
    turns = (hues + 0.5) % 1 - 0.5
    assert -0.102 <= turns.min() <= -0.095
    assert 0.095 <= turns.max() <= 0.102


def test_white_and_black_are_the_ends():
    found = jitter(noise(100, 6, 6, 3), brightness=1.0, contrast=1.0, saturation=1.0, hue=0.5)
    assert found.dtype == np.uint8
    assert (found.min(), found.max()) == (0, 255)


def test_grey_images_have_brightness_and_contrast_only():
    assert jitter(noise(3, 5, 5, 1), brightness=0.1, contrast=0.1).shape == (3, 5, 5, 1)
    with pytest.raises(RequestError) as caught:
        jitter(noise(3, 5, 5, 1), hue=0.1)
    assert str(caught.value) == (
        "ColorJitter(hue=0.1) expected images with 3 channels. Received: shape (3, 5, 5, 1)"
    )


def test_other_amounts_are_refused():
    with pytest.raises(RequestError) as caught:
        ops.ColorJitter(contrast=1.2)
    assert str(caught.value) == (
        "Expected `contrast` to be a fraction from 0 to 1. Received: contrast=1.2"
    )
    with pytest.raises(RequestError) as caught:
        ops.ColorJitter(hue=0.6)
    assert str(caught.value) == (
        "Expected `hue` to be at most 0.5, half the circle. Received: hue=0.6"
    )
