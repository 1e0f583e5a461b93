"""Heat over images: found again by its colours, absent where there is none."""

import matplotlib
import numpy as np
import pytest

from tfpipe.errors import RequestError
from tfpipe.report import heatmaps
from tfpipe.report.drawing import RED
from tfpipe.report.heat import heated

GREY = np.full((60, 60, 1), 128, np.uint8)
COLD, HOT = np.zeros((60, 60)), np.ones((60, 60))
SPOT = np.zeros((60, 60))
SPOT[:20, :20] = 1


def test_no_heat_shows_the_image_and_full_heat_shows_it_through_the_colour():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (4, 5, 3), np.uint8)
    np.testing.assert_array_equal(heated(image, np.zeros((4, 5))), image)
    hottest = np.array(matplotlib.colormaps["plasma"](1.0)[:3]) * 255
    expected = 0.35 * image + 0.65 * hottest
    np.testing.assert_allclose(heated(image, np.ones((4, 5))), expected, atol=0.51)


def coloured(image):
    """Where pixels are neither grey nor red."""
    red = np.abs(image - [0xD3, 0x20, 0x20]).max(-1) < 100
    return (np.ptp(image, axis=-1) > 60) & ~red


def test_the_heat_stands_in_its_place_of_the_right_picture(pixels):
    image = pixels(heatmaps([GREY], [SPOT], ["a"]))
    top = np.nonzero((image == 128).all(-1).sum(1) > 100)[0].min()  # the legend is above
    rows, columns = np.nonzero(coloured(image)[top:])
    grey_rows, grey_columns = np.nonzero((image[top:] == 128).all(-1))
    left, right = grey_columns.min(), grey_columns.max()
    assert (left + right) / 2 < columns.min() < (left + right) / 2 + 20  # the pair's right half
    third = (right - left) / 2 / 3
    assert columns.max() - columns.min() == pytest.approx(third, rel=0.1)
    assert abs(rows.min() - grey_rows.min()) <= 3
    assert rows.max() - rows.min() == pytest.approx(third, rel=0.1)


def test_the_legend_has_the_colours_even_where_nothing_is_hot(pixels):
    image = pixels(heatmaps([GREY], [COLD], ["a"]))
    rows = np.nonzero(coloured(image))[0]
    assert 0 < rows.max() < 200
    assert np.ptp(rows) > 10


def test_three_stand_in_a_row(pixels):
    widths = [pixels(heatmaps([GREY] * n, [COLD] * n, ["a"] * n)).shape[:2] for n in (1, 3, 4)]
    assert widths[1][1] == widths[2][1] == 2 * (3 * 256 + 32)
    assert widths[0][1] == 2 * (256 + 32)
    assert widths[2][0] > widths[1][0] + 200


def test_the_wrong_ones_are_red_and_nobody_else(pixels, near):
    given = {"images": [GREY] * 2, "heats": [COLD] * 2, "captions": ["answer", "answer"]}
    assert not near(pixels(heatmaps(**given)), RED).any()
    marked = near(pixels(heatmaps(**given, wrong=[False, True])), RED)
    assert marked.any()
    assert np.nonzero(marked)[1].min() > marked.shape[1] / 2


def test_images_of_different_sizes_and_colours(pixels):
    tall = np.full((90, 30, 3), 50, np.uint8)
    image = pixels(heatmaps([GREY, tall], [SPOT, np.zeros((90, 30))], ["a", "b"]))
    assert (image == 50).all(-1).sum() > 1000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"heats": []}, "Expected `heats` to have one entry per image, 1. Received: entries=0"),
        (
            {"heats": [HOT[:30]]},
            "Expected `heats[0]` of the image's shape (60, 60). Received: shape=(30, 60)",
        ),
        (
            {"heats": [2 * HOT]},
            "Expected `heats[0]` to be from 0 to 1. Received: lowest=2.0, highest=2.0",
        ),
        (
            {"heats": [np.nan * HOT]},
            "Expected `heats[0]` to be from 0 to 1. Received: lowest=nan, highest=nan",
        ),
        (
            {"captions": []},
            "Expected `captions` to have one entry per image, 1. Received: entries=0",
        ),
        ({"images": []}, "Expected `images` to hold at least one. Received: none."),
        (
            {"images": [GREY / 255]},
            "Expected `images[0]` to be a uint8 array (H, W, 1) or (H, W, 3). "
            "Received: shape=(60, 60, 1), dtype='float64'",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, sentence):
    with pytest.raises(RequestError) as caught:
        heatmaps(**{"images": [GREY], "heats": [HOT], "captions": ["a"], **arguments})
    assert str(caught.value) == sentence
