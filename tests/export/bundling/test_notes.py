"""Findings for a bundle's notes: each the same as by hand."""

import keras
import numpy as np
import pytest

from tfpipe import export, ops, records
from tfpipe.errors import RequestError

GREYS = ops.Chain([ops.Decode(channels=1), ops.Resize((8, 8)), ops.ToFloat()])
WINDOWS = {"split": {"train": 0.5, "test": 0.5}, "kind": "sequence", "name": "windows"}


@pytest.fixture(scope="module")
def masks(tmp_path_factory):
    """Images with a bright upper half: it is the mask of holes; of scratches it is the left one."""
    half = np.zeros((8, 8, 1), np.uint8)
    half[:4] = 255
    masks = {"hole": half, "scratch": half.swapaxes(0, 1)}
    rows = [
        {
            "id": f"{kind}_{split}_{n}",
            "image": half // 255 * np.uint8(255 - n),
            "mask": mask,
            "split": split,
        }
        for kind, mask in masks.items()
        for split, n in (("train", 0), ("test", 1), ("test", 2))
    ]
    features = {
        "image": records.Feature("image", (8, 8, 1)),
        "mask": records.Feature("mask", table=(0,) * 128 + (1,) * 128),
    }
    source = records.examples(rows, features, class_names=("free", "defect"), name="halves")
    return records.write(source, tmp_path_factory.mktemp("masks") / "records")


def marks_what_is_bright():
    x = keras.Input((8, 8, 1))
    layer = keras.layers.Conv2D(2, 1, activation="softmax")
    model = keras.Model(x, layer(x))
    layer.set_weights([np.array([[[[-40.0, 40.0]]]]), np.array([20.0, -20.0])])
    return model


@pytest.fixture(scope="module")
def windows(tmp_path_factory):
    """200 windows of 3 numbers, and what comes: the last one, and a tenth of its square more."""
    x = np.random.default_rng(0).normal(5, 2, (200, 3, 2))
    y = x[:, -1, 1] + 0.1 * x[:, -1, 1] ** 2
    return records.write(
        records.arrays(x, y, **WINDOWS), tmp_path_factory.mktemp("windows") / "records"
    )


def says_the_last_and(more):
    """A model of the last number of the second column, and a constant."""
    x = keras.Input((3, 2))
    return keras.Model(x, keras.layers.Lambda(lambda x: x[:, -1, 1:] + more)(x))


def test_score_and_size_are_those_of_the_float32_file(trained, prepare, digits, tmp_path):
    source = records.arrays(digits[0][1000:1400], digits[1][1000:1400], name="digits")
    manifest = records.write(source, tmp_path / "records")
    pixels = records.read(manifest, "val", prepare.outside(), batch_size=64)
    path = export.to_tflite(trained, tmp_path / "m.tflite", prepare=prepare)
    (file,) = export.verify(export.from_keras(trained, prepare), [path], pixels).files
    told = export.score_and_size(trained, manifest, prepare, split="val")
    name, _, size = told.partition(", ")
    assert name == f"accuracy {file.score:.4f}"
    # Zipped files differ by some bytes: names in them are counted up by Keras.
    assert int(size.removesuffix(" bytes zipped").replace(",", "")) == pytest.approx(
        file.zipped_bytes, rel=0.01
    )


@pytest.mark.parametrize("mapped", [True, False])
def test_the_overlap_of_each_group_is_that_of_its_images(masks, mapped):
    kinds = {name: name.split("_")[0] for name in records.ids(masks, "test")}
    groups = kinds if mapped else kinds.get
    table = export.overlap_by_group(marks_what_is_bright(), masks, GREYS, groups)
    rows = {line.split()[0]: line.split() for line in table.splitlines()[2:]}
    assert [rows[name][1] for name in ("all", "hole", "scratch")] == ["4", "2", "2"]
    assert rows["hole"][2] == rows["hole"][6] == "1.0000"
    assert rows["scratch"][2] == rows["scratch"][6] == "0.3333"  # a quarter of three
    assert rows["all"][2] == "0.6000"  # 6 quarters of 10, and not the mean of both


def test_a_forecast_is_compared_with_the_last_value(windows):
    y = np.concatenate([y for _, y in records.read(windows, "test", batch_size=8)])
    x = np.concatenate([x for x, _ in records.read(windows, "test", batch_size=8)])
    left = 0.1 * x[:, -1, 1] ** 2
    np.testing.assert_allclose(y - x[:, -1, 1], left, atol=1e-5)
    share = np.sqrt(np.mean((left - 2) ** 2) / np.mean(left**2))
    told = export.against_last_value(says_the_last_and(2.0), windows, ops.Chain([]), column=1)
    assert told == f"{share:.3f} of the last value's root mean squared error"


def test_a_scale_changes_nothing(windows):
    mean, std = records.moments(windows)
    scaled = ops.Chain([ops.Standardize(mean, std, target=(1,))])
    plain = export.against_last_value(says_the_last_and(2.0), windows, ops.Chain([]), column=1)
    model = says_the_last_and(2.0 / std[1])
    assert export.against_last_value(model, windows, scaled, column=1) == plain


def test_what_has_no_such_finding_is_refused(windows, masks):
    model, standard = says_the_last_and(0.0), ops.Standardize(*records.moments(windows))
    with pytest.raises(RequestError) as caught:
        export.against_last_value(model, windows, ops.Chain([standard]), column=1)
    assert str(caught.value) == (
        f"Expected `prepare` with `target=(1,)`. Received: prepare={ops.Chain([standard])!r}"
    )
    with pytest.raises(RequestError) as caught:
        export.against_last_value(model, masks, GREYS)
    assert str(caught.value) == (
        "Expected records with a `sequence` and its `target`. 'halves' has: image, mask"
    )
    with pytest.raises(RequestError) as caught:
        export.overlap_by_group(model, windows, ops.Chain([]), str.upper)
    assert str(caught.value) == ("Expected records with a `mask`. 'windows' has: sequence, target")
