"""What the page says of boxes, and what it draws."""

import re

import numpy as np
import pytest

from tfpipe.export.bundling.sections import evidence
from tfpipe.export.bundling.sections.boxes import COLOURS, compared, drawn
from tfpipe.export.scoring.boxes import average_precisions

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (4, 10, 20, 3)).astype(np.uint8)
NAMES = ["red <cell>", "white cell"]
ONE, OTHER = [0.0, 0.0, 0.4, 0.4], [0.5, 0.5, 0.9, 0.9]
TARGETS = np.tile(np.array([[*ONE, 0], [*OTHER, 1], [-1] * 5], np.float32), (4, 1, 1))
RIGHT = [[*ONE, 0.9, 0.1], [*OTHER, 0.0, 0.8]]
FALSE = [[*ONE, 0.1, 0.9], [*OTHER, 0.0, 0.8]]  # the other class
MISSED = [[*ONE, 0.1, 0.1], [*OTHER, 0.0, 0.8]]


def test_a_table_of_classes_and_the_images_that_differ_most(results_of):
    outputs = {
        "model": np.array([RIGHT, RIGHT, RIGHT, MISSED], np.float32),
        "f": np.array([RIGHT, RIGHT, FALSE, MISSED], np.float32),
    }
    results = results_of(IMAGES, TARGETS, outputs)
    sections = dict(evidence("boxes", results, NAMES))
    rows = re.findall("<tr>(<td.*?)</tr>", sections["Classes"].replace("\n", ""))
    cells = [re.findall("<td[^>]*>(.*?)</td>", row) for row in rows]
    ours = average_precisions(results.answers["f"].rows, np.ones((1, 4)))[0]
    assert [row[0] for row in cells] == ["red &lt;cell&gt;", "white cell", "mean"] * 2
    assert [row[1] for row in cells] == ["4", "4", "8"] * 2
    assert [cells[1][2], cells[4][2]] == ["1.0000", "1.0000"]  # the model's white cells
    at_50, over_all = ours[0], ours.mean(0)
    expected = [*at_50, at_50.mean(), *over_all, over_all.mean()]
    assert [row[3] for row in cells] == [f"{number:.4f}" for number in expected]
    drawings = sections["Boxes that differ most"]
    captions = re.findall("<figcaption>(.*?)</figcaption>", drawings)
    assert captions[:6] == [
        "example 2: label, 2 boxes",
        "model: 2 right, 0 false, 0 missed",
        "f: 1 right, 1 false, 1 missed",
        "example 3: label, 2 boxes",
        "model: 1 right, 0 false, 1 missed",
        "f: 1 right, 0 false, 1 missed",
    ]
    assert '<span style="color:rgb(230, 159, 0)">&#9632;</span> red &lt;cell&gt;' in drawings


def test_without_pictures_there_is_the_table_alone(results_of):
    outputs = np.array([RIGHT] * 4, np.float32)
    results = results_of(IMAGES.astype(np.float32), TARGETS, {"model": outputs})
    assert [head for head, _ in evidence("boxes", results, NAMES)] == ["Classes"]


def test_every_box_is_right_false_or_missed():
    given = np.array(
        [[*ONE, 0, 0.9], [0.5, 0.5, 0.8, 0.9, 1, 0.8], [*ONE, 0, 0.7], [-1] * 6], np.float32
    )
    truths = np.array([[*OTHER, 1], [*ONE, 0], [0.0, 0.6, 0.2, 0.9, 0]], np.float32)
    told = compared(given, truths)
    assert [kind for _, kind in told] == ["right", "right", "false", "missed"]
    np.testing.assert_array_equal(told[2][0], given[2])  # ONE is found already, by a better score
    np.testing.assert_array_equal(told[3][0], truths[2])
    assert [kind for _, kind in compared(given, truths[:0])] == ["false"] * 3
    assert compared(given[3:], truths[:0]) == []


@pytest.mark.parametrize(("kind", "share"), [("right", 1.0), ("missed", 0.5)])
def test_right_boxes_are_whole_and_missed_ones_dotted(kind, share):
    image = np.zeros((80, 100, 1), np.uint8)
    picture = drawn(image, [(np.array([0.25, 0.1, 0.75, 0.6, 1]), kind)])
    assert picture.shape == (240, 300, 3)
    rows, columns = np.nonzero((picture == COLOURS[1]).all(-1))
    assert (rows.min(), columns.min()) == (pytest.approx(60, abs=2), pytest.approx(30, abs=2))
    assert (rows.max(), columns.max()) == (pytest.approx(180, abs=2), pytest.approx(180, abs=2))
    top = (picture[60, 40:170] == COLOURS[1]).all(-1)
    assert top.mean() == pytest.approx(share, abs=0.05)
    assert not picture[70:170, 40:170].any()  # nothing inside


def test_false_boxes_are_crossed_and_large_images_made_smaller():
    image = np.zeros((400, 800, 3), np.uint8)
    picture = drawn(image, [(np.array([0.2, 0.2, 0.8, 0.6, 8]), "false")])
    assert picture.shape == (200, 400, 3)
    middle = picture[98:103, 158:163].reshape(-1, 3)
    assert (middle == COLOURS[1]).all(1).any()
