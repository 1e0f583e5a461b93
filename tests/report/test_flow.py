"""Boxes and arrows, found again in the picture."""

import itertools

import cv2
import numpy as np
import pytest

from tfpipe.errors import RequestError
from tfpipe.report import flow
from tfpipe.report.drawing import BLUE

FILL = "#eaeef3"
TEXTS = ["a\nb", "c\nd", "e\nf", "g\nh"]
ROAD = [(0, 1), (1, 2), (2, 3)]


def boxes(near, image):
    """Each box as (x, y, width, height), from top to bottom."""
    filled = near(image, FILL).astype(np.uint8)
    filled = cv2.morphologyEx(filled, cv2.MORPH_CLOSE, np.ones((25, 25), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(filled)
    found = [tuple(map(int, row[:4])) for row in stats[1:] if row[2] * row[3] > 2000]
    return sorted(found, key=lambda box: box[1])


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        flow(*arguments, **options)
    return str(caught.value)


def test_boxes_stand_under_each_other_and_do_not_touch(pixels, near):
    found = boxes(near, pixels(flow(TEXTS, ROAD)))
    assert len(found) == 4
    assert len({x for x, *_ in found}) == 1
    assert all(a[1] + a[3] < b[1] for a, b in itertools.pairwise(found))


def test_indents_move_boxes_to_the_right(pixels, near):
    found = boxes(near, pixels(flow(TEXTS, ROAD, indents=[0, 2, 1, 0])))
    lefts = [x - found[0][0] for x, *_ in found]
    assert lefts[1] == pytest.approx(2 * lefts[2], abs=2)
    assert lefts[2] > 50
    assert lefts[3] == 0


def test_a_road_has_no_bends(pixels, near):
    assert not near(pixels(flow(TEXTS, ROAD)), BLUE).any()


def test_an_arrow_past_a_box_bends_around_it(pixels, near):
    image = pixels(flow(TEXTS, [*ROAD, (0, 3)]))
    bend, found = near(image, BLUE), boxes(near, pixels(flow(TEXTS, ROAD)))
    rows, columns = np.nonzero(bend)
    assert columns.max() > found[0][0] + found[0][2] + 20
    assert columns.min() >= found[0][0] + found[0][2] - 4
    assert found[0][1] < rows.min() < found[0][1] + found[0][3]
    assert found[3][1] < rows.max() < found[3][1] + found[3][3]


def test_an_arrow_past_boxes_further_right_is_straight(pixels, near):
    image = pixels(flow(TEXTS, [*ROAD, (0, 3)], indents=[0, 1, 1, 0]))
    assert not near(image, BLUE).any()
    found = boxes(near, image)
    gap = slice(found[1][1], found[1][1] + found[1][3])  # beside the second box
    beside = image[gap, found[0][0] : found[1][0] - 4]
    assert (beside.min(-1).min(0) < 200).sum() in range(1, 8)  # one line


def test_every_part_is_inside_the_picture(pixels):
    image = pixels(flow([*TEXTS, "a long text that goes on for a while"], [*ROAD, (0, 4), (1, 4)]))
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert (edge == 255).all()


def test_the_same_boxes_give_the_same_bytes():
    assert flow(TEXTS, [*ROAD, (0, 2)]) == flow(TEXTS, [*ROAD, (0, 2)])


def test_wrong_arguments_are_refused():
    assert refused([], []) == "Expected `boxes` to hold at least one. Received: none."
    assert refused(["a", "b"], [], indents=[0]) == (
        "Expected `indents` to be a whole number from 0 for each of 2 boxes. Received: indents=[0]"
    )
    for arrow in ((1, 0), (0, 0), (0, 2), (-1, 1)):
        assert refused(["a", "b"], [arrow]) == (
            f"Expected `arrows` to lead downwards between boxes 0 to 1. Received: arrow={arrow}"
        )
