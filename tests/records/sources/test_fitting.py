"""Features and classes that do not fit are found before anything is written, or refused by name."""

import numpy as np
import pytest

from tfpipe import records
from tfpipe.errors import RequestError
from tfpipe.records import Feature

TABLE = tuple(range(256))
TEXT = {"text": Feature("text")}


@pytest.mark.parametrize(
    ("key", "feature", "sentence"),
    [
        ("photo", Feature("image", (None, None, 3)),
         "Expected the feature of the kind 'image' to have that name. Received: key='photo'"),
        ("image", Feature("image", (8, 8)),
         "Expected 'image' to have the shape (height, width, channels): 1 or 3 channels, None for "
         "a size that varies. Received: feature=Feature(kind='image', shape=(8, 8), table=())"),
        ("mask", Feature("mask"),
         "Expected 'mask' to have a `table` with the class of each grey from 0 to 255. "
         "Received: feature=Feature(kind='mask', shape=(), table=())"),
        ("labels", Feature("labels", (3,)),
         "Expected 'labels' to have the shape (number of `class_names`,). "
         "Received: feature=Feature(kind='labels', shape=(3,), table=())"),
        ("sequence", Feature("sequence", (None, 2)),
         "Expected 'sequence' to have the shape (T, C). "
         "Received: feature=Feature(kind='sequence', shape=(None, 2), table=())"),
        ("load", Feature("target", (2, 2)),
         "Expected 'load' to have the shape () or (k,). "
         "Received: feature=Feature(kind='target', shape=(2, 2), table=())"),
    ],
)  # fmt: skip
def test_a_feature_that_does_not_fit_is_an_error(key, feature, sentence):
    with pytest.raises(RequestError) as caught:
        records.examples([{"id": "a", key: 0}], {key: feature}, class_names=("a", "b"))
    assert str(caught.value) == sentence


def test_classes_need_names():
    with pytest.raises(RequestError) as caught:
        records.examples([{"id": "a", "label": 0}], {"label": Feature("label")})
    assert str(caught.value) == (
        "Expected `class_names` to name the classes of 'label'. Received: class_names=()"
    )


@pytest.mark.parametrize(
    ("features", "good", "bad", "reason"),
    [
        (("label",), {"label": 2}, {"label": 3}, "expected 'label' to be from 0 to 2, found 3"),
        (("label",), {"label": np.uint8(0)}, {"label": -1},
         "expected 'label' to be from 0 to 2, found -1"),
        (("labels",), {"labels": [0, 1, 1]}, {"labels": [0, 2, 1]},
         "expected 'labels' to be zeros and ones, found [0, 2, 1]"),
        (("boxes", "classes"), {"boxes": [[0, 0, 1, 1]], "classes": [2]},
         {"boxes": [[0, 0, 1, 1]] * 2, "classes": np.array([0, 3])},
         "expected 'classes' to be from 0 to 2, found [0 3]"),
    ],
)  # fmt: skip
def test_a_class_that_there_is_not_is_refused_by_name(tmp_path, features, good, bad, reason):
    features = TEXT | {key: Feature(key, (3,) if key == "labels" else ()) for key in features}
    rows = [{"id": str(n), "text": "x", **good} for n in range(3)] + [
        {"id": "wrong", "text": "x", **bad}
    ]
    source = records.examples(rows, features, class_names=("a", "b", "c"), split=(1.0,))
    found = {example["id"]: example.get("refused") for example in source}
    assert found == {"0": None, "1": None, "2": None, "wrong": reason}


def test_what_is_no_number_is_refused_when_it_is_written(tmp_path):
    rows = [
        {"id": str(n), "text": "x", "label": label}
        for n, label in enumerate([0, "b", 1, 0.5, [[1], [1, 0]]])
    ]
    features = TEXT | {"label": Feature("label")}
    source = records.examples(rows, features, class_names=("a", "b"), split=(1.0,))
    records.write(source, tmp_path / "r", max_refused=0.6)
    listed = (tmp_path / "r" / "refused.csv").read_text()
    assert "expected 'label' to be whole numbers, found 'b'" in listed
    assert "expected 'label' to be whole numbers, found 0.5" in listed
    assert "expected 'label' to be numbers, found lists that differ in length" in listed
