"""Losses with worked values, and those of Keras that the docs send people to."""

import keras
import numpy as np
import pytest

from tfpipe.errors import RequestError
from tfpipe.train.losses import (
    DiceCrossentropy,
    SparseCategoricalFocalCrossentropy,
    WeightedBinaryFocalCrossentropy,
)

RNG = np.random.default_rng(0)


def probabilities(*shape):
    values = RNG.random(shape) + 0.01
    return values / values.sum(-1, keepdims=True)


def saved(loss):
    return keras.losses.deserialize(keras.losses.serialize(loss))


def test_focal_by_hand():
    """p = 0.9, gamma = 2: 0.1^2 x -log(0.9) = 0.01 x 0.10536."""
    focal = SparseCategoricalFocalCrossentropy(alpha=1.0, gamma=2.0)
    assert float(focal(np.array([0]), np.array([[0.9, 0.1]]))) == pytest.approx(0.0010536, rel=1e-3)
    assert float(focal(np.array([1]), np.array([[0.9, 0.1]]))) == pytest.approx(
        0.81 * -np.log(0.1), rel=1e-4
    )


def test_focal_is_keras_own_of_one_hot_labels():
    p, y = probabilities(9, 4), RNG.integers(0, 4, 9)
    ours = SparseCategoricalFocalCrossentropy(alpha=0.25, gamma=1.5)
    theirs = keras.losses.CategoricalFocalCrossentropy(alpha=0.25, gamma=1.5)
    assert float(ours(y, p)) == pytest.approx(float(theirs(np.eye(4)[y], p)), rel=1e-5)


def test_focal_without_gamma_is_cross_entropy():
    p, y = probabilities(9, 4), RNG.integers(0, 4, 9)
    ours = SparseCategoricalFocalCrossentropy(alpha=1.0, gamma=0.0)
    expected = -np.log(p[np.arange(9), y]).mean()
    assert float(ours(y, p)) == pytest.approx(expected, rel=1e-5)


def test_a_negative_gamma_is_refused():
    with pytest.raises(RequestError) as caught:
        SparseCategoricalFocalCrossentropy(gamma=-1)
    assert str(caught.value) == "Expected `gamma` to be 0 or more. Received: gamma=-1"


def test_weighted_focal_by_hand():
    y, p, weights = RNG.integers(0, 2, (9, 3)), RNG.random((9, 3)) * 0.9 + 0.05, (0.5, 1.0, 7.0)
    right = np.where(y == 1, p, 1 - p)
    each = (1 - right) ** 1.5 * -np.log(right) * np.where(y == 1, weights, 1)
    loss = WeightedBinaryFocalCrossentropy(weights, gamma=1.5, reduction=None)
    np.testing.assert_allclose(loss(y, p), each.mean(1), rtol=1e-4)


def test_weighted_focal_without_weights_is_keras_own():
    y, p = RNG.integers(0, 2, (9, 3)), RNG.random((9, 3))
    ours = WeightedBinaryFocalCrossentropy([1, 1, 1])
    theirs = keras.losses.BinaryFocalCrossentropy(gamma=2.0)
    assert float(ours(y, p)) == pytest.approx(float(theirs(y, p)), rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"positive_weights": []},
            "Expected `positive_weights` to hold a number from 0 for each label. Received: "
            "positive_weights=[]",
        ),
        (
            {"positive_weights": [1.0, -1.0]},
            "Expected `positive_weights` to hold a number from 0 for each label. Received: "
            "positive_weights=[1.0, -1.0]",
        ),
        (
            {"positive_weights": [1.0], "gamma": -1},
            "Expected `gamma` to be 0 or more. Received: gamma=-1",
        ),
    ],
)
def test_wrong_weights_are_refused(arguments, sentence):
    with pytest.raises(RequestError) as caught:
        WeightedBinaryFocalCrossentropy(**arguments)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 5, 1)])
