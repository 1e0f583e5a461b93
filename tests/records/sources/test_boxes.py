"""`records.boxes`: boxes of one image, cut to it, and noted where something was wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfpipe.records.sources.boxes import Box, gather

edge = st.floats(-2, 3, width=32)


def gathered(*edges):
    boxes = [Box(n, "cat", n % 2, [1, 2.5], each) for n, each in enumerate(edges, start=1)]
    return gather(boxes)


def test_no_boxes_are_an_array_all_the_same():
    example = gathered()
    assert (example["boxes"].shape, example["boxes"].dtype) == ((0, 4), np.float32)
    assert (example["classes"].shape, example["classes"].dtype) == ((0,), np.int64)
    assert example["notes"] == ()


@pytest.mark.parametrize(
    ("edges", "problem"),
    [
        ((0.1, 0.2, 0.3, 0.4), None),
        ((0, 0, 1, 1), None),
        ((0, -1e-6, 1 + 1e-6, 1), None),
        (None, "has no area"),
        ((0.1, 0.2, 1.3, 0.4), "reaches beyond the image and is cut to it"),
        ((0.1, 1.0, 0.2, 1.2), "lies outside the image"),
        ((-0.5, 0.1, 0.0, 0.2), "lies outside the image"),
    ],
)
def test_what_is_wrong_is_noted(edges, problem):
    notes = gathered((0, 0, 1, 1), edges)["notes"]
    assert notes == (() if problem is None else (f"box 2, 'cat', {problem}: [1, 2.5]",))


@given(st.lists(st.one_of(st.none(), st.tuples(edge, edge, edge, edge)), max_size=5))
def test_what_is_kept_lies_within_the_image_and_has_area(edges):
    example = gathered(*edges)
    boxes = example["boxes"]
    assert ((boxes >= 0) & (boxes <= 1)).all()
    assert (boxes[:, :2] < boxes[:, 2:]).all()
    left_out = [note for note in example["notes"] if "cut" not in note]
    assert len(boxes) == len(example["classes"]) == len(edges) - len(left_out)
