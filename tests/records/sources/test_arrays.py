"""`records.arrays`: images and labels that are in memory."""

import collections

import numpy as np
import pytest

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
         "Expected `x` to be uint8 pixels from 0 to 255 (scale and cast them first). "
         "Received: dtype='float64'"),
        ({"y": [0]}, "Expected `y` to hold one label for each of the 2 images. "
                     "Received: shape=(1,)"),
        ({"y": [0.0, 1.0]}, "Expected `y` to be integer labels from 0. "
                            "Received: dtype='float64', min=0.0"),
        ({"y": [0, -1]}, "Expected `y` to be integer labels from 0. "
                         "Received: dtype='int64', min=-1"),
        ({"class_names": ["cat"]}, "Expected `class_names` to name every class up to 1. "
                                   "Received: class_names=['cat']"),
        ({"group": ["p"]}, "Expected `group` to hold one group for each of the 2 images. "
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
