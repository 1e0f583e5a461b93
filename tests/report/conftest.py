"""What the tests of pages and pictures share: an HTML reader and a PNG reader."""

import html.parser
import io

import numpy as np
import pytest
from PIL import Image

VOID = {"img", "meta"}


class _Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.append((tag, ""))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.texts[-1][0] == self.open[-1]:
            self.texts[-1] = (self.open[-1], self.texts[-1][1] + data)


@pytest.fixture(scope="session")
def parse():
    """HTML -> [(tag, attributes)], and the texts by tag; every tag must be closed in its turn."""

    def read(text):
        reader = _Reader()
        reader.feed(text)
        reader.close()
        assert reader.open == []
        return reader.tags, lambda tag: [words for name, words in reader.texts if name == tag]

    return read


@pytest.fixture(scope="session")
def pixels():
    """PNG bytes -> int array (H, W, 3)."""

    def read(png):
        with Image.open(io.BytesIO(png)) as image:
            assert image.format == "PNG"
            return np.asarray(image.convert("RGB")).astype(int)

    return read


@pytest.fixture(scope="session")
def near():
    """Where pixels (H, W, 3) have a colour such as "#ff0000", give or take the edges' shades."""

    def mask(image, colour):
        wanted = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
        return np.abs(image - wanted).max(axis=-1) <= 12

    return mask
