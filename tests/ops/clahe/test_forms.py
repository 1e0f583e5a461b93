"""Every form of CLAHE against OpenCV: not one pixel may differ."""

import numpy as np
import pytest
import tensorflow as tf

from tfpipe.ops.clahe import forms

GRAPHS = [forms.plain, forms.tflite, forms.onnx]
ALL = pytest.mark.parametrize("form", [*GRAPHS, forms.opencv])


def unequal(form, opencv, images, clip_limit, tile_grid):
    """How many pixels differ, in all."""
    found = form(tf.constant(images[..., 0]), tile_grid, clip_limit).numpy()
    return int((found != opencv(images, clip_limit, tile_grid)[..., 0]).sum())


def wrong(form, opencv, cases):
    return [
        (images.shape, clip, grid)
        for images, clip, grid in cases
        if unequal(form, opencv, images, clip, grid)
    ]


@ALL
def test_random_images(form, opencv, cases):
    assert wrong(form, opencv, cases(100, seed=0)) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_twenty_thousand_random_images(opencv, cases, seed):
    assert wrong(forms.plain, opencv, cases(2000, seed)) == []


@pytest.mark.slow
@pytest.mark.parametrize("form", [forms.tflite, forms.onnx])
def test_thousands_of_random_images_in_the_forms_of_files(form, opencv, cases):
    assert wrong(form, opencv, cases(2500, seed=11)) == []


@ALL
@pytest.mark.parametrize("size_px", [224, 256, 299])
def test_usual_sizes(form, opencv, pictures, size_px):
    images = pictures(np.random.default_rng(size_px), 4, size_px, size_px)
    assert unequal(form, opencv, images, 2.0, (8, 8)) == 0


@ALL
def test_a_grid_finer_than_the_image(form, opencv, pictures):
    random = np.random.default_rng(0)
    for height, width in ((1, 1), (1, 9), (2, 2), (3, 5), (12, 1)):
        for grid in ((8, 8), (12, 1), (1, 12), (40, 30)):
            images = pictures(random, 2, height, width)
            assert unequal(form, opencv, images, 2.0, grid) == 0, (height, width, grid)


@ALL
def test_a_limit_that_opencv_cannot_count_to(form, opencv, pictures):
    images = pictures(np.random.default_rng(0), 2, 64, 64)
    for clip in (1e6, 1e9, 1e30):
        assert unequal(form, opencv, images, clip, (2, 2)) == 0, clip


@ALL
def test_images_of_a_batch_do_not_mix(form, opencv, pictures):
    images = pictures(np.random.default_rng(3), 5, 37, 50)
    assert unequal(form, opencv, images, 3.0, (5, 3)) == 0


@ALL
def test_a_weight_that_rounds_to_one(form, opencv, pictures):
    images = pictures(np.random.default_rng(4), 5, 94, 188)
    assert unequal(form, opencv, images, 3.0, (2, 1)) == 0


@pytest.mark.parametrize("form", GRAPHS)
def test_inside_another_compilation(form, opencv, pictures):
    """As in a model that Keras compiles: products must not be contracted there either."""
    images = pictures(np.random.default_rng(0), 3, 93, 85)
    compiled = tf.function(form, jit_compile=True)
    assert unequal(compiled, opencv, images, 2.0, (8, 8)) == 0


@pytest.mark.slow
def test_every_xray(opencv, xrays):
    wrong = [
        image.shape
        for image in xrays
        if unequal(forms.plain, opencv, image[None, ..., None], 2.0, (8, 8))
    ]
    assert wrong == []
