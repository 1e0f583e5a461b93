"""A confusion matrix: right in blue, errors in orange, nothing in white."""

import colorsys

import numpy as np
import pytest

from tfpipe.errors import RequestError
from tfpipe.report import confusion


def names(num_classes):
    return [str(number) for number in range(num_classes)]


def cells(image, num_classes):
    """The colour in a corner of each cell, away from its count: (C, C, 3)."""
    dark = (image < 235).any(axis=-1)
    # The frame's right and lower edges are the last lines that run through most of the picture.
    right = np.flatnonzero(dark.mean(axis=0) > 0.5)[-1]
    bottom = np.flatnonzero(dark.mean(axis=1) > 0.5)[-1]
    steps = np.arange(num_classes, 0, -1) * 112 - 8
    return image[np.ix_(bottom - steps, right - steps)]


def hue(colour):
    """ "blue", "orange" or "white"."""
    hue, saturation, _ = colorsys.rgb_to_hsv(*(colour / 255))
    return "white" if saturation < 0.02 else "blue" if 0.5 < hue < 0.7 else "orange"


def test_each_cell_has_its_colour(pixels):
    image = pixels(confusion([[50, 0, 1], [3, 47, 0], [0, 0, 9]], names(3)))
    assert [[hue(colour) for colour in row] for row in cells(image, 3)] == [
        ["blue", "white", "orange"],
        ["orange", "blue", "white"],
        ["white", "white", "blue"],
    ]


def test_the_larger_the_share_of_the_row_the_darker(pixels):
    found = cells(pixels(confusion([[90, 10, 0], [40, 60, 0], [0, 1, 9_999]], names(3))), 3)
    brightness = found.sum(axis=-1)
    assert brightness[2, 2] < brightness[0, 0] < brightness[1, 1]
    assert brightness[1, 0] < brightness[0, 1] < brightness[2, 1] < 255 * 3


def test_one_error_in_ten_thousand_is_seen(pixels):
    found = cells(pixels(confusion([[9_999, 1], [0, 10_000]], names(2))), 2)
    assert hue(found[0, 1]) == "orange"
    assert hue(found[1, 0]) == "white"


def test_a_class_without_examples_stays_white(pixels):
    found = cells(pixels(confusion([[0, 0], [0, 5]], names(2))), 2)
    assert [hue(colour) for colour in found[0]] == ["white", "white"]
    confusion(np.zeros((3, 3)), names(3))


def test_up_to_20_classes_the_counts_stand_in_the_cells():
    for num_classes, shown in ((20, True), (21, False)):
        # The same shares: only the counts themselves can differ.
        one, seven = (confusion(np.eye(num_classes) * n, names(num_classes)) for n in (1, 7))
        assert (one != seven) == shown


def test_hundreds_of_classes_still_fit(pixels):
    assert pixels(confusion(np.eye(100, dtype=int), names(100))).shape[0] < 2 * 1000 + 200


def test_a_name_of_more_than_40_letters_loses_its_middle(pixels):
    def width(name):
        return pixels(confusion(np.eye(2), [name, "b"])).shape[1]

    assert width("x" * 39) < width("x" * 40)
    assert width("x" * 41) == pytest.approx(width("x" * 4000), abs=2)
    assert confusion(np.eye(2), ["x" * 60 + "1", "b"]) != confusion(
        np.eye(2), ["x" * 60 + "2", "b"]
    )


def test_rows_are_the_true_classes():
    assert confusion([[5, 2], [0, 5]], "ab") != confusion([[5, 0], [2, 5]], "ab")


def test_any_names_will_do():
    assert confusion(np.eye(3), ["$x$", "日本 🙂", "a\nb\x00"])


def test_lists_arrays_and_whole_floats_are_the_same():
    matrix = [[50, 0], [3, 47]]
    pictures = {confusion(np.array(matrix, kind), "ab") for kind in ("int64", "uint8", "float32")}
    assert pictures == {confusion(matrix, "ab")}


@pytest.mark.parametrize(
    ("matrix", "class_names", "sentence"),
    [
        ([[1]], ["a"], "Expected at least 2 `class_names`. Received: class_names=['a']"),
        (
            [[1, 2]],
            ["a", "b"],
            "Expected `matrix` to have one row and one column per class name, 2. "
            "Received: shape=(1, 2)",
        ),
        (
            [[1, 2], [3]],
            ["a", "b"],
            "Expected `matrix` to have one row and one column per class name, 2. "
            "Received: matrix=[[1, 2], [3]]",
        ),
        (
            [[1, 0], [-1, 1]],
            ["a", "b"],
            "Expected `matrix` to hold counts: whole numbers, 0 or more. Received: matrix[1, 0]=-1",
        ),
        (
            [[0.5, 0.5], [0, 1]],
            ["a", "b"],
            "Expected `matrix` to hold counts: whole numbers, 0 or more. "
            "Received: matrix[0, 0]=0.5",
        ),
        (
            [[1, float("nan")], [0, 1]],
            ["a", "b"],
            "Expected `matrix` to hold counts: whole numbers, 0 or more. "
            "Received: matrix[0, 1]=nan",
        ),
        (
            [[1, 0], [float("inf"), 1]],
            ["a", "b"],
            "Expected `matrix` to hold counts: whole numbers, 0 or more. "
            "Received: matrix[1, 0]=inf",
        ),
        (
            [["1", "2"], ["3", "4"]],
            ["a", "b"],
            "Expected `matrix` to hold counts: whole numbers, 0 or more. Received: dtype='<U1'",
        ),
    ],
)
def test_wrong_matrices(matrix, class_names, sentence):
    with pytest.raises(RequestError) as caught:
        confusion(matrix, class_names)
    assert str(caught.value) == sentence
