"""What stands in the boxes, and where the arrows lead."""

import itertools

import keras
import pytest

from tfpipe import models
from tfpipe.errors import RequestError
from tfpipe.models.drawing import _grouped, _indents, _shape, _steps, _text


def grouped(model):
    """The boxes as tuples of names, the arrows by those of the boxes' first layers."""
    boxes, arrows = _grouped(_steps(model))
    names = [tuple(step.name for step in box) for box in boxes]
    return names, [(names[start][0], names[end][0]) for start, end in arrows]


def test_lenet5_is_one_road_of_boxes():
    boxes, arrows = grouped(models.lenet5(modern=True))
    assert boxes == [
        ("images",),
        ("conv1", "conv1_bn", "conv1_relu", "pool1"),
        ("conv2", "conv2_bn", "conv2_relu", "pool2"),
        ("flatten",),
        ("dense1", "dense1_bn", "dense1_relu"),
        ("dense2", "dense2_bn", "dense2_relu"),
        ("probabilities",),
    ]
    firsts = [box[0] for box in boxes]
    assert arrows == list(itertools.pairwise(firsts))


def test_a_unet_has_a_box_for_each_size_and_an_arrow_for_each_skip():
    boxes, arrows = grouped(models.unet((32, 32, 1), 2, depth=3, width=4))
    assert [box[0] for box in boxes] == [
        "images", "down1_conv1", "down1_pool", "down2_pool", "down3_pool",
        "up3_up", "up2_up", "up1_up",
    ]  # fmt: skip
    skips = {("down1_conv1", "up1_up"), ("down1_pool", "up2_up"), ("down2_pool", "up3_up")}
    assert skips < set(arrows)
    assert len(arrows) == 7 + 3


def test_smaller_images_stand_further_to_the_right():
    model = models.unet((32, 32, 1), 2, depth=3, width=4)
    boxes, _ = _grouped(_steps(model))
    assert _indents([_shape(box[-1]) for box in boxes]) == [0, 0, 1, 2, 3, 2, 1, 0]
    assert _indents([(8, 8, 1), (4, 4, 1), (16,)]) == [0, 1, 2]


def test_resnet50_is_grouped_by_size():
    boxes, arrows = grouped(models.resnet50((64, 64, 3), weights=None))
    assert [box[0] for box in boxes] == [
        "images", "conv1_pad", "pool1_pad", "conv3_block1_1_conv", "conv4_block1_1_conv",
        "conv5_block1_1_conv", "pool", "probabilities",
    ]  # fmt: skip
    assert len(arrows) == 7
    assert sum(len(box) for box in boxes) == 177


def test_a_box_says_what_is_in_it():
    boxes, _ = _grouped(_steps(models.lenet5(modern=True)))
    assert [_text(box) for box in boxes[:2]] == [
        "images\nInputLayer\n32 × 32 × 1",
        "conv1 … pool1\nConv2D 5x5 + BatchNormalization + ReLU\nAveragePooling2D 2x2\n14 × 14 × 6",
    ]
    boxes, _ = _grouped(_steps(models.mlp()))
    assert _text(boxes[-1]) == "probabilities\nDense softmax\n10"


def test_without_a_path_no_file_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = models.draw(models.mlp())
    assert list(tmp_path.iterdir()) == []
    assert "hidden (Dense)" in text
    assert "(None, 128)" in text


def test_a_model_without_a_graph_is_refused(tmp_path):
    class Own(keras.Model):
        pass

    with pytest.raises(RequestError) as caught:
        models.draw(Own(name="own"), tmp_path / "a.png")
    assert str(caught.value) == (
        "Expected a functional model, whose layers can be drawn. Received: 'own', type=Own"
    )
    with pytest.raises(RequestError):
        models.draw(keras.Sequential([keras.layers.Dense(2)]))


def test_a_sequential_model_is_drawn(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    models.draw(model, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000
