"""Panels: both samples in their colours, shares on common bins, red dots, refused nonsense."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from tfpipe import report
from tfpipe.errors import RequestError
from tfpipe.report import drawing


@pytest.fixture
def drawn(monkeypatch):
    """The figures as they are saved."""
    found = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *a, **k: (found.append(self), save(self, *a, **k))[1]
    )
    return found


def test_histograms_are_shares_on_common_bins(drawn):
    draw = np.random.default_rng(0)
    before, after = draw.normal(size=500), draw.normal(size=50) + 1
    report.histograms({"sharpness": (before, after)}, names=("profile", "now"))
    (panel, *spare) = drawn[0].axes
    steps = [patch.get_data() for patch in panel.patches]
    assert [data.values.sum() for data in steps] == pytest.approx([1, 1])
    assert (steps[0].edges == steps[1].edges).all()
    inner = (before > steps[0].edges[9]) & (before <= steps[0].edges[10])
    assert steps[0].values[9] == pytest.approx(inner.mean())
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["profile", "now"]
    assert not any(axes.axison for axes in spare)


def test_few_values_have_a_bar_each(drawn, pixels, near):
    picture = pixels(report.histograms({"width_px": ([224.0] * 9, [224.0, 512.0])}))
    heights = [bar.get_height() for bar in drawn[0].axes[0].patches]
    assert heights == [1.0, 0.0, 0.5, 0.5]
    assert near(picture, drawing.ORANGE).sum() > 100


def test_timelines_have_their_level_and_red_dots(drawn, pixels, near):
    lines = {"a": [1.0, 2.0, 5.0], "b": [1.0, np.nan, 1.0], "c": [0, 1, 0], "d": [1, 1, 2]}
    picture = report.timelines([16, 32, 64], lines, levels={"a": 1.5}, marks={"a": [64]})
    first = drawn[0].axes[0]
    level, line, dot = first.lines
    assert level.get_ydata()[0] == 1.5
    assert line.get_ydata().tolist() == [1, 2, 5]
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (64, 5)
    assert near(pixels(picture), drawing.RED).sum() > 20
    assert len(drawn[0].axes) == 6


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(RequestError) as caught:
        report.histograms({})
    assert str(caught.value) == "Expected `panels` to hold at least one. Received: none."
    with pytest.raises(RequestError) as caught:
        report.histograms({"x": ([1.0], [])})
    assert str(caught.value) == (
        "Expected two samples of finite numbers, not empty. Received: title='x', sizes=[1, 0]"
    )
    with pytest.raises(RequestError) as caught:
        report.timelines([1, 2], {"x": [1]}, levels={})
    assert str(caught.value) == (
        "Expected one value for each of 2 times. Received: title='x', values=1"
    )
