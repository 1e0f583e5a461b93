"""Each kind of bundle takes its own instances, and prepares them as training did."""

import base64
import types

import numpy as np
import pytest
import tensorflow as tf

from tests.pictures import encoded, waves
from tfpipe import ops
from tfpipe.errors import RequestError
from tfpipe.serve import Engine
from tfpipe.serve.forms import form_of

ITS = {"name": "a.tflite", "format": "tflite", "mode": "float32"}
IMAGES = types.SimpleNamespace(input_shape=(32, 32, 1), dtype="uint8", **ITS)
SERIES = types.SimpleNamespace(input_shape=(5, 2), dtype="float32", **ITS)
FEATURES = types.SimpleNamespace(input_shape=(3,), dtype="float32", **ITS)
TOKENS = types.SimpleNamespace(input_shape=(4,), dtype="int32", **ITS)


def b64(data):
    return {"b64": base64.b64encode(data).decode()}


def refused(form, instances):
    with pytest.raises(RequestError) as caught:
        form.parse(instances)
    return str(caught.value)


def test_an_image_may_come_in_every_form(chain):
    form = form_of(IMAGES, chain, 2**20)
    png, array = encoded(waves()), np.zeros((32, 32, 1), np.uint8).tolist()
    ways = [png, b64(png), {"images": b64(png)}, {"encoded": b64(png)}, array, {"images": array}]
    prepared = form.prepare(form.parse(ways))
    assert prepared.shape == (6, 32, 32, 1)
    assert (prepared[:4] == prepared[0]).all()
    assert prepared[4:].max() == 0
    assert form.name == "images"


def test_the_images_of_a_request_are_counted_together(chain):
    png = b64(encoded(waves(10, 10)))
    form = form_of(IMAGES, chain, 250)
    assert len(form.parse([png, png])) == 2
    assert refused(form, [png, png, png]) == (
        "Expected images of at most 250 pixels together. Received: 300; send fewer in one request."
    )


def test_what_is_no_image_is_told(chain):
    form = form_of(IMAGES, chain, 2**20)
    expected = 'Expected {"b64": "..."}, an encoded image in base64, or its pixels in nested lists.'
    assert refused(form, ["a"]) == f"{expected} Received: a string."
    assert refused(form, [{"b64": "", "more": 1}]) == f"{expected} Received: an object."
    assert refused(form, [{"image": 1}]) == f"{expected} Received: an object."


def test_a_chain_without_decoding_takes_pixels_alone():
    form = form_of(IMAGES, ops.Chain([ops.ToFloat()]), 2**20)
    assert form.prepare(form.parse([np.ones((32, 32, 1), int).tolist()])).dtype == np.uint8
    assert "in nested lists. Received: an object" in refused(form, [b64(encoded(waves()))])


def test_series_are_prepared_as_in_training():
    chain = ops.Chain([ops.Standardize((3.0, -1.0), (0.7, 1.3), target=(0,))])
    form = form_of(SERIES, chain, 1)
    series = np.random.default_rng(0).normal(size=(8, 5, 2)).astype(np.float32)
    given = form.prepare(form.parse(series.tolist()))
    data = tf.data.Dataset.from_tensor_slices({"sequence": series}).batch(8).map(chain)
    np.testing.assert_array_equal(given, next(iter(data))["sequence"])
    assert (form.name, given.dtype) == ("sequences", np.float32)


def test_forecasts_are_answered_in_the_units_of_the_data():
    chain = ops.Chain([ops.Standardize((3.0, -1.0), (0.5, 1.3), target=(0,))])
    form = form_of(SERIES, chain, 1)
    assert form.restore(np.array([[2.0]], np.float32)).tolist() == [[4.0]]
    engine = Engine("series", 1, (), SERIES, form)
    assert engine.answers(np.array([[2.0], [0.0]])).tolist() == [[4.0], [3.0]]
    assert engine.targets([4.0, 3.0]).tolist() == [2.0, 0.0]


def test_scores_and_labels_of_images_are_left_alone(chain):
    engine = Engine("images", 1, (), IMAGES, form_of(IMAGES, chain, 1))
    assert engine.targets([1, 0]).tolist() == [1, 0]
    assert engine.targets([1, 0]).dtype == int


def test_features_go_in_as_they_are():
    form = form_of(FEATURES, ops.Chain([]), 1)
    given = form.prepare(form.parse([[1, 2, 3], {"features": [4.5, 5, 6]}]))
    np.testing.assert_array_equal(given, np.array([[1, 2, 3], [4.5, 5, 6]], np.float32))


def test_texts_go_to_the_predictor_as_they_are():
    chain = ops.Chain([ops.Tokenize(("[PAD]", "[UNK]", "a")), ops.Window(4)])
    form = form_of(TOKENS, chain, 1)
    assert form.prepare(form.parse(["a", {"texts": "b"}])) == ["a", "b"]
    assert form.name == "texts"
    assert refused(form, [[2, 0, 0, 0]]) == "Expected a text. Received: a list."
