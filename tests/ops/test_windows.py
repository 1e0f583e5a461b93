"""Windows in a graph: where they begin, what is padded, and which come by chance."""

import numpy as np
import tensorflow as tf

from tfpipe.ops import RandomWindow, Window

ROWS = tf.constant([[2, 3, 4, 5, 6, 7, 8], [9, 8, 7, 0, 0, 0, 0]])


def given_by(op, text, **example):
    return op({"text": text, **example})["text"]


def test_windows_slide_over_a_batch():
    found = given_by(Window(3, stride=2), ROWS)
    assert found.numpy().tolist() == [
        [[2, 3, 4], [4, 5, 6], [6, 7, 8]],
        [[9, 8, 7], [0, 0, 0], [0, 0, 0]],
    ]
    assert given_by(Window(3, stride=2), ROWS[0]).numpy().tolist() == found[0].numpy().tolist()
    assert given_by(Window(3), ROWS).numpy().tolist() == [[2, 3, 4], [9, 8, 7]]
    assert given_by(Window(9), ROWS[1]).numpy().tolist() == [9, 8, 7, 0, 0, 0, 0, 0, 0]


def test_a_random_window_is_a_part_of_the_text_and_every_part_comes():
    keys = tf.constant([f"0/{epoch}/a" for epoch in range(500)])
    found = given_by(RandomWindow(3), tf.tile(ROWS[:1], (500, 1)), key=keys).numpy()
    starts, counts = np.unique(found[:, 0], return_counts=True)
    assert starts.tolist() == [2, 3, 4, 5, 6]
    assert (found == found[:, :1] + np.arange(3)).all()
    assert (abs(counts / 500 - 1 / 5) < 4 * np.sqrt(0.2 * 0.8 / 500)).all()
    short = given_by(RandomWindow(5), ROWS[1], key="0/0/b")
    assert short.numpy().tolist() == [9, 8, 7, 0, 0]
