"""`records.arrays`: images or sequences that are in memory, with labels or targets."""

import collections

import numpy as np
import pytest
import tensorflow as tf

from tfpipe import records
from tfpipe.errors import RequestError
from tfpipe.records.sources.splits import split_of


def images(number, *shape):
    values = np.arange(number * int(np.prod(shape))) % 251
    return values.reshape(number, *shape).astype(np.uint8)


@pytest.mark.parametrize(("shape", "stored"), [((4, 5), (4, 5, 1)), ((4, 5, 3), (4, 5, 3))])
def test_every_image_is_an_example_with_its_label(shape, stored):
    x, y = images(20, *shape), np.arange(20) % 3
    source = records.arrays(x, y, split=(0.5, 0.5), seed=1)
    examples = {e["id"]: e for e in source}
    assert len(examples) == 20
    for n in range(20):
        example = examples[f"{n:06d}"]
        np.testing.assert_array_equal(example["image"], x[n].reshape(stored))
        assert example["label"] == y[n]
        assert example["split"] == split_of(f"{n:06d}", {"train": 0.5, "val": 0.5}, 1)
    assert source.features["image"].shape == stored
    assert source.class_names == ("0", "1", "2")
    order = [e["id"] for e in source]
    assert order != sorted(order), "an example's place on disk is drawn"


@pytest.mark.parametrize(("shape", "stored"), [((5,), (5, 1)), ((5, 2), (5, 2))])
def test_sequences_with_targets(tmp_path, shape, stored):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(8, *shape)), random.normal(size=(8, 3))
    source = records.arrays(x, y, kind="sequence", split={"train": 1.0})
    assert source.features["sequence"].shape == stored
    assert (source.features["target"].shape, source.class_names) == ((3,), ())
    manifest = records.write(source, tmp_path / "r")
    ((inputs, targets),) = records.read(manifest, "train", batch_size=8).as_numpy_iterator()
    order = [int(e["id"]) for e in source]
    np.testing.assert_array_equal(inputs, x.reshape(8, *stored)[order].astype(np.float32))
    np.testing.assert_array_equal(targets, y[order].astype(np.float32))
    assert "float32 3" in records.describe(manifest)


def test_images_with_a_single_target(tmp_path):
    y = np.array([0.1, 7, -3], np.float32)
    manifest = records.write(records.arrays(images(3, 4, 4), y, split=(1.0,)), tmp_path / "r")
    dataset = records.read(manifest, "train", batch_size=3)
    assert sorted(dataset.get_single_element()[1].numpy()) == sorted(y)


def test_a_target_that_is_no_number_is_refused_by_record(tmp_path):
    y = np.array([0.1, np.nan, 2])
    source = records.arrays(images(3, 4, 4), y, split=(1.0,))
    manifest = records.write(source, tmp_path / "r", max_refused=0.5)
    assert manifest.num_refused == 1
    (listed,) = (tmp_path / "r" / "refused.csv").read_text().splitlines()[1:]
    assert listed.startswith("000001,")
    assert "expected 'target' to be finite numbers of float32, found nan" in listed


