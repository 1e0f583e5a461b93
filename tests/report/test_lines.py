"""Learning curves: what is drawn, found again in the picture."""

import numpy as np
import pytest

from tfpipe.errors import RequestError
from tfpipe.report import curves
from tfpipe.report.drawing import BLUE, ORANGE, QUIET

LOSS = [0.9, 0.7, 0.4, 0.3]
NAN = float("nan")


def columns(mask):
    return np.flatnonzero(mask.any(axis=0))


def mark_columns(image, near):
    """Where a dotted line of one panel is: far more grey in one column than letters have."""
    return np.flatnonzero(near(image, QUIET).sum(axis=0) > 60)


def test_a_picture_is_640_css_pixels_wide_and_grows_by_the_panel(pixels):
    heights = []
    for names in (["loss"], ["loss", "accuracy"], ["loss", "accuracy", "auc"]):
        image = pixels(curves(dict.fromkeys(names, LOSS)))
        assert image.shape[1] == 1280
        heights.append(image.shape[0])
    assert heights[2] - heights[1] == heights[1] - heights[0] == 400


def test_validation_joins_the_panel_of_training(pixels):
    one = pixels(curves({"loss": LOSS}))
    two = pixels(curves({"loss": LOSS, "val_loss": LOSS[::-1]}))
    assert one.shape == two.shape


def test_training_is_blue_and_validation_orange(pixels, near):
    training = pixels(curves({"loss": LOSS}))
    assert near(training, BLUE).any()
    assert not near(training, ORANGE).any()
    validation = pixels(curves({"val_loss": LOSS}))
    assert near(validation, ORANGE).any()
    assert not near(validation, BLUE).any()


def test_a_falling_loss_falls(pixels, near):
    blue = near(pixels(curves({"loss": list(np.linspace(1, 0, 30))})), BLUE)
    blue[:, 640:] &= np.arange(len(blue))[:, None] > 200  # the legend stands above on the right
    used = columns(blue)
    first, last = (np.flatnonzero(blue[:, place]).mean() for place in (used[2], used[-3]))
    assert first < 150 < 250 < last


def test_values_that_are_not_finite_are_left_out(pixels, near):
    values = [*np.linspace(1, 0.5, 15), *[NAN, float("inf")] * 8, *np.linspace(0.5, 0, 15)]
    line = columns(near(pixels(curves({"loss": values})), BLUE))
    assert np.diff(line).max() < 30  # it goes on to the next value that there is


def test_a_metric_without_any_finite_value_is_still_a_panel(pixels):
    nothing = pixels(curves({"loss": [0.5, 0.4], "auc": [NAN, NAN]}))
    assert nothing.shape == pixels(curves({"loss": [0.5, 0.4], "auc": [0.5, 0.4]})).shape


def test_one_epoch_is_a_dot(pixels, near):
    middle = pixels(curves({"loss": [0.5]}))[:, 500:900]
    assert 50 < near(middle, BLUE).sum() < 500


def test_a_mark_stands_before_its_epoch(pixels, near):
    values = [0.5] * 61
    image = pixels(curves({"loss": values}, marks={"pruning": 31}))
    (middle,) = {int(np.mean(mark_columns(image, near)))}
    line = columns(near(image[200:], BLUE))
    share = (middle - line[0]) / (line[-1] - line[0])
    assert share == pytest.approx(29.5 / 60, abs=0.01)


def test_no_mark_no_line(pixels, near):
    assert mark_columns(pixels(curves({"loss": LOSS})), near).size == 0


def test_marks_have_rows_of_their_own(pixels):
    marks = {f"phase {n}": n for n in range(1, 4)}
    heights = [
        pixels(curves({"loss": LOSS}, marks=dict(list(marks.items())[:n]))).shape[0]
        for n in range(4)
    ]
    assert np.diff(heights).tolist() == [32, 32, 32]


def test_arrays_and_any_names_will_do():
    arrays = {"$a_b$ 日本": np.array(LOSS), "val_$a_b$ 日本": tuple(LOSS)}
    lists = dict.fromkeys(arrays, LOSS)
    assert curves(arrays, marks={"日本 $x$": 4}) == curves(lists, marks={"日本 $x$": 4})


@pytest.mark.parametrize(
    ("history", "sentence"),
    [
        (
            {},
            "Expected `history` to map at least one name to its values, as `fit(...).history` "
            "does. Received: history={}",
        ),
        (
            [0.5],
            "Expected `history` to map at least one name to its values, as `fit(...).history` "
            "does. Received: history=[0.5]",
        ),
        (
            {"loss": ["low"]},
            "Expected only numbers in `history`. Received: history={'loss': ['low']}",
        ),
        (
            {"loss": [0.5, 0.4], "val_loss": [0.5]},
            "Expected one value per epoch under every name of `history` (nan where there is "
            "none). Received: shapes={'loss': (2,), 'val_loss': (1,)}",
        ),
        (
            {"loss": []},
            "Expected one value per epoch under every name of `history` (nan where there is "
            "none). Received: shapes={'loss': (0,)}",
        ),
        (
            {"loss": 0.5},
            "Expected one value per epoch under every name of `history` (nan where there is "
            "none). Received: shapes={'loss': ()}",
        ),
    ],
)
def test_wrong_histories(history, sentence):
    with pytest.raises(RequestError) as caught:
        curves(history)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("epoch", [0, 5])
def test_a_mark_outside_the_epochs_is_refused(epoch):
    with pytest.raises(RequestError) as caught:
        curves({"loss": LOSS}, marks={"pruning": epoch})
    assert str(caught.value) == (
        f"Expected `marks` to name epochs from 1 to 4. Received: marks={{'pruning': {epoch}}}"
    )
