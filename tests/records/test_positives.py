"""The weights of positives: what is counted, and where the limits are."""

import numpy as np
import pytest

from tfpipe import records
from tfpipe.errors import RequestError


def written(path, labels, split):
    rows = [
        {"id": f"{n:03d}", "image": np.full((2, 2, 1), n, np.uint8), "labels": list(row)}
        for n, row in enumerate(labels)
    ]
    features = {
        "image": records.Feature("image", (2, 2, 1)),
        "labels": records.Feature("labels", (len(rows[0]["labels"]),)),
    }
    names = [f"label {n}" for n in range(len(rows[0]["labels"]))]
    return records.write(records.examples(rows, features, class_names=names, split=split), path)


def test_both_sides_of_each_label_weigh_the_same_in_the_train_split(tmp_path):
    labels = np.random.default_rng(0).random((100, 3)) < (0.5, 0.3, 0.15)
    part_of = {f"{n:03d}": "train" if n < 60 else "val" for n in range(100)}
    manifest = written(tmp_path / "x", labels.astype(int), part_of)
    weights = np.array(records.positive_weights(manifest))
    train = labels[:60]
    np.testing.assert_allclose(weights * train.sum(0), (~train).sum(0))
    assert not np.allclose(weights * labels.sum(0), (~labels).sum(0))
    val = np.array(records.positive_weights(manifest, "val"))
    np.testing.assert_allclose(val * labels[60:].sum(0), (~labels[60:]).sum(0))


def test_weights_have_a_limit_and_what_cannot_be_weighed_has_none(tmp_path):
    labels = np.zeros((50, 4), int)
    labels[0, 0] = labels[:2, 1] = 1  # 49 and 24 negatives for each positive
    labels[:, 3] = 1
    manifest = written(tmp_path / "x", labels, {"train": 1.0})
    assert records.positive_weights(manifest, most=30) == (30.0, 24.0, 1.0, 1.0)
    assert records.positive_weights(manifest)[0] == 20.0


def test_what_has_no_labels_to_weigh_is_refused(tmp_path):
    manifest = written(tmp_path / "x", np.eye(2, dtype=int), {"train": 1.0})
    for arguments, sentence in (
        ({"most": 0.5}, "Expected `most` to be at least 1. Received: most=0.5"),
        ({"split": "test"}, "Expected `split` to be one of 'train'. Received: split='test'"),
    ):
        with pytest.raises(RequestError) as caught:
            records.positive_weights(manifest, **arguments)
        assert str(caught.value) == sentence
    images = np.zeros((4, 2, 2), np.uint8)
    single = records.write(
        records.arrays(images, np.arange(4) % 2, split={"train": 1.0}), tmp_path / "y"
    )
    with pytest.raises(RequestError) as caught:
        records.positive_weights(single)
    assert str(caught.value) == (
        "Expected examples with `labels`, whose positives can be weighed. 'arrays' has: image, "
        "label"
    )
