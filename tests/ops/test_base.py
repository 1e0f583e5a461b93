"""What an op leaves alone, how it prints, and what one of one's own needs."""

import pytest
import tensorflow as tf

from tfpipe import ops

PIXELS = tf.zeros((4, 4, 1), tf.uint8)
PNG = tf.io.encode_png(PIXELS)


def test_an_op_takes_numpy_and_python_values():
    assert ops.ToFloat()({"image": PIXELS.numpy()})["image"].dtype == tf.float32
    assert ops.Decode(1)({"image": PNG.numpy()})["image"].shape == (4, 4, 1)


def test_the_rest_of_the_example_stays_and_the_given_dict_too():
    example = {"image": PIXELS, "label": 3, "id": "a"}
    changed = ops.ToFloat()(example)
    assert (changed["label"], changed["id"]) == (3, "a")
    assert example["image"] is PIXELS


def test_an_op_prints_what_is_not_left_at_its_default():
    assert repr(ops.Resize((4, 4))) == "Resize(size=(4, 4))"
    assert repr(ops.Resize((4, 4), letterbox=True)) == "Resize(size=(4, 4), letterbox=True)"
    assert repr(ops.Decode()) == "Decode()"


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