def test_groups_stay_whole_and_classes_are_balanced():
    y = np.arange(120) % 2
    source = records.arrays(
        images(120, 2, 2), y, split=(0.5, 0.5), group=np.arange(120) // 4, stratify=True
    )
    examples = list(source)
    counts = collections.Counter((e["label"], e["split"]) for e in examples)
    assert set(counts.values()) == {30}
    assert len({(int(e["id"]) // 4, e["split"]) for e in examples}) == 30
    assert source.rule == {
        "by": "fractions",
        "given_by": None,
        "fractions": {"train": 0.5, "val": 0.5},
        "seed": 0,
        "grouped_by": "the sequence `group`",
        "stratified": True,
    }


ONE = (
    "Expected `y` to hold one label for each of the 2 examples (of shape (N, 1), pass y[:, 0]; of "
    "one-hot rows, y.argmax(axis=1))."
)
LABELS = (
    "Expected `y` to be integer labels from 0, or floating targets (of names, pass the second of "
    "np.unique(y, return_inverse=True), and the first as `class_names`)."
)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"x": images(2, 4)},
         "Expected `x` to be images of shape (N, H, W), (N, H, W, 1) or (N, H, W, 3), none empty. "
         "Received: shape=(2, 4)"),
        ({"x": images(2, 4, 4, 2)},
         "Expected `x` to be images of shape (N, H, W), (N, H, W, 1) or (N, H, W, 3), none empty. "
         "Received: shape=(2, 4, 4, 2)"),
        ({"x": images(2, 4, 4) / 255},
         "Expected `x` to be uint8 pixels from 0 to 255 (scale and cast them first; numbers that "
         "are no pixels are kind='sequence'). "
         "Received: dtype='float64'"),
        ({"y": [0]}, f"{ONE} Received: shape=(1,)"),
        ({"y": [[0], [1]]}, f"{ONE} Received: shape=(2, 1)"),
        ({"y": [0, -1]}, f"{LABELS} Received: dtype='int64', min=-1"),
        ({"y": [False, True]}, f"{LABELS} Received: dtype='bool'"),
        ({"y": ["a", "b"]}, f"{LABELS} Received: dtype='<U1'"),
        ({"y": [0, 2]}, "Expected `y` to have an example of every class from 0 to 2 (the second of "
                        "np.unique(y, return_inverse=True) numbers those that there are). "
                        "Received: missing=1"),
        ({"y": np.eye(2)}, "Expected `y` to be integer labels or targets; of one-hot rows, pass "
                           "y.argmax(axis=1). Received: shape=(2, 2)"),
        ({"y": [0.5]}, "Expected `y` to be targets of shape (2,) or (2, k). Received: shape=(1,)"),
        ({"y": np.zeros((2, 0))},
         "Expected `y` to be targets of shape (2,) or (2, k). Received: shape=(2, 0)"),
        ({"y": [0.0, 1.0], "class_names": ["cat", "dog"]},
         "Expected `y` to be integer labels where there are `class_names` or `stratify`. "
         "Received: dtype='float64'"),
        ({"y": [0.0, 1.0], "stratify": True},
         "Expected `y` to be integer labels where there are `class_names` or `stratify`. "
         "Received: dtype='float64'"),
        ({"kind": "images"}, "Expected `kind` to be one of 'image', 'sequence'. "
                             "Received: kind='images'. Did you mean 'image'?"),
        ({"kind": "sequence"}, "Expected `x` to be floating numbers (scale and cast them first). "
                               "Received: dtype='uint8'"),
        ({"kind": "sequence", "x": np.zeros(2)},
         "Expected `x` to be sequences of shape (N, T) or (N, T, C), none empty. "
         "Received: shape=(2,)"),
        ({"class_names": ["cat"]}, "Expected `class_names` to name every class up to 1. "
                                   "Received: class_names=['cat']"),
        ({"group": ["p"]}, "Expected `group` to hold one group for each of the 2 examples. "
                           "Received: length=1"),
        ({"group": ["p", ""]}, "Expected `group` to give a name or a whole number for '000001'. "
                               "Received: group=''"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_an_error(arguments, sentence):
    given = {"x": images(2, 4, 4), "y": np.array([0, 1]), **arguments}
    with pytest.raises(RequestError) as caught:
        records.arrays(given.pop("x"), given.pop("y"), **given)
    assert str(caught.value) == sentence


def test_tensors_of_other_libraries_are_taken(tmp_path):
    source = records.arrays(tf.constant(images(20, 4, 4)), np.arange(20) % 2, split=(0.5, 0.5))
    manifest = records.write(source, tmp_path / "r")
    found = {x.numpy().tobytes() for x, _ in records.read(manifest, "train", batch_size=1)}
    assert found <= {image.tobytes() for image in images(20, 4, 4)}
