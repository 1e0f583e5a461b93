"""What all pictures have in common: their size, their letters, the same bytes every time."""

import warnings

import matplotlib
import matplotlib.style
import numpy as np
import pytest

from tfpipe.report import confusion, curves, drawing, grid

SQUARE = np.zeros((8, 8, 1), np.uint8)


def written(text):
    figure = drawing.canvas(200, 40)
    figure.text(0.1, 0.4, drawing.drawable(text))
    return drawing.png(figure)


def test_two_pixels_make_one_css_pixel(pixels):
    assert pixels(drawing.png(drawing.canvas(320, 100))).shape == (200, 640, 3)


def test_a_cropped_picture_grows_with_what_is_drawn(pixels):
    figure = drawing.canvas(20, 20)
    figure.text(0, 0, "longer than the canvas is wide")
    assert pixels(drawing.png(figure, crop=True)).shape[1] > 200


def test_the_same_picture_is_the_same_bytes():
    assert written("a") == written("a")
    assert written("a") != written("b")


@pytest.mark.parametrize(
    "text", ["$5 to $10$", r"\frac", "a_b^c", "日本", "\U0010fffd", "🙂", "\x07"]
)
def test_any_text_can_be_drawn_without_a_warning(text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert written(text) != written("")


def test_a_dollar_is_a_dollar(pixels):
    def width(text):
        columns = np.flatnonzero((pixels(written(text)) < 128).all(axis=-1).any(axis=0))
        return columns[-1] - columns[0]

    # A formula would lose its dollars, and with them their width.
    assert width("$x$") > 2 * width("x")


def test_what_no_font_has_is_spelled_out():
    assert drawing.drawable("café ✗ \U0010fffd") == "café ✗ \\U0010fffd"
    assert drawing.drawable("a\nb\tc\udcff") == "a\nb\\tc\\udcff"


def test_a_persons_own_matplotlib_style_changes_nothing():
    def pictures():
        return (
            curves({"loss": [0.9, 0.4], "val_loss": [1.0, 0.6]}, marks={"pruning": 2}),
            confusion([[50, 0], [3, 47]], ["normal", "pneumonia"]),
            grid([SQUARE], ["7"], wrong=[True]),
        )

    before = pictures()
    with matplotlib.rc_context():
        matplotlib.style.use(["dark_background", "ggplot"])
        assert pictures() == before
