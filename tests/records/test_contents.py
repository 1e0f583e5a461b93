"""Decoded together or alone: the same pixels have the same digest, and damage is found."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pictures import encoded, waves
from tfpipe.decode import decode_image
from tfpipe.records.contents import (
    EXACT,
    GROUP,
    JPEG_SKETCH,
    PNG_SKETCH,
    content_of,
    contents_of,
    jpeg_content,
    jpeg_contents,
    kind_of,
    png_content,
    png_contents,
)


def noise(height, width, seed):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(0, 3)),
        min_size=1,
        max_size=GROUP,
    ),
    st.sampled_from([1, 3]),
)
@settings(max_examples=25)
def test_together_is_as_alone(images, channels):
    pixels = [noise(*image) for image in images]
    pngs, jpegs = ([encoded(array, kind) for array in pixels] for kind in ("PNG", "JPEG"))
    assert contents_of(pngs, channels) == [content_of(decode_image(p, channels)) for p in pngs]
    sketches = jpeg_contents(jpegs, channels)
    assert sketches == [jpeg_content(jpeg, channels) for jpeg in jpegs]
    assert [sketch[:2] for sketch in sketches] == [(h, w) for h, w, _ in images]


def test_of_a_jpeg_and_the_png_of_what_it_decodes_to_only_the_sketch_differs():
    jpeg = encoded(noise(20, 30, 0), "JPEG")
    png = encoded(decode_image(jpeg, 3).numpy(), "PNG")
    bmp = encoded(decode_image(jpeg, 3).numpy(), "BMP")
    first, second = contents_of([jpeg, png], 3)
    assert first == second == content_of(decode_image(bmp, 3))
    assert kind_of(first.digest) == EXACT
    assert kind_of(jpeg_content(jpeg, 3).digest) == JPEG_SKETCH


@pytest.mark.parametrize("channels", [1, 3])
def test_jpegs_of_the_same_pixels_share_a_sketch(channels):
    options = ({}, {"progressive": True}, {"optimize": True}, {"restart_marker_rows": 1})
    kinds = [encoded(waves(), "JPEG", quality=80, **chosen) for chosen in options]
    assert len(set(kinds)) == 4
    assert len({content_of(decode_image(jpeg, channels)) for jpeg in kinds}) == 1
    assert len(set(jpeg_contents(kinds, channels))) == 1
    other = encoded(waves(), "JPEG", quality=79)
    assert jpeg_content(other, channels) != jpeg_content(kinds[0], channels)


def test_of_a_png_and_the_bmp_of_its_pixels_only_the_sketch_differs():
    pixels = noise(130, 140, 0)
    png, small = encoded(pixels), encoded(pixels[:100, :100])
    (sketch, exact), alone = png_contents([png, small], 3), png_content(png, 3)
    assert (kind_of(sketch.digest), kind_of(exact.digest)) == (PNG_SKETCH, EXACT)
    assert sketch == alone
    assert exact == png_content(small, 3) == content_of(pixels[:100, :100])
    assert sketch[:2] == (130, 140)


@pytest.mark.parametrize("channels", [1, 3])
def test_pngs_of_the_same_pixels_share_a_sketch(channels):
    pixels = noise(130, 140, 0)
    lower, shifted = pixels.copy(), np.roll(pixels, 1, axis=0)
    lower[-1] = 0
    pixels[0], lower[0], shifted[:2] = 0, 0, 0
    kinds = [encoded(pixels, compress_level=level) for level in (0, 1, 9)]
    sketches = png_contents([*kinds, encoded(lower), encoded(shifted)], channels)
    assert len(set(kinds)) == 3
    assert len(set(sketches[:4])) == 1  # they are told from each other by their pixels, later
    assert sketches[4] != sketches[0]


def test_the_kinds_of_digests_are_told_apart():
    digests = np.array([0, 1, 2, 3, 2**64 - 1, 2**64 - 2, 2**64 - 3], np.uint64)
    assert kind_of(digests).tolist() == [0, 1, 0, 3, 3, 0, 1]
    assert [kind_of(digest) for digest in digests.tolist()] == [0, 1, 0, 3, 3, 0, 1]


# Every sampling of colours, code and kind of scan that Pillow writes.
JPEGS = [
    encoded(waves(48, 61).convert(mode), "JPEG", **options)
    for mode in ("RGB", "L")
    for options in (
        {},
        {"subsampling": 0},
        {"subsampling": 1, "quality": 95},
        {"progressive": True},
        {"optimize": True, "quality": 30},
        {"restart_marker_blocks": 3},
        {"restart_marker_blocks": 2, "progressive": True},
    )
]


@given(st.sampled_from(JPEGS), st.data())
@settings(max_examples=300)
def test_a_sketch_is_refused_whatever_a_decoder_of_all_pixels_refuses(jpeg, draws):
    data = bytearray(jpeg)
    for _ in range(draws.draw(st.integers(0, 4))):
        data[draws.draw(st.integers(2, len(data) - 1))] = draws.draw(st.integers(0, 255))
    data = bytes(data[: draws.draw(st.sampled_from([None, None, -1, -2, -40, len(data) // 2]))])
    try:
        expected = decode_image(data, 3).shape
    except tf.errors.OpError:
        with pytest.raises(tf.errors.OpError):
            jpeg_content(data, 3)
    else:
        assert jpeg_content(data, 3)[:2] == expected[:2]


def test_every_pixel_and_the_shape_count():
    pixels = noise(6, 7, 0)
    digests = {content_of(pixels).digest}
    for index in np.ndindex(pixels.shape):
        other = pixels.copy()
        other[index] ^= 1
        digests.add(content_of(other).digest)
    shapes = {content_of(np.zeros(shape, np.uint8)) for shape in ((2, 6, 1), (6, 2, 1), (3, 4, 1))}
    assert len(digests) == pixels.size + 1
    assert len({content.digest for content in shapes}) == 3


def test_the_digest_never_changes():
    # An interrupted run may be taken up by another version.
    assert content_of(np.arange(24, dtype=np.uint8).reshape(2, 4, 3)) == (2, 4, 4556289598087589570)


@pytest.mark.parametrize(
    ("kind", "function"), [("PNG", contents_of), ("PNG", png_contents), ("JPEG", jpeg_contents)]
)
def test_one_that_does_not_decode_fails_all(kind, function):
    sound = encoded(noise(16, 17, 0), kind)
    with pytest.raises(tf.errors.OpError):
        function([sound, sound[: len(sound) // 2], sound], 3)
