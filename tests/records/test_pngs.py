"""What is said of a plain PNG is what Pillow and TensorFlow say of it, or nothing."""

import contextlib
import io
import struct
import zlib

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from tfpipe.decode import decode_image
from tfpipe.records.headers import ORIENTATION, read_with_pillow
from tfpipe.records.images import MAX_PIXELS
from tfpipe.records.pngs import head_of, plain_png
from tfpipe.records.sources.base import Refused

HEIGHT, WIDTH = 130, 128
GREYS = cv2.resize(np.random.default_rng(0).integers(0, 256, (9, 11, 3), np.uint8), (WIDTH, HEIGHT))


def encoded(mode="RGB", pixels=GREYS, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "PNG", **options)
    return file.getvalue()


def chunk(name, content=b""):
    sum_ = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", sum_)


def by_hand(rows, height=HEIGHT, *, kind=(8, 2, 0, 0, 0), before=b"", after=b"", window=15):
    """A PNG of these bytes, whatever they are, all sums right."""
    header = chunk(b"IHDR", struct.pack(">II5B", WIDTH, height, *kind))
    packed = chunk(b"IDAT", zlib.compress(rows, wbits=window))
    parts = [header, before, packed, after, chunk(b"IEND")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def rows_of(number, pixels=GREYS):
    """The rows of a picture, all with this filter; only the first two are undone by it rightly."""
    flat = pixels.reshape(len(pixels), -1)
    return np.insert(flat, 0, number, axis=1).tobytes()


def with_text(**texts):
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    return info


def turned():
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return exif


def by_opencv(*flags):
    return cv2.imencode(".png", GREYS, flags)[1].tobytes()


PLAIN = {
    "RGB": encoded(),
    "grey": encoded("L"),
    "a resolution": encoded(dpi=(72, 72)),
    "OpenCV's": by_opencv(),
    "OpenCV's, of many parts": by_opencv(cv2.IMWRITE_PNG_COMPRESSION, 0),
    "the time": by_hand(rows_of(0), before=chunk(b"tIME", b"\x07\xea\x0b\x17\0\0\0")),
    "the time at its end": by_hand(rows_of(1), after=chunk(b"tIME", b"\x07\xea\x0b\x17\0\0\0")),
    "something behind it": encoded() + b"more",
}
OTHERS = {
    "alpha": encoded("RGBA"),
    "a palette": encoded("P"),
    "one bit": encoded("1"),
    "16 bits": cv2.imencode(".png", GREYS.astype(np.uint16))[1].tobytes(),
    "a transparent grey": encoded("L", transparency=3),
    "EXIF": encoded(exif=turned()),
    "a text": encoded(pnginfo=with_text(Title="a")),
    "a profile": encoded(icc_profile=b"profile"),
    "a short resolution": by_hand(rows_of(0), before=chunk(b"pHYs", b"1234")),
    "no pixels": by_hand(rows_of(0), 0),
    "pixels without end": by_hand(rows_of(0), 2**32 - 1),
    "two headers": by_hand(rows_of(0), before=chunk(b"IHDR", bytes(13))),
    "rows in two places": by_hand(
        rows_of(0), after=chunk(b"gAMA", b"\0\0\xb1\x8f") + chunk(b"IDAT", b"")
    ),
    "a damaged chunk": by_hand(rows_of(0), before=chunk(b"pHYs", bytes(9))[:-1] + b"x"),
    "a JPEG": cv2.imencode(".jpg", GREYS)[1].tobytes(),
    "nothing": b"",
    "cut": encoded()[:-13],
}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN.keys())
def test_the_size_of_a_plain_png_is_found(data):
    header = read_with_pillow(data, MAX_PIXELS)
    assert plain_png(data) == (header.mode, HEIGHT, WIDTH)
    assert header == ("PNG", header.mode, HEIGHT, WIDTH, 1, False)


