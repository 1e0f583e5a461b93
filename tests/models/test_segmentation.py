"""U-Net: its size, its skips, and its parts by hand."""

import itertools

import keras
import numpy as np
import pytest

from tfpipe import models

IMAGES = np.random.default_rng(0).random((2, 16, 24, 1), np.float32)


def by_hand(depth, width, channels, classes):
    """Kernels and biases of the paper's layers."""

    def double(before, maps):
        return 9 * before * maps + maps + 9 * maps * maps + maps

    maps = [width * 2**level for level in range(depth + 1)]
    count = sum(double(*pair) for pair in zip([channels, *maps], maps, strict=False))
    for narrow, wide in itertools.pairwise(maps):
        count += 4 * wide * narrow + narrow + double(2 * narrow, narrow)
    return count + maps[0] * classes + classes


@pytest.mark.parametrize(("depth", "width"), [(1, 8), (2, 4), (3, 4)])
def test_as_many_parameters_as_by_hand(depth, width):
    model = models.unet((16, 24, 1), 3, depth=depth, width=width, batch_norm=False)
    assert model.count_params() == by_hand(depth, width, 1, 3)


def test_convolutions_begin_as_the_paper_says():
    """Section 3: normal, of the deviation sqrt(2 / N)."""
    model = models.unet((16, 16, 1), 3, depth=2, width=4)
    convs = [layer for layer in model.layers[:-1] if hasattr(layer, "kernel_initializer")]
    assert len(convs) == 5 * 2 + 2
    assert {type(conv.kernel_initializer).__name__ for conv in convs} == {"HeNormal"}


def test_the_papers_size_has_31_million():
    assert by_hand(4, 64, 1, 2) == 31_030_658  # the doctest builds it


def test_the_output_has_the_inputs_size_and_sums_to_one():
    outputs = models.unet((16, 24, 1), 3, depth=3, width=4)(IMAGES)
    assert outputs.shape == (2, 16, 24, 3)
    np.testing.assert_allclose(keras.ops.sum(outputs, -1), 1, atol=1e-6)


def test_a_sigmoid_gives_each_label_a_probability_of_its_own():
    model = models.unet((16, 24, 1), 1, activation="sigmoid", depth=1, width=4)
    outputs = model(IMAGES)
    assert model.layers[-1].name == "probabilities"
    assert outputs.shape == (2, 16, 24, 1)
    assert 0 < float(keras.ops.min(outputs)) < float(keras.ops.max(outputs)) < 1


@pytest.mark.parametrize("level", [1, 2])
def test_every_level_has_a_skip(level):
    """The way down's maps stand before the way up's, unchanged."""
    model = models.unet((16, 24, 1), 3, depth=2, width=4)
    ends = [model.get_layer(f"{name}").output for name in (f"down{level}_relu2", f"up{level}_skip")]
    down, joined = keras.Model(model.input, ends)(IMAGES)
    np.testing.assert_array_equal(joined[..., : down.shape[-1]], down)
    assert joined.shape[-1] == 2 * down.shape[-1]


def test_a_pixel_sees_further_than_its_neighbours():
    """Through the bottom, in contrast to two convolutions alone."""
    model = models.unet((16, 24, 1), 2, depth=2, width=4, batch_norm=False)
    changed = IMAGES.copy()
    changed[:, 0, 0] += 1
    difference = np.abs(model(changed) - model(IMAGES)).max((0, 3))
    assert difference[10, 0] > 0
    assert difference[15, 23] == 0


def test_the_weights_serve_a_larger_image():
    """Away from its edges, a part of an image is segmented as it is alone."""
    small = models.unet((64, 64, 1), 2, depth=2, width=4)
    large = models.unet((64, 192, 1), 2, depth=2, width=4)
    large.set_weights(small.get_weights())
    image = np.random.default_rng(1).random((1, 64, 192, 1), np.float32)
    middle = slice(64, 128)
    expected = small(image[:, :, middle])[:, :, 24:40]
    np.testing.assert_allclose(large(image)[:, :, 88:104], expected, atol=1e-5)
