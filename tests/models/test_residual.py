"""The residual network against the figures of the paper, and a block of it by hand."""

import keras
import numpy as np
import pytest

from tfpipe import models
from tfpipe.errors import RequestError

# Table 6 of the paper: layers, millions of parameters.
PAPER = [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)]


@pytest.mark.parametrize(("depth", "millions"), PAPER)
def test_as_many_parameters_as_in_the_paper(depth, millions):
    maps, per_stage = [16, 32, 64], (depth - 2) // 6
    count = 9 * 3 * 16 + 2 * 16 + 10 * 65  # the first and the last layer
    for before, now in zip([16, *maps], maps, strict=False):
        count += 9 * now * (before + (2 * per_stage - 1) * now) + 2 * per_stage * 2 * now
    assert abs(count / 1e6 - millions) < 0.05
    if depth > 20:
        return  # building it takes a while
    model = models.residual(depth=depth)
    assert sum(np.prod(weight.shape) for weight in model.trainable_weights) == count
    weighted = [x for x in model.layers if isinstance(x, keras.layers.Conv2D | keras.layers.Dense)]
    assert len(weighted) == depth


def test_layers_begin_as_he_et_al_say():
    model = models.residual((16, 16, 3), depth=8)
    convs = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert {type(conv.kernel_initializer).__name__ for conv in convs} == {"HeNormal"}


def test_the_sizes_are_those_of_the_paper():
    model = models.residual()
    shapes = [model.get_layer(f"stage{n}_3_relu2").output.shape[1:] for n in (1, 2, 3)]
    assert shapes == [(32, 32, 16), (16, 16, 32), (8, 8, 64)]


@pytest.mark.parametrize("size", [(16, 16), (7, 5)])
def test_a_shortcut_is_every_second_pixel_and_zeros(size):
    model = models.residual((*size, 3), depth=8, width=6)
    ends = [model.get_layer(name).output for name in ("stage1_1_relu2", "stage2_1_zeros")]
    before, after = keras.Model(model.input, ends)(np.random.default_rng(0).random((2, *size, 3)))
    expected = np.pad(before[:, ::2, ::2], [(0, 0)] * 3 + [(3, 3)])
    np.testing.assert_array_equal(after, expected)
    assert np.abs(expected).max() > 0


def test_a_block_adds_its_input():
    model = models.residual((8, 8, 3), depth=8)
    names = ("stem_relu", "stage1_1_conv2_bn", "stage1_1_relu2")
    ends = keras.Model(model.input, [model.get_layer(name).output for name in names])
    before, change, after = ends(np.random.default_rng(0).random((2, 8, 8, 3)))
    np.testing.assert_allclose(after, np.maximum(before + change, 0), atol=1e-6)
    assert np.abs(change).max() > 0


def test_a_stride_of_four_begins_as_for_imagenet():
    """Table 1 of the paper: of 224x224 pixels, a 7x7 convolution leaves 112 and pooling 56."""
    model = models.residual((224, 224, 1), 2, depth=8, width=4, stride=4)
    assert model.get_layer("stem").kernel.shape == (7, 7, 1, 4)
    assert model.get_layer("stem_relu").output.shape[1:] == (112, 112, 4)
    shapes = [model.get_layer(f"stage{n}_1_relu2").output.shape[1:] for n in (1, 2, 3)]
    assert shapes == [(56, 56, 4), (28, 28, 8), (14, 14, 16)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"stride": 2}, "Expected `stride` to be 1 or 4. Received: stride=2"),
        (
            {"stride": 4, "input_shape": (12, 16, 1)},
            "Expected `input_shape` of at least 16x16 pixels. Received: input_shape=(12, 16, 1)",
        ),
    ],
)
def test_another_stride_or_too_small_an_image_is_refused(arguments, sentence):
    with pytest.raises(RequestError) as caught:
        models.residual(**arguments)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(("depth", "near"), [(18, "14 or 20"), (2, "8 or 14")])
def test_another_depth_is_refused(depth, near):
    with pytest.raises(RequestError) as caught:
        models.residual(depth=depth)
    assert str(caught.value) == (
        f"Expected `depth` to be 6n + 2, such as {near}. Received: depth={depth}"
    )