@pytest.mark.parametrize("data", OTHERS.values(), ids=OTHERS.keys())
def test_of_what_is_not_plain_nothing_is_said(data):
    assert plain_png(data) is None
    assert head_of(data) is None


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN.keys())
def test_the_head_is_an_8th_of_the_rows_in_every_bit(data):
    head = head_of(data)
    assert head[1:] == (0, HEIGHT, WIDTH)
    for channels in (1, 3):
        zeros, *rows = decode_image(head.png, channels).numpy()
        np.testing.assert_array_equal(rows, decode_image(data, channels)[: -(-HEIGHT // 8)])
        assert not zeros.any()


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (1, 2, 253)])
@pytest.mark.parametrize("num_flat", [0, 1, 37, HEIGHT - 2, HEIGHT])
def test_rows_of_one_colour_before_it_are_left_out_under_every_filter(colour, num_flat):
    pixels = GREYS.copy()
    pixels[:num_flat] = colour
    packed = [encoded(pixels=pixels), *(filtered(pixels, number) for number in range(5))]
    expected = np.pad(pixels, ((1, 0), (0, 0), (0, 0)))[num_flat:][:18]
    for head in map(head_of, packed):
        assert head[1:] == (num_flat, HEIGHT, WIDTH)
        np.testing.assert_array_equal(decode_image(head.png, 3), expected)


def filtered(pixels, number):
    """A PNG with one filter for all rows.

    Source: PNG Specification, 9.2: none, left, above, the mean of both, and Paeth's choice.
    """
    now = np.pad(pixels.astype(int), ((1, 0), (1, 0), (0, 0)))
    left, above, corner = now[1:, :-1], now[:-1, 1:], now[:-1, :-1]
    guess = left + above - corner
    far = [abs(guess - x) for x in (left, above, corner)]
    paeth = np.where(
        (far[0] <= far[1]) & (far[0] <= far[2]), left, np.where(far[1] <= far[2], above, corner)
    )
    taken = (0, left, above, (left + above) // 2, paeth)[number]
    return by_hand(rows_of(number, ((pixels.astype(int) - taken) % 256).astype(np.uint8)))


def test_pngs_of_the_same_pixels_share_their_head_however_they_are_packed():
    packed = [encoded(), encoded(compress_level=1), by_opencv(), by_hand(rows_of(0))]
    packed += [filtered(GREYS, number) for number in range(5)]
    packed[2] = cv2.imencode(".png", GREYS[..., ::-1])[1].tobytes()
    assert len(set(packed)) > 6
    pixels = {decode_image(head_of(data).png, 3).numpy().tobytes() for data in packed}
    assert pixels == {bytes(3 * WIDTH) + GREYS[:17].tobytes()}


@pytest.mark.parametrize(
    "data",
    [
        by_hand(rows_of(5)),
        by_hand(rows_of(0)[:-1]),
        by_hand(rows_of(0) + b"\0"),
        by_hand(rows_of(0), kind=(8, 2, 0, 0, 1)),
        by_hand(rows_of(0), window=14),
        encoded(pixels=GREYS[:100, :100]),
    ],
    ids=["an unknown filter", "too few rows", "too many rows", "interlaced", "a window", "small"],
)
def test_of_these_all_is_decoded(data):
    assert plain_png(data) is not None
    assert head_of(data) is None


def test_zlib_would_let_pass_a_window_that_is_too_small_and_libpng_does_not():
    data = bytearray(encoded())
    start = data.index(b"IDAT") + 4
    data[start : start + 2] = b"\x08\x1d"
    data = _with_right_sums(bytes(data))
    assert len(zlib.decompress(data[start:])) == len(rows_of(0))
    assert head_of(data) is None
    with pytest.raises(tf.errors.OpError):
        decode_image(data, 3)


@pytest.mark.parametrize("place", range(5, 100, 5))
def test_a_flipped_byte_of_the_rows_is_found(place):
    data = bytearray(encoded())
    data[len(data) * place // 100] ^= 1
    assert head_of(bytes(data)) is None
    with pytest.raises(tf.errors.OpError):
        decode_image(bytes(data), 3)


@given(st.sampled_from(sorted(PLAIN)), st.data())
@example("RGB", None)
@settings(max_examples=300)
def test_however_damaged_it_says_what_pillow_says_and_what_has_a_head_decodes(name, draws):
    data = bytearray(PLAIN[name])
    for _ in range(draws.draw(st.integers(1, 3)) if draws else 0):
        end = draws.draw(st.sampled_from([60, len(data) - 1]))
        data[draws.draw(st.integers(0, end))] = draws.draw(st.integers(0, 255))
    _compare(_with_right_sums(bytes(data)) if draws and draws.draw(st.booleans()) else bytes(data))


@given(
    st.lists(st.sampled_from([b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tIME"]), max_size=4),
    st.binary(min_size=32, max_size=32),
    st.booleans(),
)
@settings(max_examples=200)
def test_whatever_stands_in_harmless_chunks_the_picture_decodes(names, noise, is_after):
    lengths = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"tIME": 7}
    chunks = b"".join(chunk(name, noise[: lengths[name]]) for name in names)
    data = by_hand(rows_of(1), **{"after" if is_after else "before": chunks})
    assert head_of(data) is not None
    _compare(data)


def _with_right_sums(data):
    """The same, but for the sums of its chunks, so that what they hold is looked at."""
    fixed, place = bytearray(data), 8
    while place + 12 <= len(data):
        end = place + 8 + int.from_bytes(data[place : place + 4])
        if end + 4 > len(data):
            break
        fixed[end : end + 4] = struct.pack(">I", zlib.crc32(data[place + 4 : end]))
        place = end + 4
    return bytes(fixed)


class _Larger(Exception):
    """Pillow has a limit of its own."""


def _pillows(data):
    try:
        return read_with_pillow(data, 2**62)
    except Refused as reason:
        if "larger than" in str(reason):
            raise _Larger from None
        raise


def _compare(data):
    found = plain_png(data)
    if found is not None:
        with contextlib.suppress(_Larger):
            assert _pillows(data) == ("PNG", *found, 1, False)
    head = head_of(data)
    if head is not None:
        pixels = decode_image(data, 3).numpy()
        assert pixels.shape == (head.height, head.width, 3)
        flat = head.num_flat_rows
        rows = np.pad(pixels, ((1, 0), (0, 0), (0, 0)))[flat:][: 1 - (-head.height // 8)]
        np.testing.assert_array_equal(decode_image(head.png, 3), rows)
        assert (pixels[:flat] == pixels[0, 0]).all()
