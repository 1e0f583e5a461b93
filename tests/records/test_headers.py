"""A header says what Pillow says, whichever way it is read; `test_images` has what is refused."""

import io

import numpy as np
import pytest
from PIL import Image

from tfpipe.records.headers import (
    ORIENTATION,
    Header,
    pillows_pixels,
    read_header,
    read_with_pillow,
)
from tfpipe.records.sources.base import Refused

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def encoded(kind, mode="RGB", **options):
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(file, kind, **options)
    return file.getvalue()


def turned(value):
    exif = Image.Exif()
    exif[ORIENTATION] = value
    return exif


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (encoded("JPEG"), Header("JPEG", "RGB", 5, 7)),
        (encoded("JPEG", "L", progressive=True), Header("JPEG", "L", 5, 7)),
        (encoded("JPEG", exif=turned(6)), Header("JPEG", "RGB", 5, 7, 6)),
        (encoded("PNG", exif=turned(3)), Header("PNG", "RGB", 5, 7, 3)),
        (encoded("PNG", "LA"), Header("PNG", "LA", 5, 7, 1, True)),
        (encoded("PNG", "P", transparency=0), Header("PNG", "P", 5, 7, 1, True)),
        (encoded("GIF", "P"), Header("GIF", "P", 5, 7)),
        (encoded("BMP"), Header("BMP", "RGB", 5, 7)),
    ],
)
def test_both_ways_say_the_same(data, expected):
    assert read_header(data, 35) == read_with_pillow(data, 35) == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
def test_one_pixel_too_many_is_refused_in_the_same_words(kind):
    for read in (read_header, read_with_pillow):
        with pytest.raises(Refused, match=r"^5x7 is larger than 34 pixels$"):
            read(encoded(kind), 34)


def test_pillows_own_limit_holds_for_the_quick_way_too(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(Refused, match=r"^larger than 20 pixels$"):
        read_header(encoded("JPEG"), 2**26)


def test_the_pixels_are_pillows():
    np.testing.assert_array_equal(pillows_pixels(encoded("PNG"), "RGB"), PIXELS)
    with pytest.raises(Refused, match="truncated or corrupt"):
        pillows_pixels(encoded("PNG")[:-40], "RGB")
