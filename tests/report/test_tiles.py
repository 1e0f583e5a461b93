"""Tiles: the pictures themselves, their captions, and what is refused."""

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
