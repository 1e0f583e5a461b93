"""The scatter: what is drawn where, and what is refused."""

import numpy as np
import pytest
from matplotlib.text import Text

from tfpipe import report
from tfpipe.errors import RequestError
from tfpipe.report import drawing

NAMES = ["float32.tflite", "int8.tflite"]
OPTIONS = {"cost_name": "kB", "score_name": "accuracy"}


@pytest.fixture
def axes(monkeypatch):
    """The axes of the last picture."""
    seen = []
    original = drawing.png
    monkeypatch.setattr(
        drawing, "png", lambda figure, **options: seen.append(figure) or original(figure, **options)
    )
    return lambda: seen[-1].axes[0]


def refused(*arguments):
    with pytest.raises(RequestError) as caught:
        report.scatter(*arguments, **OPTIONS)
    return str(caught.value)


def test_points_stand_where_the_numbers_say(axes):
    report.scatter(NAMES, [251, 73], [0.99, 0.98], **OPTIONS)
    (points,) = axes().lines
    np.testing.assert_array_equal(points.get_xydata(), [[251, 0.99], [73, 0.98]])
    assert axes().get_xscale() == "log"
    assert (axes().get_xlabel(), axes().get_ylabel()) == ("kB", "accuracy")


def test_the_reference_is_a_line(axes):
    report.scatter(NAMES, [251, 73], [0.99, 0.98], reference=0.995, **OPTIONS)
    assert [0.995, 0.995] in [list(line.get_ydata()) for line in axes().lines]
    low, high = axes().get_ylim()
    assert low < 0.98 < 0.995 < high


def test_names_of_points_at_one_place_do_not_meet(axes):
    names = [f"file {n}.tflite" for n in range(8)]
    report.scatter(names, [100.0] * 8, [0.9] * 8, **OPTIONS)
    texts = [text for text in axes().texts if text.get_text() in names]
    assert len(texts) == 8
    boxes = [Text.get_window_extent(text) for text in texts]  # without the line to the point
    for place, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[place + 1 :])


def test_equal_scores_are_no_cliff(axes):
    report.scatter(NAMES, [251, 73], [0.99, 0.9901], **OPTIONS)
    low, high = axes().get_ylim()
    assert high - low > 0.005


def test_scores_of_nothing_are_no_cliff(axes):
    report.scatter(NAMES, [251, 73], [0.0, 0.0], **OPTIONS)
    low, high = axes().get_ylim()
    assert high - low >= 0.002


def test_a_picture_of_one_is_a_picture_too():
    assert report.scatter(["a"], [1], [0.0], **OPTIONS)[1:4] == b"PNG"


def test_what_does_not_fit_is_refused():
    assert refused([], [], []) == "Expected `names` to hold at least one. Received: names=[]"
    assert refused(NAMES, [1], [1, 2]) == (
        "Expected `costs` to have one value per name, 2. Received: values=[1]"
    )
    assert refused(NAMES, [1, 2], [1]) == (
        "Expected `scores` to have one value per name, 2. Received: values=[1]"
    )
    assert refused(NAMES, [1, 0], [1, 2]) == (
        "Expected `costs` to be positive. Received: costs=[1, 0]"
    )
