"""The quick way to a JPEG's size says what Pillow says, or nothing."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from tfpipe.records.headers import read_with_pillow
from tfpipe.records.images import MAX_PIXELS, look
from tfpipe.records.jpegs import plain_jpeg
from tfpipe.records.sources.base import Refused

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 20, 3), np.uint8)


def encoded(mode="RGB", kind="JPEG", **options):
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(file, kind, **options)
    return file.getvalue()


def by_opencv(*flags):
    return cv2.imencode(".jpg", PIXELS, flags)[1].tobytes()


def with_segment(marker, content, data=None):
    data = data or encoded()
    segment = bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2) + content
    return data[:2] + segment + data[2:]


PLAIN = {
    "baseline": encoded(),
    "progressive": encoded(progressive=True),
    "grey": encoded("L"),
    "OpenCV's, with restarts": by_opencv(cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
    "a comment": with_segment(0xFE, b"by hand"),
    "Adobe's": with_segment(0xEE, b"Adobe" + bytes(7)),
}
OTHERS = {
    "EXIF": with_segment(0xE1, b"Exif\0\0MM\0*"),
    "XMP": encoded(xmp=b"<x/>"),
    "a profile": encoded(icc_profile=b"profile"),
    "CMYK": encoded("CMYK"),
    "a PNG": encoded(kind="PNG"),
    "two pictures": encoded(kind="MPO", save_all=True, append_images=[Image.new("RGB", (3, 2))]),
    "two frames": with_segment(0xC0, b"\x08\0\x09\0\x09\x01\x01\x11\0"),
    "nothing": b"",
    "a short JFIF": with_segment(0xE0, b"JFIF\0"),
    "cut in its header": PLAIN["baseline"][:100],
}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN.keys())
def test_the_size_of_a_plain_jpeg_is_found(data):
    header = read_with_pillow(data, MAX_PIXELS)
    assert plain_jpeg(data) == (header.mode, 12, 20)
    assert header == ("JPEG", header.mode, 12, 20, 1, False)


@pytest.mark.parametrize("data", OTHERS.values(), ids=OTHERS.keys())
def test_of_what_is_not_plain_nothing_is_said(data):
    assert plain_jpeg(data) is None


@given(st.sampled_from(sorted(PLAIN)), st.data())
@example("baseline", None)
@settings(max_examples=300)
def test_however_damaged_it_says_what_pillow_says_or_the_image_is_refused(name, draws):
    data = bytearray(PLAIN[name])
    end = data.index(b"\xff\xda") + 14  # of the header, where damage makes a difference
    for _ in range(draws.draw(st.integers(1, 3)) if draws else 0):
        data[draws.draw(st.integers(0, end))] = draws.draw(st.integers(0, 255))
    found = plain_jpeg(bytes(data))
    if found is None:
        return
    expected = tried(read_with_pillow, bytes(data), MAX_PIXELS)
    if isinstance(expected, str):
        assert tried(look, bytes(data), 3) == expected
    else:
        assert ("JPEG", *found, 1, False) == expected


def tried(function, *arguments):
    try:
        return function(*arguments)
    except Refused as reason:
        return str(reason)
