"""Boxes under moves, by hand; which of them stay, alone and in batches."""

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfpipe.ops.boxes import move_boxes, scaling

STAY = tf.constant([[1.0, 0, 0], [0, 1, 0]])
BOXES = np.float32([[0.1, 0.2, 0.5, 0.6], [0.0, 0.0, 0.2, 0.1], [0.7, 0.6, 1.0, 1.0]])
CLASSES = np.int64([3, 1, 2])


def shift(right, down):
    return tf.constant([[1.0, 0, right], [0, 1, down]])


def moved(move, boxes=BOXES, classes=CLASSES):
    example = move_boxes({"boxes": tf.constant(boxes), "classes": tf.constant(classes)}, move)
    return example["boxes"].numpy(), example["classes"].numpy().tolist()


def test_nothing_moves_nothing():
    boxes, classes = moved(STAY)
    np.testing.assert_array_equal(boxes, BOXES)
    assert classes == [3, 1, 2]


def test_what_leaves_the_image_is_dropped_with_its_class():
    boxes, classes = moved(shift(-0.3, 0.0))
    assert classes == [3, 2]
    np.testing.assert_allclose(boxes, [[0.1, 0, 0.5, 0.3], [0.7, 0.3, 1, 0.7]], atol=1e-6)


def test_what_is_hardly_left_is_dropped():
    assert moved(shift(-0.597, 0.0))[1] == [2]  # 0.75 % of the first one's width
    assert moved(shift(-0.593, 0.0))[1] == [3, 2]


def test_a_box_without_an_area_is_dropped():
    assert moved(STAY, np.float32([[0.1, 0.1, 0.1, 0.5]]), np.int64([1]))[1] == []


def test_a_turned_box_gets_the_smallest_upright_one_around_it():
    quarter = tf.constant([[0.0, 1, 0], [-1, 0, 1]])  # x is what y was, y is 1 - x
    boxes, _ = moved(quarter)
    np.testing.assert_allclose(boxes[0], [0.4, 0.1, 0.8, 0.5], atol=1e-6)


@settings(max_examples=50)
@given(
    st.lists(
        st.lists(st.tuples(*[st.floats(0, 1, width=32)] * 4), max_size=5), min_size=1, max_size=4
    ),
    st.floats(-1, 1),
    st.floats(-1, 1),
    st.floats(-1, 1),
)
def test_a_batch_gives_what_its_examples_give(batch, turn, right, down):
    rows = [np.sort(np.float32(row).reshape(-1, 2, 2), axis=1).reshape(-1, 4) for row in batch]
    most = max(map(len, rows))
    padded = np.full((len(rows), most, 4), -1, np.float32)
    classes = np.full((len(rows), most), -1, np.int64)
    for index, row in enumerate(rows):
        padded[index, : len(row)] = row
        classes[index, : len(row)] = np.arange(len(row))
    moves = tf.stack(
        [
            tf.constant([[1.0, turn * index, right], [-turn * index, 1.0, down]])
            for index in range(len(rows))
        ]
    )
    example = {"boxes": tf.constant(padded), "classes": tf.constant(classes)}
    together = move_boxes(example, moves)
    alone = [
        move_boxes({"boxes": tf.constant(row), "classes": tf.range(len(row), dtype=tf.int64)}, move)
        for row, move in zip(rows, moves, strict=True)
    ]
    assert together["boxes"].shape[1] == max(len(one["boxes"]) for one in alone)
    for index, one in enumerate(alone):
        count = len(one["boxes"])
        np.testing.assert_array_equal(together["boxes"][index, :count], one["boxes"])
        np.testing.assert_array_equal(together["classes"][index, :count], one["classes"])
        assert (together["boxes"].numpy()[index, count:] == -1).all()
        assert (together["classes"].numpy()[index, count:] == -1).all()


def test_boxes_may_have_no_classes_and_examples_no_boxes():
    assert list(move_boxes({"boxes": tf.constant(BOXES)}, STAY)) == ["boxes"]
    assert move_boxes({"label": 3}, STAY) == {"label": 3}


def test_scaling_takes_the_whole_image_to_where_it_lies():
    boxes, _ = moved(scaling((10, 0), (30, 40), (40, 80)), np.float32([[0, 0, 1, 1]]), CLASSES[:1])
    np.testing.assert_array_equal(boxes, [[0.25, 0, 0.75, 0.5]])