def test_dice_and_cross_entropy_by_hand(shape):
    p = probabilities(3, 4, 5, 3)
    y = RNG.integers(0, 2, (3, 4, 5))  # class 2 is in no mask, though predicted
    expected = []
    for mask, q in zip(y, p, strict=True):
        expected.append(dice_and_cross_entropy(mask.ravel(), q.reshape(-1, 3)))
    loss = DiceCrossentropy(reduction=None)(y.reshape(shape), p)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def dice_and_cross_entropy(mask, q):
    cross = -np.mean(np.log(q[np.arange(len(mask)), mask]))
    truth = np.eye(3)[mask]
    dices = [
        2 * (q[:, c] * truth[:, c]).sum() / ((q[:, c] ** 2).sum() + (truth[:, c] ** 2).sum())
        for c in set(mask)
    ]
    return cross + 1 - np.mean(dices)


@pytest.mark.parametrize("ignored", [-1, 255])
@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_ignored_pixels_count_nowhere(ignored, dtype):
    p, y = probabilities(3, 4, 5, 3), RNG.integers(0, 3, (3, 4, 5)).astype(dtype)
    y[:, 0], y[1] = ignored, ignored
    loss = DiceCrossentropy(ignore_class=ignored, reduction=None)(y, p)
    by_hand = [
        dice_and_cross_entropy(y[n, 1:].ravel().astype(int), p[n, 1:].reshape(-1, 3))
        for n in (0, 2)
    ]
    np.testing.assert_allclose(loss, [by_hand[0], 0, by_hand[1]], rtol=1e-5, atol=1e-6)
    mean_iou = keras.metrics.MeanIoU(3, ignore_class=ignored, sparse_y_pred=False)
    mean_iou.update_state(y, p)
    known = keras.metrics.MeanIoU(3, sparse_y_pred=False)
    known.update_state(y[[0, 2], 1:], p[[0, 2], 1:])
    assert float(mean_iou.result()) == pytest.approx(float(known.result()))


def test_weights_count_pixels_more_often():
    p, y = probabilities(1, 4, 5, 2), RNG.integers(0, 2, (1, 4, 5))
    cross = -np.log(np.take_along_axis(p, y[..., None], -1))[..., 0]
    more = float(DiceCrossentropy([1, 5])(y, p)) - float(DiceCrossentropy()(y, p))
    assert more == pytest.approx(4 * np.sum(cross[y == 1]) / y.size, rel=1e-4)


def test_weights_that_do_not_fit_are_refused():
    with pytest.raises(RequestError) as caught:
        DiceCrossentropy([1, 0])
    assert str(caught.value) == (
        "Expected `class_weights` to be a number above 0 for each class. "
        "Received: class_weights=[1, 0]"
    )
    with pytest.raises(RequestError) as caught:
        DiceCrossentropy([1, 2])(np.zeros((1, 2, 2)), probabilities(1, 2, 2, 3))
    assert str(caught.value) == (
        "Expected `class_weights` to have one for each of the 3 classes. "
        "Received: class_weights=[1, 2]"
    )


def test_a_class_that_is_not_in_the_mask_has_no_dice():
    mask = np.zeros((1, 2, 2), int)
    q = np.full((1, 2, 2, 3), (0.9, 0.1, 0))
    expected = -np.log(0.9) + 1 - 2 * 0.9 / (1 + 0.9**2)
    assert float(DiceCrossentropy()(mask, q)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        SparseCategoricalFocalCrossentropy(0.5, 1.0),
        WeightedBinaryFocalCrossentropy((1.0, 3.0), 1.0),
        DiceCrossentropy([1.0, 2.0], 255),
    ],
)
def test_they_are_saved_with_a_model(loss):
    again = saved(loss)
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


def test_keras_binary_focal_is_right():
    focal = keras.losses.BinaryFocalCrossentropy(gamma=2.0)
    assert float(focal([[1.0]], [[0.9]])) == pytest.approx(0.0010536, rel=1e-3)
    balanced = keras.losses.BinaryFocalCrossentropy(True, alpha=0.25, gamma=2.0)
    found = balanced([[1.0], [0.0]], [[0.9], [0.9]])
    expected = (0.25 * 0.0010536 + 0.75 * 0.81 * -np.log(0.1)) / 2
    assert float(found) == pytest.approx(expected, rel=1e-3)


def test_keras_dice_by_example_is_right():
    p, y = probabilities(3, 4, 5, 2), np.eye(2)[RNG.integers(0, 2, (3, 4, 5))]
    found = keras.losses.Dice(axis=(1, 2, 3), reduction=None)(y, p)
    expected = 1 - 2 * (p * y).sum((1, 2, 3)) / (p + y).sum((1, 2, 3))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
