"""YOLOv8 against keras-cv's own detector with the same weights."""

import json

import keras
import keras_cv
import numpy as np
import pytest
import requests
import tensorflow as tf

from tfpipe import export, models
from tfpipe.errors import DataError, RequestError
from tfpipe.models.detection import SIZES, DecodeBoxes, anchors

RNG = np.random.default_rng(0)
SIZE = (64, 96)
IMAGES = RNG.random((2, *SIZE, 3), np.float32)
# What keras-cv documents for its presets: parameters of the backbones, and of one detector.
BACKBONES = {"xs": 1_277_680, "s": 5_089_760, "m": 11_872_464, "l": 19_831_744}
DETECTOR_M_20_CLASSES = 25_901_004


@pytest.fixture(scope="module")
def theirs():
    """keras-cv's detector, whose boxes are shares of the image as ours are."""
    keras.utils.set_random_seed(0)
    channels, depths, fpn_depth = SIZES["xs"]
    backbone = keras_cv.models.YOLOV8Backbone(
        channels, depths, include_rescaling=False, input_shape=(*SIZE, 3)
    )
    detector = keras_cv.models.YOLOV8Detector(
        backbone, num_classes=3, bounding_box_format="rel_yxyx", fpn_depth=fpn_depth
    )
    for variable in detector.variables:  # so that no two boxes are alike
        if variable.name in ("bias", "beta", "moving_mean"):
            variable.assign(RNG.normal(0, 0.5, variable.shape))
    return detector


@pytest.fixture(scope="module")
def ours(theirs):
    model = models.yolov8((*SIZE, 3), 3)
    named = {variable.path: variable for variable in theirs.variables}
    for variable in model.variables:
        variable.assign(named[variable.path])
    return model


def test_it_finds_what_keras_cvs_detector_finds(theirs, ours):
    found = theirs(IMAGES)
    theirs.prediction_decoder.call = lambda boxes, scores, **_: (boxes, scores)
    boxes, scores = theirs.decode_predictions(found, IMAGES)
    outputs = ours(IMAGES)
    np.testing.assert_allclose(outputs[..., 4:], scores, atol=1e-6)
    np.testing.assert_allclose(outputs[..., :4], np.clip(boxes, 0, 1), atol=1e-5)
    np.testing.assert_allclose(
        ours.get_layer("boxes")(found["boxes"], training=True), boxes, atol=1e-5
    )
    assert np.ptp(boxes) > 1


def test_boxes_by_hand():
    """All distance in one bin: 3 strides left, 1 up, 2 right, 0 down."""
    bins = np.full((1, 4 * 4 + 2 * 2 + 1, 4, 16), -100.0, np.float32)
    bins[:, :, [0, 1, 2, 3], [3, 1, 2, 0]] = 100
    boxes = DecodeBoxes((32, 32))(bins.reshape(1, 21, 64), training=True)
    first, last = boxes[0, 0] * 32, boxes[0, -1] * 32
    np.testing.assert_allclose(first, [4 - 8, 4 - 24, 4 + 0, 4 + 16], atol=1e-4)
    np.testing.assert_allclose(last, [16 - 32, 16 - 96, 16 + 0, 16 + 64], atol=1e-4)
    inside = DecodeBoxes((32, 32))(bins.reshape(1, 21, 64))
    np.testing.assert_allclose(inside[0, 0] * 32, [0, 0, 4, 20], atol=1e-4)


def test_anchors_stand_level_by_level_and_row_by_row():
    centres, strides = anchors((64, 96))
    assert len(centres) == 8 * 12 + 4 * 6 + 2 * 3
    assert centres[[0, 1, 12, 96, -1]].tolist() == [[4, 4], [4, 12], [12, 4], [8, 8], [48, 80]]
    assert strides[[0, 95, 96, 119, 120], 0].tolist() == [8, 8, 16, 16, 32]


