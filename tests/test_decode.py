"""Decoded pixels against Pillow's and OpenCV's, eagerly and in a graph; all EXIF orientations."""

import io

import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from tests.pictures import encoded, waves
from tfpipe.decode import decode_image, upright

EXIF_ORIENTATION = 0x0112
JPEG_GREYS = 1  # libjpeg-turbo's versions differ in how they round


def pillow(data, channels):
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels)


def difference(a, b):
    assert a.shape == b.shape
    return np.abs(a.astype(int) - b).max()


@pytest.mark.parametrize(
    ("kind", "mode"),  # a BMP with a palette is refused by records.images
    [("PNG", "L"), ("PNG", "RGB"), ("PNG", "P"), ("BMP", "L"), ("BMP", "RGB"), ("GIF", "P")],
)
def test_lossless_colours_are_exact(kind, mode):
    image = waves().quantize(64) if mode == "P" else waves().convert(mode)
    data = encoded(image, kind)
    np.testing.assert_array_equal(decode_image(data, 3), pillow(data, 3))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF"])
def test_lossless_greys_are_exact(kind):
    data = encoded(waves().convert("L"), kind)
    np.testing.assert_array_equal(decode_image(data, 1), pillow(data, 1))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "JPEG"])
def test_grey_of_a_colour_image_is_its_luma(kind):
    data = encoded(waves().quantize(64) if kind == "GIF" else waves(), kind)
    assert difference(decode_image(data, 1).numpy(), pillow(data, 1)) <= JPEG_GREYS


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_close_to_pillow_and_opencv(options, channels):
    data = encoded(waves(), "JPEG", quality=95, **options)
    pixels = decode_image(data, channels).numpy()
    assert difference(pixels, pillow(data, channels)) <= JPEG_GREYS
    if channels == 3:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert difference(pixels, bgr[..., ::-1]) <= JPEG_GREYS


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_dropped(mode, channels):
    image = waves().convert("RGB" if mode == "RGBA" else "L")
    with_alpha = image.copy()
    with_alpha.putalpha(Image.fromarray(np.arange(24 * 40, dtype=np.uint8).reshape(24, 40)))
    pixels = decode_image(encoded(with_alpha, "PNG"), channels)
    np.testing.assert_array_equal(pixels, decode_image(encoded(image, "PNG"), channels))


def test_of_an_animation_the_first_frame_is_returned():
    frames = [waves().rotate(90 * n).quantize(32) for n in range(3)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode_image(data, 3), pillow(data, 3))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_png_is_as_pillow_turns_it(orientation):
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    data = encoded(waves(), "PNG", exif=exif)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(decode_image(data, 3, orientation), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_jpeg_is_as_pillow_turns_it(orientation):
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    data = encoded(waves(), "JPEG", quality=95, exif=exif)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    pixels = decode_image(data, 3, orientation).numpy()
    assert difference(pixels, expected) <= JPEG_GREYS
    # OpenCV turns on its own.
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert difference(pixels, bgr[..., ::-1]) <= JPEG_GREYS


@pytest.mark.parametrize("dtype", [tf.int64, tf.int32, tf.uint8])
def test_upright_takes_any_integers(dtype):
    image = tf.reshape(tf.range(6), (2, 3, 1))
    turned = upright(image, tf.constant(6, dtype))
    np.testing.assert_array_equal(turned[..., 0], [[3, 0], [4, 1], [5, 2]])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_graph_decodes_to_the_same_bytes(kind, channels, orientation):
    data = encoded(waves().quantize(32) if kind == "GIF" else waves(), kind)

    @tf.function(input_signature=[tf.TensorSpec([], tf.string), tf.TensorSpec([], tf.int64)])
    def inside(data, orientation):
        return decode_image(data, channels, orientation)

    expected = decode_image(data, channels, orientation).numpy()
    assert inside.get_concrete_function().output_shapes.as_list() == [None, None, channels]
    np.testing.assert_array_equal(inside(data, orientation), expected)
    np.testing.assert_array_equal(decode_image(tf.constant(data), channels, orientation), expected)


def test_what_is_no_image_is_an_error_of_tensorflow():
    with pytest.raises(tf.errors.InvalidArgumentError, match="Unknown image file format"):
        decode_image(b"<html>", 3)
