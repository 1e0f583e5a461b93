"""Pictures, lines and texts with their captions, and what is refused."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from tfpipe import report
from tfpipe.errors import RequestError


def test_the_pictures_are_in_the_page_to_the_bit():
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (8, 6, 1)).astype(np.uint8)
    colour = rng.integers(0, 256, (120, 130, 3)).astype(np.uint8)
    text = report.tiles([grey, colour], [[("a", False)], [("b", False)]])
    sources = re.findall('src="data:image/png;base64,([^"]+)"', text)
    shown = [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in sources]
    np.testing.assert_array_equal(shown[0], grey[..., 0])
    np.testing.assert_array_equal(shown[1], colour)
    assert text.count('class="small"') == 1  # the pixels of the first are shown as squares


def test_as_many_in_a_row_as_is_asked_for():
    images, captions = np.zeros((4, 8, 8, 1), np.uint8), [[("a", False)]] * 4
    assert report.tiles(images, captions).startswith('<div class="tiles">')
    two = report.tiles(images, captions, num_columns=2)
    rows = "grid-template-columns: repeat(2, minmax(104px, 1fr))"
    assert two.startswith(f'<div class="scroll"><div class="tiles" style="{rows}">')
    assert two.endswith("</div></div>")


def test_wrong_lines_are_marked_and_all_is_escaped():
    text = report.tiles(np.zeros((1, 8, 8, 1), np.uint8), [[('<a "b">', True), ("c\x1b", False)]])
    assert '<span class="wrong">✗ &lt;a &quot;b&quot;&gt;</span><br>c\\x1b' in text
    assert 'alt="&lt;a &quot;b&quot;&gt;, c\\x1b"' in text


def test_what_does_not_fit_is_refused():
    with pytest.raises(RequestError) as caught:
        report.tiles([], [])
    assert str(caught.value) == (
        "Expected at least one image, and as many captions. Received: images=0, captions=0"
    )
    with pytest.raises(RequestError, match="Received: images=1, captions=2"):
        report.tiles(np.zeros((1, 8, 8, 1), np.uint8), [[], []])


def test_a_trace_goes_through_its_numbers(parse):
    series = np.array([[0.0, 5.0], [10.0, 5.0], [2.5, 0.0]], np.float32)
    tags, _ = parse(report.traces([series], [[("a<b", False)]]))
    lines = [attributes["points"] for tag, attributes in tags if tag == "polyline"]
    # 240 wide and 80 high, from the top; both columns on one scale, from 0 to 10.
    assert lines == ["0,80 120,0 240,60", "0,40 120,40 240,80"]
    (box,) = (attributes for tag, attributes in tags if tag == "svg")
    assert box["aria-label"] == "a<b"


def test_a_long_trace_keeps_its_width_and_few_points(parse):
    tags, _ = parse(report.traces([np.arange(5000.0)[:, None]], [[("a", False)]]))
    (line,) = (attributes["points"] for tag, attributes in tags if tag == "polyline")
    points = [tuple(map(float, point.split(","))) for point in line.split()]
    assert 400 < len(points) <= 480
    assert points[0] == (0, 80)
    assert points[-1][0] == pytest.approx(240, abs=0.6)


def test_a_flat_series_or_one_of_a_single_step_is_drawn():
    text = report.traces([np.ones((3, 1)), np.ones((1, 1))], [[("a", False)]] * 2)
    assert 'points="0,80 120,80 240,80"' in text
    assert 'points="0,80"' in text


def test_a_quote_is_the_text_and_a_long_one_its_beginning(parse):
    long = "word " * 1000
    text = report.quotes(["<script>x</script>\x1b", long], [[("no", True)], [("yes", False)]])
    tags, texts = parse(text)
    first, second = texts("blockquote")
    assert first == "<script>x</script>\\x1b"
    assert second == f"{long[:600]} …"
    assert [tag for tag, _ in tags].count("figcaption") == 2
    assert '<span class="wrong">✗ no</span>' in text


@pytest.mark.parametrize(("name", "noun"), [("traces", "series"), ("quotes", "text")])
def test_captions_must_be_as_many(name, noun):
    with pytest.raises(RequestError) as caught:
        getattr(report, name)([], [])
    given = "series" if name == "traces" else "texts"
    assert str(caught.value) == (
        f"Expected at least one {noun}, and as many captions. Received: {given}=0, captions=0"
    )
