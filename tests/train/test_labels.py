"""Labels: weighed by class, and checked in the first batches."""

import keras
import numpy as np
import pytest

from tests.train.plain import RNG, X, Y, batches, classifier, refused
from tfpipe import train
from tfpipe.errors import RequestError
from tfpipe.train import labels

WEIGHTS = {0: 2.0, 2: 0.5}
BY_EXAMPLE = np.array([2.0, 1.0, 0.5], np.float32)[Y]


def fitted(dataset, **options):
    model = classifier()
    train.fit(model, dataset, epochs=2, **options)
    return model.get_weights()


def assert_same(one, two):
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_class_weights_are_sample_weights():
    assert_same(fitted(batches(), class_weights=WEIGHTS), fitted(batches(X, Y, BY_EXAMPLE)))


def test_class_weights_come_on_top_of_sample_weights():
    own = RNG.random(20).astype(np.float32)
    weighed = fitted(batches(X, Y, own), class_weights=WEIGHTS)
    assert_same(weighed, fitted(batches(X, Y, own * BY_EXAMPLE)))


def test_class_weights_of_one_hot_targets():
    one_hot = np.eye(3, dtype=np.float32)[Y]
    loss = {"loss": "categorical_crossentropy"}
    weighed = fitted(batches(X, one_hot), class_weights=WEIGHTS, **loss)
    assert_same(weighed, fitted(batches(X, one_hot, BY_EXAMPLE), **loss))


def test_a_class_that_is_not_named_weighs_1():
    doubled = np.where(Y == 0, 2.0, 1.0).astype(np.float32)  # 1 and 2 are beyond the last name
    assert_same(fitted(batches(), class_weights={0: 2.0}), fitted(batches(X, Y, doubled)))


def test_class_weights_of_several_labels_are_refused():
    labels = np.eye(3, dtype=np.float32)[Y]
    labels[5, :2] = 1
    multi_hot = {"loss": "binary_crossentropy", "metrics": []}
    assert refused(classifier(), batches(X, labels), class_weights=WEIGHTS, **multi_hot) == (
        "Expected targets whose rows sum to 1 with `class_weights`, one class per example; "
        "several labels are weighed by `WeightedBinaryFocalCrossentropy`. Received: a row that "
        f"sums to {labels[5].sum():g}"
    )


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ([1, 2], "`class_weights` to map numbers of classes to weights"),
        ({}, "`class_weights` to map numbers of classes to weights"),
        ({"cat": 1}, "the keys of `class_weights` to be numbers of classes, from 0"),
        ({-1: 1}, "the keys of `class_weights` to be numbers of classes, from 0"),
        ({0: -1}, "the values of `class_weights` to be numbers from 0"),
    ],
)
def test_other_class_weights_are_refused(weights, sentence):
    found = refused(classifier(), batches(), class_weights=weights)
    assert found == f"Expected {sentence}. Received: class_weights={weights!r}"


@pytest.mark.parametrize("label", [3, -1])
@pytest.mark.parametrize("shape", [(20,), (20, 1)])
def test_a_label_outside_the_classes_is_named_with_its_place(label, shape):
    y = Y.copy()
    y[13] = label
    assert refused(classifier(), batches(X, y.reshape(shape))) == (
        "Expected labels from 0 to 2, as the model has 3 outputs. Received: label "
        f"{label} in batch 4 of the pass, at row 2 of it"
    )


def test_a_label_outside_the_classes_is_named_with_its_example():
    y = Y.copy()
    y[13] = 3
    inputs = {"x": X, "id": [f"scans/{number}.png" for number in range(20)]}
    x = keras.Input((6,), name="x")
    model = keras.Model({"x": x}, keras.layers.Dense(3, activation="softmax")(x))
    assert refused(model, batches(inputs, y)) == (
        "Expected labels from 0 to 2, as the model has 3 outputs. Received: label 3 in batch 4 of "
        "the pass, at row 2 of it, example scans/13.png"
    )


def test_batches_after_the_first_four_are_not_looked_at():
    y = Y.copy()
    y[16:] = 7
    checked = labels.check_labels(3)(batches(X, y))
    assert np.concatenate([found for _, found in checked]).tolist() == y.tolist()


def masked(loss, masks, **arguments):
    pixels = keras.Input((4, 4, 1))
    model = keras.Model(pixels, keras.layers.Conv2D(2, 1, activation="softmax")(pixels))
    model.compile("sgd", loss)
    x = np.ones((len(masks), 4, 4, 1), np.float32)
    return train.fit(model, batches(x, masks), **arguments)


@pytest.mark.parametrize(
    "loss", [train.DiceCrossentropy(), keras.losses.SparseCategoricalCrossentropy(ignore_class=-1)]
)
def test_a_masks_ignored_pixels_are_no_wrong_labels(loss):
    masks = np.zeros((8, 4, 4, 1), np.int32)
    masks[:, 0], masks[:, 1] = 1, -1
    assert np.isfinite(masked(loss, masks).history["loss"]).all()
    masks[5, 2, 3] = 2
    with pytest.raises(RequestError) as caught:
        masked(loss, masks)
    assert str(caught.value) == (
        "Expected labels from 0 to 1, as the model has 2 outputs. Received: label 2 in batch 2 of "
        "the pass, at row 2 of it"
    )


def test_class_weights_are_not_for_masks():
    with pytest.raises(RequestError) as caught:
        masked(train.DiceCrossentropy(), np.zeros((8, 4, 4, 1), int), class_weights={1: 2.0})
    assert str(caught.value) == (
        "`class_weights` are for one label per example. Received: targets of shape "
        "(None, 4, 4, 1). Leave them out; for masks, `DiceCrossentropy` takes weights."
    )
