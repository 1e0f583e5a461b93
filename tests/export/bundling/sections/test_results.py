"""How examples are found again and shown."""

import numpy as np
import pytest

from tfpipe.export.bundling.sections.results import MOST_SHOWN, is_picture, shown

LABELS = np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 0])
SCORES = np.eye(2)[LABELS]


def line(place):
    return [(f"place {place}", False)]


def test_the_reference_comes_first(results_of):
    results = results_of(np.zeros((10, 2)), LABELS, {"model": SCORES, "a": SCORES})
    assert (results.reference, results.files, results.total) == ("model", ["a"], 10)
    np.testing.assert_array_equal(results.targets, LABELS)
    np.testing.assert_array_equal(results.given["a"], LABELS)


def test_examples_are_found_by_their_places(results_of):
    inputs = np.arange(10.0)
    results = results_of(inputs, LABELS, {"model": SCORES})
    found = results.examples(np.array([8, 0, 3, 8]))
    assert {place: (float(x), int(y)) for place, (x, y) in found.items()} == {
        0: (0.0, 0),
        3: (3.0, 0),
        8: (8.0, 1),
    }
    assert results.examples([]) == {}


def test_no_more_is_read_than_is_shown(results_of):
    read = []
    results = results_of(np.arange(10.0), LABELS, {"model": SCORES})

    class Watched:
        def as_numpy_iterator(self):
            for batch in results.data.as_numpy_iterator():  # of four
                read.append(len(batch[0]))
                yield batch

    results._replace(data=Watched()).examples([1, 5])
    assert read == [4, 4]
    results._replace(data=Watched()).examples([])
    assert read == [4, 4]


def test_an_example_is_called_by_its_id_where_it_is_known(results_of):
    results = results_of(np.zeros((10, 2)), LABELS, {"model": SCORES})
    assert results.name(3) == "example 3"
    named = results._replace(ids=[f"cat/{n}.png" for n in range(10)])
    assert named.name(3) == "cat/3.png"
    picture = np.zeros((8, 8, 1), np.uint8)
    text = shown(named, {3: (picture, 0)}, np.array([3]), line)
    assert "<figcaption>place 3<br>cat/3.png</figcaption>" in text


def test_only_the_first_are_shown_and_it_says_so(results_of):
    results = results_of(np.zeros((60, 2)), np.zeros(60, int), {"model": np.eye(2)[[0] * 60]})
    image = np.zeros((8, 8, 1), np.uint8)
    text = shown(results, dict.fromkeys(range(50), (image, 0)), np.arange(50), line)
    assert text.startswith(f"<p>50 of 60 examples; the first {MOST_SHOWN} are shown.</p>")
    assert text.count("<img") == MOST_SHOWN


def test_that_there_is_none_is_said(results_of):
    results = results_of(np.zeros((10, 2)), LABELS, {"model": SCORES})
    assert shown(results, {}, np.array([], int), line) == "<p>None of 10 examples.</p>"


def test_what_nobody_can_look_at_is_a_table(results_of):
    results = results_of(np.zeros((10, 2)), LABELS, {"model": SCORES})
    said = [("<a>", True), ("b", False)]
    text = shown(results, {2: (np.zeros(8), 0)}, np.array([2]), lambda n: said)
    assert "<img" not in text
    assert "&lt;a&gt;; b" in text


@pytest.mark.parametrize(
    ("shape", "dtype", "is_one"),
    [((4, 4, 3), "uint8", True), ((4, 4, 2), "uint8", False), ((4, 4, 3), "float32", False)],
)
def test_pictures_are_uint8_with_one_or_three_channels(shape, dtype, is_one):
    assert is_picture(np.zeros(shape, dtype)) is is_one
