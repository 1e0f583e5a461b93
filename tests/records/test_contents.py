"""Decoded together or alone, from whatever format: the same pixels have the same digest."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pictures import encoded
from tfpipe.decode import decode_image
from tfpipe.records.contents import GROUP, content_of, contents_of


def noise(height, width, seed):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(0, 3), st.sampled_from("PJ")),
        min_size=1,
        max_size=GROUP,
    ),
    st.sampled_from([1, 3]),
)
@settings(max_examples=25)
def test_together_is_as_alone(images, channels):
    kinds = {"P": "PNG", "J": "JPEG"}
    data = [encoded(noise(h, w, seed), kinds[kind]) for h, w, seed, kind in images]
    expected = [content_of(decode_image(image, channels)) for image in data]
    assert contents_of(data, channels) == expected
    assert [content[:2] for content in expected] == [(h, w) for h, w, *_ in images]


def test_a_jpeg_and_the_png_of_what_it_decodes_to_have_one_digest():
    jpeg = encoded(noise(20, 30, 0), "JPEG")
    png = encoded(decode_image(jpeg, 3).numpy(), "PNG")
    bmp = encoded(decode_image(jpeg, 3).numpy(), "BMP")
    first, second = contents_of([jpeg, png], 3)
    assert first == second == content_of(decode_image(bmp, 3))


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
    assert content_of(np.arange(24, dtype=np.uint8).reshape(2, 4, 3)) == (2, 4, 4556289598087589571)


def test_one_that_does_not_decode_fails_all():
    sound = encoded(noise(6, 7, 0))
    with pytest.raises(tf.errors.OpError):
        contents_of([sound, sound[:-20], sound], 3)
