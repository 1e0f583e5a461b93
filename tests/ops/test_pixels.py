"""Decode and Resize against OpenCV and Pillow, ToFloat to the bit."""

import io

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tfpipe import ops
from tfpipe.errors import RequestError

sizes = st.integers(1, 40)


def picture(height=23, width=17, channels=3):
    """A smooth picture with colours: JPEG decoders differ on noise."""
    y, x = np.mgrid[0:height, 0:width]
    ramps = [255 * y / height, 255 * x / width, 127 + 120 * np.sin((x + y) / 6)]
    return np.stack(ramps[:channels], axis=-1).round().astype(np.uint8)


def encoded(image, format, **options):
    buffer = io.BytesIO()
    PIL.Image.fromarray(np.asarray(image).squeeze()).save(buffer, format, **options)
    return buffer.getvalue()


def decode(data, channels):
    return ops.Decode(channels)({"image": data})["image"].numpy()


def resize(image, size):
    return ops.Resize(size)({"image": image})["image"].numpy()


@pytest.mark.parametrize("format", ["PNG", "BMP"])
@pytest.mark.parametrize("channels", [1, 3])
def test_lossless_formats_decode_exactly(format, channels):
    image = picture(channels=channels)
    decoded = decode(encoded(image, format), channels)
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, image)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_jpeg_decodes_as_opencv_decodes_it(channels, subsampling):
    data = encoded(picture(), "JPEG", quality=95, subsampling=subsampling)
    flag = cv2.IMREAD_COLOR_RGB if channels == 3 else cv2.IMREAD_GRAYSCALE
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), flag).reshape(23, 17, channels)
    np.testing.assert_array_equal(decode(data, channels), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_turned_upright_as_pillow_turns_it(orientation):
    image = PIL.Image.fromarray(picture())
    exif = image.getexif()
    exif[0x0112] = orientation
    data = encoded(image, "PNG", exif=exif)
    expected = PIL.ImageOps.exif_transpose(PIL.Image.open(io.BytesIO(data)))
    example = ops.Decode(3)({"image": data, "orientation": orientation, "label": 5})
    np.testing.assert_array_equal(example["image"], np.asarray(expected))
    assert (sorted(example), example["label"]) == (["image", "label"], 5)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "GIF"])
def test_grey_becomes_rgb(format):
    image = picture(channels=1)
    decoded = decode(encoded(image, format), 3)
    assert decoded.shape == (23, 17, 3)
    assert (decoded == decoded[..., :1]).all()
    assert np.abs(decoded.astype(int) - image).max() <= 2


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "GIF"])
def test_rgb_becomes_grey(format):
    data = encoded(picture(), format)
    expected = cv2.cvtColor(decode(data, 3), cv2.COLOR_RGB2GRAY)
    grey = decode(data, 1)
    assert grey.shape == (23, 17, 1)
    # libpng weighs the colours as in Rec. 709, all others as in Rec. 601.
    assert np.abs(grey[..., 0].astype(int) - expected).max() <= (40 if format == "PNG" else 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_transparency_is_dropped(channels):
    image = np.full((4, 5, 4), 200, np.uint8)
    image[..., 3] = 30
    assert (decode(encoded(image, "PNG"), channels) == 200).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_an_animation_gives_its_first_frame(channels):
    frames = [np.full((6, 5), grey, np.uint8) for grey in (40, 120, 250)]
    rest = [PIL.Image.fromarray(frame) for frame in frames[1:]]
    data = encoded(frames[0], "GIF", save_all=True, append_images=rest)
    assert PIL.Image.open(io.BytesIO(data)).n_frames == 3
    decoded = decode(data, channels)
    assert decoded.shape == (6, 5, channels)
    assert np.abs(decoded.astype(int) - 40).max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_every_format_decodes_in_one_graph(channels):
    data = [encoded(picture(), format) for format in ("PNG", "JPEG", "BMP", "GIF")]
    dataset = tf.data.Dataset.from_tensor_slices({"image": data}).map(ops.Decode(channels))
    assert dataset.element_spec["image"].shape == (None, None, channels)
    assert [example["image"].shape for example in dataset] == [(23, 17, channels)] * 4


@pytest.mark.parametrize("channels", [0, 2, 4])
def test_decode_refuses_other_channels(channels):
    with pytest.raises(RequestError) as caught:
        ops.Decode(channels)
    assert str(caught.value) == f"Expected `channels` to be 1 or 3. Received: channels={channels}"


@settings(max_examples=60, deadline=None)
@given(sizes, sizes, sizes, sizes, st.integers(0, 2**32 - 1))
def test_resize_is_within_one_grey_level_of_pillow(height, width, to_height, to_width, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    expected = np.asarray(
        PIL.Image.fromarray(image).resize((to_width, to_height), PIL.Image.Resampling.BILINEAR)
    )
    resized = resize(image[..., None], (to_height, to_width))[..., 0]
    assert np.abs(resized.astype(int) - expected).max() <= 1


@settings(max_examples=20, deadline=None)
@given(hnp.arrays(np.uint8, st.tuples(sizes, sizes, st.sampled_from([1, 3]))))
def test_resize_to_the_same_size_changes_nothing(image):
    np.testing.assert_array_equal(resize(image, image.shape[:2]), image)


def test_resize_takes_each_channel_by_itself_and_batches():
    images = np.random.default_rng(0).integers(0, 256, (2, 20, 11, 3), np.uint8)
    batch = resize(images, (7, 9))
    assert (batch.shape, batch.dtype) == ((2, 7, 9, 3), np.uint8)
    for index in range(2):
        for channel in range(3):
            alone = resize(images[index, ..., channel, None], (7, 9))
            np.testing.assert_array_equal(batch[index, ..., channel, None], alone)


@pytest.mark.parametrize("size", [(0, 4), (4, -1), (4,), (4, 4, 1)])
def test_resize_refuses_other_sizes(size):
    with pytest.raises(RequestError) as caught:
        ops.Resize(size)
    assert (
        str(caught.value)
        == f"Expected `size` to be (height, width) in pixels. Received: size={size}"
    )


def test_to_float_is_the_product_with_a_float32():
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    floats = ops.ToFloat()({"image": pixels})["image"].numpy()
    assert floats.dtype == np.float32
    np.testing.assert_array_equal(floats, pixels.astype(np.float32) * np.float32(1 / 255))
    assert (floats.min(), floats.max()) == (0, 1)
    np.testing.assert_allclose(floats, pixels / 255, rtol=1e-7, atol=0)
