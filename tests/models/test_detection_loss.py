"""YOLOv8's loss against that of keras-cv's detector, and where that one is not a number."""

import keras
import keras_cv
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import models
from tfpipe.models.detection import SIZES

RNG = np.random.default_rng(0)
SIZE = (64, 96)
ANCHORS = 8 * 12 + 4 * 6 + 2 * 3
BOXES = np.array(
    [
        [[0.1, 0.1, 0.6, 0.5], [0.3, 0.4, 0.9, 0.8]],
        [[0.2, 0.0, 1.0, 0.3], [0.0, 0.5, 0.4, 1.0]],
    ],
    np.float32,
)
CLASSES = np.array([[1, 2], [0, 1]])


def targets(boxes=BOXES, classes=CLASSES):
    return models.box_targets(None, {"boxes": boxes, "classes": classes})[1]


def padded(number):
    """The same boxes, and as many rows of padding as `records.read` could add."""
    pads = [(0, 0), (0, number)]
    return targets(
        np.pad(BOXES, [*pads, (0, 0)], constant_values=-1),
        np.pad(CLASSES, pads, constant_values=-1),
    )


@pytest.fixture(scope="module")
def predictions():
    """Boxes around their anchors, so that some are good."""
    centres, strides = models.detection.anchors(SIZE)
    spread = RNG.uniform(0.5, 4, (2, ANCHORS, 4)) * strides
    boxes = np.tile(centres, 2) + spread * [-1, -1, 1, 1]
    scores = RNG.uniform(0.05, 0.95, (2, ANCHORS, 3))
    return np.concatenate([boxes / np.tile(SIZE, 2), scores], -1).astype("float32")


def test_targets_are_boxes_and_their_classes():
    images, both = models.box_targets("images", {"boxes": BOXES, "classes": CLASSES})
    assert (images, both.dtype, both.shape) == ("images", tf.float32, (2, 2, 5))
    np.testing.assert_array_equal(both[..., :4], BOXES)
    np.testing.assert_array_equal(both[..., 4], CLASSES)


@pytest.mark.slow
def test_it_is_the_loss_of_keras_cvs_detector():
    keras.utils.set_random_seed(0)
    channels, depths, depth = SIZES["xs"]
    backbone = keras_cv.models.YOLOV8Backbone(
        channels, depths, include_rescaling=False, input_shape=(*SIZE, 3)
    )
    theirs = keras_cv.models.YOLOV8Detector(backbone, 3, "rel_yxyx", fpn_depth=depth)
    theirs.compile(box_loss="ciou", classification_loss="binary_crossentropy", optimizer="sgd")
    images = tf.constant(RNG.random((2, *SIZE, 3), np.float32))
    found = theirs(images)
    expected = theirs.compute_loss(images, {"boxes": BOXES, "classes": CLASSES * 1.0}, found)
    boxes = models.detection.DecodeBoxes(SIZE)(found["boxes"], training=True)
    # Theirs is a mean over the classes.
    ours = models.YoloLoss(SIZE, class_weight=0.5 / 3)
    ours = ours(targets(), tf.concat([boxes, found["classes"]], -1))
    assert float(ours) == pytest.approx(float(expected), rel=1e-4)


def test_one_value_for_each_example(predictions):
    values = models.YoloLoss(SIZE).call(targets(), tf.constant(predictions))
    assert values.shape == (2,)
    assert float(models.YoloLoss(SIZE)(targets(), predictions)) == pytest.approx(
        float(tf.reduce_mean(values))
    )


def with_gradient(loss, wanted, predictions):
    predictions = tf.convert_to_tensor(predictions)
    with tf.GradientTape() as tape:
        tape.watch(predictions)
        value = loss(wanted, predictions)
    return value, tape.gradient(value, predictions)


@pytest.mark.parametrize("number", [1, 5])
def test_padding_changes_nothing(predictions, number):
    """In a graph, too, where CIoU of a box without area is not a number."""
    loss, step = models.YoloLoss(SIZE), tf.function(with_gradient)
    expected, gradient = with_gradient(loss, targets(), predictions)
    for found, slope in (
        with_gradient(loss, padded(number), predictions),
        step(loss, padded(number), predictions),
    ):
        assert float(found) == pytest.approx(float(expected), rel=1e-5)
        np.testing.assert_allclose(slope, gradient, atol=1e-5)
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


@pytest.mark.parametrize("boxes", [0, 3])
def test_a_batch_without_boxes_asks_for_low_scores_alone(predictions, boxes):
    """0 boxes or nothing but padding: the cross-entropy of zeros, over 1."""
    nothing = tf.fill((2, boxes, 5), -1.0)
    value, gradient = tf.function(with_gradient)(models.YoloLoss(SIZE), nothing, predictions)
    scores = predictions[..., 4:].astype("float64")
    assert float(value) == pytest.approx(0.5 * -np.log(1 - scores).sum(), rel=1e-4)
    assert not gradient[..., :4].numpy().any()


def test_a_perfect_box_costs_less(predictions):
    """The anchors in the middle of the first box give exactly that box."""
    better = predictions.copy()
    centres, _ = models.detection.anchors(SIZE)
    top, left, bottom, right = BOXES[0, 0] * np.tile(SIZE, 2)
    inside = ((centres > [top, left]) & (centres < [bottom, right])).all(-1)
    better[0, inside, :4] = BOXES[0, 0]
    loss = models.YoloLoss(SIZE, class_weight=0.0)
    assert float(loss(targets(), better)) < 0.8 * float(loss(targets(), predictions))


def test_it_is_saved_with_its_arguments():
    loss = models.YoloLoss(SIZE, box_weight=1.0, class_weight=2.0)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.get_config() == loss.get_config()
    assert again.image_size == SIZE
