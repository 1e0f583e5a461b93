"""The data: opened at any epoch and batch, and read pass after pass."""

import threading

import numpy as np
import pytest
import tensorflow as tf

from tests.train.plain import X, Y, batches, classifier, refused
from tfpipe.train import data

ONE = tf.distribute.get_strategy()


def test_letting_go_does_not_wait():
    may_end, ended = threading.Event(), threading.Event()

    class Slow:
        def __del__(self):
            may_end.wait(timeout=10)
            ended.set()

    held = [Slow()]
    data.let_go(held)
    assert not ended.is_set()
    may_end.set()
    assert ended.wait(timeout=10)
    assert held == []


def test_no_dataset_is_refused():
    assert refused(classifier(), [(X, Y)]) == (
        "Expected `train` to be a tf.data.Dataset, or a function of (epoch, batch) to one. "
        "Received: type='list'"
    )


def read(opened):
    iterators = data.passes(opened, ONE)
    return [[y.numpy().tolist() for _, y in next(iterators)] for _ in range(2)]


def shuffled():
    return tf.data.Dataset.from_tensor_slices((X, np.arange(20))).shuffle(20, seed=1).batch(4)


@pytest.mark.parametrize(("epoch", "batch"), [(0, 0), (0, 3), (2, 0), (2, 4)])
def test_a_plain_dataset_goes_on_where_it_was(epoch, batch):
    dataset = shuffled()
    order = [[y.numpy().tolist() for _, y in dataset] for _ in range(4)]
    found = read(data.opened("train", shuffled(), epoch, batch))
    assert found == [order[epoch][batch:], order[epoch + 1]]


def test_checks_are_made_in_the_first_pass_alone():
    seen = []

    def note(dataset):
        return dataset.map(
            lambda x, y: (x, tf.py_function(lambda y: seen.append(1) or y, [y], y.dtype))
        )

    dataset = shuffled()
    order = [[y.numpy().tolist() for _, y in dataset] for _ in range(3)]
    iterators = data.passes(data.opened("train", shuffled(), 0, 0), ONE, checks=[note])
    found = [[y.numpy().tolist() for _, y in next(iterators)] for _ in range(3)]
    assert found == order
    assert len(seen) == len(order[0])


def test_a_function_is_asked_for_the_place():
    asked = []

    def batches_from(epoch, batch):
        asked.append((epoch, batch))
        return batches().skip(batch)

    opened = data.opened("train", batches_from, 2, 3, known=5)
    assert asked == [(2, 3)]
    assert (opened.before, opened.skip, opened.num_batches) == (0, 0, 5)