@pytest.mark.slow
def test_a_keras_file_needs_nothing_but_the_zoo(ours, tmp_path):
    ours.save(tmp_path / "a.keras")
    loaded = keras.models.load_model(tmp_path / "a.keras")
    np.testing.assert_array_equal(loaded(IMAGES), ours(IMAGES))


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_the_sizes_are_those_of_the_published_weights(size):
    channels, depths, _ = SIZES[size]
    backbone = keras_cv.models.YOLOV8Backbone(channels, depths, include_rescaling=True)
    assert backbone.count_params() == BACKBONES[size]
    model = models.yolov8((32, 32, 3), 20, size=size)
    if size == "m":
        assert model.count_params() == DETECTOR_M_20_CLASSES


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A folder such as keras-cv publishes: a backbone that rescales, and its weights."""
    keras.utils.set_random_seed(1)
    channels, depths, _ = SIZES["xs"]
    backbone = keras_cv.models.YOLOV8Backbone(channels, depths, include_rescaling=True)
    folder = tmp_path_factory.mktemp("preset")
    backbone.save_weights(folder / "model.weights.h5")
    config = {**keras.saving.serialize_keras_object(backbone), "weights": "model.weights.h5"}
    (folder / "config.json").write_text(json.dumps(config))
    return backbone, folder


@pytest.mark.slow
def test_weights_of_a_backbone_from_a_file(published):
    backbone, folder = published
    model = models.yolov8((64, 96, 3), 3, weights=folder / "model.weights.h5")
    level = keras.Model(model.input, model.get_layer("stack4_spp_fast_output").output)
    np.testing.assert_allclose(level(IMAGES), backbone(IMAGES * 255), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_published_weights_by_name(published, monkeypatch):
    backbone, folder = published
    asked = []

    def download(handle, path):
        asked.append((handle, path))
        return str(folder / path)

    monkeypatch.setattr("kagglehub.model_download", download)
    model = models.yolov8((64, 96, 3), 3, weights="coco")
    np.testing.assert_array_equal(
        model.get_layer("stem_1_conv").kernel, backbone.get_layer("stem_1_conv").kernel
    )
    assert {handle for handle, _ in asked} == {"keras/yolov8/keras/yolo_v8_xs_backbone_coco/2"}


def test_no_network_is_one_sentence_with_two_ways_out(monkeypatch):
    def download(handle, path):
        raise requests.exceptions.ConnectionError("no route")

    monkeypatch.setattr("kagglehub.model_download", download)
    with pytest.raises(RequestError) as caught:
        models.yolov8((64, 64, 3), 3, weights="coco")
    assert str(caught.value) == (
        "The COCO weights of YOLOv8 'xs' could not be downloaded (no route). Pass weights=None to "
        "train from scratch, or the path of a file as `weights`: the model.weights.h5 that "
        "kagglehub.model_download('keras/yolov8/keras/yolo_v8_xs_backbone_coco') leaves on a "
        "machine with a network."
    )


@pytest.mark.slow
def test_a_file_of_another_size_is_refused(published):
    _, folder = published
    path = folder / "model.weights.h5"
    with pytest.raises(DataError) as caught:
        models.yolov8((64, 64, 3), 3, size="s", weights=path)
    assert str(caught.value).startswith(
        f"{path}: expected the weights of keras-cv's YOLOv8 backbone of size 's', found "
    )


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        models.yolov8(*arguments, **options)
    return str(caught.value)


def test_wrong_arguments_are_refused():
    assert refused(size="n") == (
        "Expected `size` to be one of 'xs', 's', 'm', 'l'. Received: size='n'"
    )
    assert refused((64, 64, 1)) == (
        "Expected `input_shape` with 3 channels; ops.Decode(channels=3) makes them of grey images, "
        "too. Received: input_shape=(64, 64, 1)"
    )
    assert refused(weights="cocoo") == (
        "Expected `weights` to be 'coco', None, or the path of a file. Received: weights='cocoo'"
    )


def test_before_training_hardly_anything_is_found():
    scores = models.yolov8((*SIZE, 3), 3)(IMAGES)[..., 4:].numpy()
    assert np.median(scores) == pytest.approx(0.01, rel=0.5)
    assert scores.max() < 0.2


@pytest.mark.slow
def test_an_int8_file_keeps_the_boxes_where_bins_reach_far(tmp_path):
    """Bins in one tensor with the scores are cut off at 0 and 1: boxes are ten times as far off."""
    keras.utils.set_random_seed(0)
    model = models.yolov8((*SIZE, 3), 3)
    images = RNG.random((100, *SIZE, 3), np.float32)
    for kind, spread in (("box_3_conv", 3.0), ("class_3_conv", 0.5)):
        for level in (1, 2, 3):
            layer = model.get_layer(f"yolo_v8_head_{level}_{kind}")
            layer.bias.assign(0 * layer.bias)
            given = keras.Model(model.input, layer.output)(images[:8])
            layer.kernel.assign(layer.kernel * (spread / np.std(given)))
    batches = tf.data.Dataset.from_tensor_slices(images).batch(20)
    file = export.to_tflite(model, tmp_path / "a.tflite", mode="int8", calibration=batches)
    off = np.abs(export.load(file).predict(images[:20]) - model(images[:20]))
    assert off[..., :4].mean() < 0.01
    assert off[..., 4:].mean() < 0.01
