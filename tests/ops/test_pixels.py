"""Decode against OpenCV and Pillow, Grayscale and ToFloat to the bit."""

import io

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
import tensorflow as tf

from tfpipe import ops
from tfpipe.errors import RequestError


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


def test_to_float_is_the_product_with_a_float32():
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    floats = ops.ToFloat()({"image": pixels})["image"].numpy()
    assert floats.dtype == np.float32
    np.testing.assert_array_equal(floats, pixels.astype(np.float32) * np.float32(1 / 255))
    assert (floats.min(), floats.max()) == (0, 1)
    np.testing.assert_allclose(floats, pixels / 255, rtol=1e-7, atol=0)


def test_grayscale_is_opencv_s_to_the_bit():
    greys = np.arange(0, 256, 5, np.uint8)
    image = np.stack(np.meshgrid(greys, greys, greys), axis=-1).reshape(208, -1, 3)
    expected = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    np.testing.assert_array_equal(ops.Grayscale()({"image": image})["image"], expected[..., None])


@pytest.mark.parametrize("runtime", ["saved_model", "tflite", "onnx"])
def test_grayscale_and_to_float_are_the_same_in_every_file(run_in, runtime):
    images = np.random.default_rng(0).integers(0, 256, (1, 90, 90, 3), np.uint8)
    chain = [ops.Grayscale(), ops.ToFloat()]
    expected = ops.Chain(chain)({"image": images})["image"]
    np.testing.assert_array_equal(run_in(chain, images, runtime), expected)


@pytest.mark.parametrize("channels", [1, 4])
def test_grayscale_refuses_what_is_not_rgb(channels):
    with pytest.raises(RequestError) as caught:
        ops.Grayscale()({"image": np.zeros((4, 5, channels), np.uint8)})
    assert str(caught.value) == (
        f"Grayscale() expected images with 3 channels. Received: shape (4, 5, {channels})"
    )


def test_grayscale_refuses_it_in_a_graph_that_does_not_know_the_channels():
    @tf.function(input_signature=[tf.TensorSpec((None, None, None), tf.uint8)])
    def grey(image):
        return ops.Grayscale()({"image": image})["image"]

    assert grey(tf.zeros((4, 5, 3), tf.uint8)).shape == (4, 5, 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected images with 3 channels"):
        grey(tf.zeros((4, 5, 1), tf.uint8))
