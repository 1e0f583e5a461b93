"""What every op refuses, eagerly and in graphs."""

import pytest
import tensorflow as tf

from tfpipe import ops
from tfpipe.errors import RequestError

FLOATS = tf.zeros((4, 4, 1))
PIXELS = tf.zeros((4, 4, 1), tf.uint8)
PNG = tf.io.encode_png(PIXELS)


def refused(op, image):
    with pytest.raises(RequestError) as caught:
        op({"image": image})
    return str(caught.value)


def test_an_op_refuses_an_image_of_another_kind():
    assert refused(ops.ToFloat(), FLOATS) == (
        "ToFloat() expected uint8 images, 0 to 255. Received: float32 images."
    )
    assert refused(ops.Resize((2, 2)), PNG) == (
        "Resize(size=(2, 2)) expected uint8 images, 0 to 255. Received: encoded images."
    )
    assert refused(ops.Decode(1), PIXELS) == (
        "Decode(channels=1) expected encoded images (bytes). Received: uint8 images."
    )


EVERY = [
    ops.Resize((4, 4)),
    ops.CenterCrop((1, 1)),
    ops.ToFloat(),
    ops.PreprocessInput("tf"),
    ops.RandomAffine(),
    ops.RandomFlip(),
    ops.RandomResizedCrop((4, 4)),
    ops.ColorJitter(0.1),
]


def test_an_op_refuses_it_in_the_same_words_in_a_graph():
    sentence = "^ToFloat\\(\\) expected uint8 images, 0 to 255. Received: float32 images.$"
    for call in (
        lambda: tf.function(ops.ToFloat())({"image": FLOATS}),
        lambda: tf.data.Dataset.from_tensors({"image": FLOATS}).map(ops.ToFloat()),
        lambda: tf.data.Dataset.from_tensors({"image": FLOATS}).map(lambda e: ops.ToFloat()(e)),
    ):
        with pytest.raises(RequestError, match=sentence):
            call()


@pytest.mark.parametrize("op", EVERY, ids=str)
@pytest.mark.parametrize("shape", [(4, 4), (4,), (1, 4, 4, 1, 1)])
def test_what_is_neither_an_image_nor_a_batch_is_refused(op, shape):
    assert refused(op, tf.zeros(shape, tf.uint8)) == (
        f"{op!r} expected an image (H, W, C) or a batch (B, H, W, C). Received: shape {shape}"
    )


def test_a_batch_of_encoded_images_is_refused():
    assert refused(ops.Decode(), tf.stack([PNG, PNG])) == (
        "Decode() expected one encoded image, a scalar. Received: shape (2,)"
    )


@pytest.mark.parametrize("op", EVERY, ids=str)
@pytest.mark.parametrize("shape", [(0, 4, 4, 1), (0, 4, 1), (4, 0, 1), (4, 4, 0)])
def test_nothing_is_refused(op, shape):
    image = tf.zeros(shape, tf.uint8)
    sentence = f"{op!r} expected at least one image, of at least one pixel. Received: shape"
    assert refused(op, image) == f"{sentence} {shape}"
    keys = tf.fill(shape[:-3], "a")
    unknown = tf.TensorSpec([None] * len(shape), tf.uint8)
    dataset = tf.data.Dataset.from_generator(
        lambda: [{"image": image, "key": keys}],
        output_signature={"image": unknown, "key": tf.TensorSpec(keys.shape, tf.string)},
    )
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        list(dataset.map(op))
    words = " ".join(map(str, shape))
    assert f"[{sentence}] [{words}]" in str(caught.value).replace("\\'", "'")


def test_an_image_of_unknown_rank_is_refused():
    spec = {"image": tf.TensorSpec(None, tf.uint8)}
    with pytest.raises(RequestError) as caught:
        tf.function(ops.ToFloat(), input_signature=[spec]).get_concrete_function()
    assert str(caught.value) == (
        "ToFloat() expected an image (H, W, C) or a batch (B, H, W, C). Received: an image of "
        "unknown rank; `tf.ensure_shape` tells it."
    )


def test_an_example_without_an_image_is_refused():
    for example, words in (({"text": "a", "label": 1}, "'text', 'label'"), ({}, "an empty dict")):
        with pytest.raises(RequestError) as caught:
            ops.ToFloat()(example)
        assert str(caught.value) == (
            f"ToFloat() expected an example with an `image`. Received: {words}"
        )


def test_masks_and_boxes_that_do_not_fit_are_refused():
    def sentence(**beside):
        with pytest.raises(RequestError) as caught:
            ops.RandomFlip()({"image": PIXELS, "key": "a", **beside})
        return str(caught.value)

    assert sentence(mask=PNG) == (
        "RandomFlip() expected a `mask` of classes with the axes of its image, (H, W, 1). "
        "Received: string of shape ()"
    )
    assert sentence(mask=tf.zeros((4, 4), tf.int32)).endswith("Received: int32 of shape (4, 4)")
    assert sentence(boxes=tf.zeros((3, 5))) == (
        "RandomFlip() expected `boxes` as float32 (N, 4). Received: float32 of shape (3, 5)"
    )
