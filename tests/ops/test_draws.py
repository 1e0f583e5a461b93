"""Draws are a function of the key, whatever its batch; statistics of `uniform`."""

import numpy as np
import pytest
import tensorflow as tf

from tfpipe import ops
from tfpipe.errors import RequestError
from tfpipe.ops import uniform
from tfpipe.ops.draws import between

PER_EXAMPLE = [
    ops.RandomAffine(0.1, 0.1, (0.8, 1.2), mask_fill=3),
    ops.RandomRotation(0.5),
    ops.RandomZoom(),
    ops.RandomFlip("horizontal_and_vertical"),
    ops.RandomResizedCrop((12, 10)),
    ops.ColorJitter(0.2, 0.3, 0.4, 0.1),
]
MIXING = [ops.MixUp(4), ops.CutMix(4)]
NUMBER = 7


def examples(op):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (NUMBER, 21, 17, 3), np.uint8)
    data = {"image": images, "key": np.array([f"0/0/{n}" for n in range(NUMBER)])}
    if op.per_batch:
        data["label"] = np.arange(NUMBER) % 4
        data["image"] = images.astype(op.takes) / (255 if op.takes == "float32" else 1)
        data["image"] = data["image"].astype(op.takes)
        return data
    boxes = np.sort(random.random((NUMBER, 3, 2, 2), np.float32), axis=2).reshape(NUMBER, 3, 4)
    mask = random.integers(0, 3, (NUMBER, 21, 17, 1), np.int32)
    return {**data, "mask": mask, "boxes": boxes, "classes": np.arange(NUMBER * 3).reshape(-1, 3)}


def same(found, expected):
    for name in expected:
        if name in ("boxes", "classes"):  # padded with -1 in a batch
            count = len(expected[name])
            np.testing.assert_array_equal(found[name][:count], expected[name])
            assert (np.asarray(found[name][count:]) == -1).all()
        else:
            np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.parametrize("op", PER_EXAMPLE, ids=lambda op: type(op).__name__)
def test_alone_in_a_batch_in_another_order_and_in_a_parallel_graph_it_is_the_same(op):
    data = examples(op)
    alone = [op({name: value[n] for name, value in data.items()}) for n in range(NUMBER)]
    together = op(data)
    order = np.random.default_rng(1).permutation(NUMBER)
    shuffled = op({name: value[order] for name, value in data.items()})
    mapped = tf.data.Dataset.from_tensor_slices(data).map(op, num_parallel_calls=4)
    batched = tf.data.Dataset.from_tensor_slices(data).batch(3).map(op, num_parallel_calls=2)
    pieces = [{k: v[i] for k, v in b.items()} for b in batched for i in range(len(b["key"]))]
    inside = list(mapped)
    for place in range(NUMBER):
        same({name: value[place] for name, value in together.items()}, alone[place])
        same({name: value[place] for name, value in shuffled.items()}, alone[order[place]])
        same(inside[place], alone[place])
        same(pieces[place], alone[place])


@pytest.mark.parametrize("op", MIXING, ids=lambda op: type(op).__name__)
def test_a_mixed_batch_does_not_depend_on_its_order_nor_on_the_graph(op):
    data = examples(op)
    together = op(data)
    order = np.random.default_rng(1).permutation(NUMBER)
    shuffled = op({name: value[order] for name, value in data.items()})
    inside = next(iter(tf.data.Dataset.from_tensors(data).map(op)))
    for name in ("image", "labels"):
        np.testing.assert_array_equal(shuffled[name], together[name].numpy()[order])
        np.testing.assert_array_equal(inside[name], together[name])


@pytest.mark.parametrize("op", [*PER_EXAMPLE, *MIXING], ids=lambda op: type(op).__name__)
def test_another_epoch_draws_anew(op):
    data = examples(op)
    later = {**data, "key": np.char.replace(data["key"], "0/0", "0/1")}
    assert (op(data)["image"].numpy() != op(later)["image"].numpy()).any()


@pytest.mark.parametrize("op", PER_EXAMPLE, ids=lambda op: type(op).__name__)
def test_the_key_moves_on(op):
    assert op(examples(op))["key"].numpy()[0] == b"0/0/0+"


def test_a_batch_needs_a_key_for_each_image():
    with pytest.raises(RequestError) as caught:
        ops.RandomFlip()({"image": np.zeros((2, 4, 4, 1), np.uint8), "key": "a"})
    assert str(caught.value) == (
        "RandomFlip() expected a `key` for each image. Received: keys of shape () for images of "
        "shape (2, 4, 4, 1)"
    )


def test_mixing_needs_a_batch():
    with pytest.raises(RequestError) as caught:
        ops.MixUp(2)({"image": np.zeros((4, 4, 1), np.float32), "key": "a", "label": 1})
    assert str(caught.value) == (
        "MixUp(num_classes=2) expected a batch of images (B, H, W, C). Received: shape (4, 4, 1)"
    )


def test_between_is_uniform_in_its_range():
    values = between(tf.constant([str(n) for n in range(4000)]), 0, -3, 5).numpy()
    assert values.dtype == np.float64
    assert -3 <= values.min() < -2.98
    assert 4.98 < values.max() < 5
    assert abs(values.mean() - 1) < 0.1


def draws(draw, count=20_000):
    return uniform(tf.constant([f"0/0/{number:06d}" for number in range(count)]), draw).numpy()


def test_what_was_drawn_is_what_it_was_in_every_version():
    # A resumed training must draw what the interrupted one would have drawn.
    assert uniform(tf.constant(["0/0/a", "0/0/b"]), 0).numpy().tolist() == [
        0.3487972021102905,
        0.4206252694129944,
    ]


def test_draws_are_uniform_from_0_to_1():
    values = draws(0)
    assert values.min() >= 0
    assert values.max() < 1
    assert abs(values.mean() - 1 / 2) < 0.008
    assert abs(values.var() - 1 / 12) < 0.003
    counts = np.histogram(values, bins=20, range=(0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 45  # chi-squared, 19 degrees: 1 in 1,500


def test_draws_do_not_depend_on_each_other():
    assert np.abs(np.corrcoef([draws(draw) for draw in range(3)]) - np.eye(3)).max() < 0.03
    values = draws(0)
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.03


def test_without_a_key_it_is_refused():
    with pytest.raises(RequestError) as caught:
        ops.RandomAffine()({"image": np.zeros((4, 4, 1), np.uint8)})
    assert str(caught.value) == (
        "RandomAffine() draws from the example's `key`, and there is none. Give `records.read` a "
        "`shuffle_seed`, or use `chain.inference()`, which leaves random ops out."
    )
