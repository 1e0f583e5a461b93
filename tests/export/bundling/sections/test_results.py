"""What is chosen from scores, and how examples are shown."""

import numpy as np

from tfpipe.export.bundling.sections.results import MOST_SHOWN, Results, are_pictures, chosen, shown


def test_the_largest_score_is_chosen_and_of_one_score_its_side_of_a_half():
    assert chosen(np.array([[0.1, 0.9], [0.8, 0.2]])).tolist() == [1, 0]
    assert chosen(np.array([[0.4], [0.6]])).tolist() == [0, 1]
    assert chosen(np.zeros((2, 3, 3, 4))).shape == (2, 3, 3)


def test_the_reference_comes_first():
    results = Results(np.zeros(1), np.zeros(1), {"model": np.zeros(1), "a": np.zeros(1)})
    assert (results.reference, results.files) == ("model", ["a"])


def test_only_the_first_are_shown_and_it_says_so():
    images = np.zeros((60, 8, 8, 1), np.uint8)
    places = np.arange(50)
    text = shown(images, places, [[("a", False)]] * MOST_SHOWN)
    assert text.startswith(f"<p>50 of 60 examples; the first {MOST_SHOWN} are shown.</p>")
    assert text.count("<img") == MOST_SHOWN


def test_what_is_no_picture_is_a_table():
    text = shown(np.zeros((3, 8), np.int32), np.array([2]), [[("<a>", True), ("label: b", False)]])
    assert "<img" not in text
    assert "&lt;a&gt;; label: b" in text


def test_pictures_are_uint8_with_one_or_three_channels():
    assert are_pictures(np.zeros((1, 4, 4, 3), np.uint8))
    assert not are_pictures(np.zeros((1, 4, 4, 2), np.uint8))
    assert not are_pictures(np.zeros((1, 4, 4, 3), np.float32))
