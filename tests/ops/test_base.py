"""What every op refuses, and what it leaves alone."""

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


def test_an_op_refuses_it_in_a_graph_too():
    with pytest.raises(RequestError, match=r"Received: float32 images\.$"):
        tf.function(ops.ToFloat(), autograph=False)({"image": FLOATS})


def test_an_op_takes_numpy_and_python_values():
    assert ops.ToFloat()({"image": PIXELS.numpy()})["image"].dtype == tf.float32
    assert ops.Decode(1)({"image": PNG.numpy()})["image"].shape == (4, 4, 1)


def test_the_rest_of_the_example_stays_and_the_given_dict_too():
    example = {"image": PIXELS, "label": 3, "id": "a"}
    changed = ops.ToFloat()(example)
    assert (changed["label"], changed["id"]) == (3, "a")
    assert example["image"] is PIXELS


def test_an_op_of_ones_own_needs_apply_alone():
    class Invert(ops.Op):
        takes = gives = "uint8"

        def apply(self, image):
            return 255 - image

    image = ops.Chain([Invert(), ops.ToFloat()])({"image": PIXELS})["image"]
    assert image.numpy().min() == 1


def test_an_op_without_apply_is_no_op():
    class Nothing(ops.Op):
        takes = gives = "uint8"

    with pytest.raises(NotImplementedError):
        Nothing()({"image": PIXELS})
