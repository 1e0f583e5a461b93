"""Features of inputs against OpenCV's definitions in NumPy, and what they tell."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from tfpipe.drift.features import image_row, input_names, input_rows, layouts, text_row
from tfpipe.drift.inputs import read
from tfpipe.drift.projecting import projected


def picture(channels=1, seed=0):
    draw = np.random.default_rng(seed)
    smooth = cv2.GaussianBlur(
        draw.integers(0, 256, (40, 50, channels)).astype(np.float32), (0, 0), 2
    )
    return np.clip(smooth, 0, 255).astype(np.uint8).reshape(40, 50, channels)


def test_a_grey_images_row_is_that_of_numpy():
    image = picture()
    grey = image[..., 0].astype(float)
    edge = np.pad(grey, 1, mode="reflect")
    laplacian = edge[:-2, 1:-1] + edge[2:, 1:-1] + edge[1:-1, :-2] + edge[1:-1, 2:] - 4 * grey
    second = ndimage.correlate(grey, [[1, -2, 1], [-2, 4, -2], [1, -2, 1]], mode="mirror")
    noise = np.sqrt(np.pi / 2) * np.abs(second).mean() / 6
    assert image_row(image) == pytest.approx([grey.mean(), grey.std(), laplacian.std(), noise])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_each_channel_has_a_mean_and_a_contrast(channels):
    image = picture(channels)
    row = image_row(image)
    assert len(row) == 2 * channels + 2
    assert row[:channels] == pytest.approx(image.mean((0, 1)))
    assert row[channels : 2 * channels] == pytest.approx(image.std((0, 1)))


def test_floats_are_measured_as_greys_are_in_their_own_units():
    image = picture()
    greys = image_row(image)
    assert image_row(image.astype(np.float32) / 255) == pytest.approx(np.array(greys) / 255, 1e-3)


def test_noise_is_the_deviation_of_the_noise():
    draw = np.random.default_rng(0)
    image = (100 + draw.normal(0, 7, (200, 200, 1))).astype(np.float32)
    assert image_row(image)[3] == pytest.approx(7, rel=0.05)


@pytest.mark.parametrize("change", ["blur", "JPEG"])
def test_blur_and_jpeg_lower_the_noise(change):
    image = picture() + np.random.default_rng(1).integers(0, 20, (40, 50, 1)).astype(np.uint8)
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 10])[1]
    changed = {"blur": cv2.GaussianBlur(image, (0, 0), 1), "JPEG": cv2.imdecode(data, 0)}[change]
    assert image_row(changed.reshape(image.shape))[3] < 0.6 * image_row(image)[3]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_layout_is_the_picture_in_16_by_16_whatever_its_brightness_and_contrast(channels):
    draw = np.random.default_rng(0)
    images = draw.integers(0, 100, (5, 64, 48, channels)).astype(np.uint8)
    small = images.reshape(5, 16, 4, 16, 3, channels).mean((2, 4, 5)).reshape(5, 256)
    expected = projected((small - small.mean(1)[:, None]) / small.std(1)[:, None])
    brighter = layouts(read(images.astype(np.float32) / 80 + 0.5, None))
    assert brighter == pytest.approx(expected, abs=1e-3)
    assert layouts(read(images, None)) == pytest.approx(expected, abs=0.5)  # rounded to greys


def test_an_even_picture_and_what_is_no_picture_have_no_layout():
    assert not layouts(read(np.full((2, 20, 20, 1), 7, np.uint8), None)).any()
    assert layouts(read(np.zeros((3, 5)), None)).shape == (3, 0)


def test_names_and_rows_of_images_fit():
    examples = read(np.stack([picture(3), picture(3, 1)]), None, [(480, 640), (100, 90)])
    rows = dict(zip(input_names(examples), input_rows(examples)[1], strict=True))
    assert list(rows) == [
        *("input/mean red", "input/mean green", "input/mean blue", "input/contrast red"),
        *("input/contrast green", "input/contrast blue", "input/sharpness", "input/noise"),
        *("input/height_px", "input/width_px"),
    ]
    assert (rows["input/height_px"], rows["input/width_px"]) == (100, 90)


def test_a_texts_row_counts_its_words():
    assert text_row("It's a FINE film", [1, 2, 3, 4]) == [4, 0.25, 3.0]
    assert np.isnan(text_row("", [])[1:]).all()


def test_tokens_are_counted_without_their_padding():
    examples = read(np.array([[2, 3, 1, 1], [2, 0, 0, 0]], np.int32), None)
    assert input_names(examples) == ("input/words", "input/unknown")
    assert input_rows(examples).tolist() == [[4, 0.5], [1, 0]]


def test_a_sequences_row_has_each_columns_mean_and_spread():
    values = np.random.default_rng(0).normal(size=(5, 10, 3)).astype(np.float32)
    examples = read(values, None)
    assert input_names(examples)[3:] == ("input/spread 0", "input/spread 1", "input/spread 2")
    by_hand = np.concatenate([values.mean(1), values.std(1)], 1)
    assert input_rows(examples) == pytest.approx(by_hand, abs=1e-6)


def test_of_many_columns_all_are_measured_together():
    values = np.random.default_rng(0).normal(size=(5, 100)).astype(np.float32)
    examples = read(values, None)
    assert input_names(examples) == ("input/mean", "input/spread")
    assert input_rows(examples)[:, 1] == pytest.approx(values.std(1), abs=1e-6)


def test_a_features_row_is_itself():
    values = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    examples = read(values, None)
    assert input_names(examples) == ("input/mean 0", "input/mean 1", "input/mean 2")
    assert input_rows(examples).tolist() == values.tolist()
