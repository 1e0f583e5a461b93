"""`records.mask_folder`: images and masks paired by their stems."""

import collections
import csv

import cv2
import keras
import numpy as np
import pytest

from tfpipe import records, train
from tfpipe.errors import RequestError
from tfpipe.export.scoring import measures
from tfpipe.records.sources.masks import as_table

PAIRS = {"images/a.jpg": "x", "images/b.c.png": "x", "masks/a.png": "y", "masks/b.c.png": "y"}


def source_of(root, **arguments):
    return records.mask_folder(root / "images", root / "masks", **{"classes": 127, **arguments})


def test_pairs_are_found_by_stem(tmp_path, make_files):
    root = make_files(tmp_path / "tiles", PAIRS)
    source = source_of(root, class_names=("free", "defect"), split={"a": "train", "b.c": "val"})
    assert sorted(source, key=lambda example: example["id"]) == [
        {"id": "a", "split": "train", "image": root / "images/a.jpg", "mask": root / "masks/a.png"},
        {"id": "b.c", "split": "val", "image": root / "images/b.c.png",
         "mask": root / "masks/b.c.png"},
    ]  # fmt: skip
    assert (source.name, source.class_names) == ("tiles", ("free", "defect"))
    assert source.features["mask"].table == (0,) * 128 + (1,) * 128


def test_stems_may_differ_by_a_rule(tmp_path, make_files):
    root = make_files(tmp_path, {"images/a.jpg": "x", "masks/a_mask.gif": "y"})
    source = source_of(root, mask_stem=lambda stem: stem.removesuffix("_mask"))
    assert [(e["id"], e["mask"].name) for e in source] == [("a", "a_mask.gif")]


def test_greys_have_classes():
    assert as_table(0) == (0,) + (1,) * 255
    table = as_table({0: 0, 128: 2, 255: 1})
    assert {grey: label for grey, label in enumerate(table) if label != -2} == {
        0: 0,
        128: 2,
        255: 1,
    }


@pytest.mark.parametrize(
    "classes", [255, -1, True, 0.5, {}, {0: 0, 256: 1}, {0: 0, 255: 2}, {0: -1}, {0: 0, 9: -2}]
)
def test_other_rules_are_an_error(classes):
    with pytest.raises(RequestError) as caught:
        as_table(classes)
    assert str(caught.value) == (
        "Expected `classes` to be a threshold from 0 to 254, or a mapping from greys (0 to 255) "
        "to classes 0, 1, ... without a gap, or to -1 to be ignored. "
        f"Received: classes={classes!r}"
    )


def test_ignored_greys_are_ignored_by_all_that_looks_at_masks(tmp_path):
    """From the files to the loss, the metric and the score: as if their pixels were not there."""
    greys = np.tile(np.array([0, 1, 255], np.uint8), (6, 2))
    for n in range(2):
        for folder, pixels in (("images", greys), ("masks", greys)):
            (tmp_path / folder).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / folder / f"{n}.png"), pixels)
    source = source_of(
        tmp_path, classes={0: 0, 1: 1, 255: -1}, split={"0": "train", "1": "train"}, channels=1
    )
    manifest = records.write(source, tmp_path / "r")
    ((images, masks),) = records.read(manifest, "train", batch_size=2)
    assert masks[0, :, :3, 0].numpy().tolist() == [[0, 1, -1]] * 6
    right = np.where(images.numpy() == 1, [0.0, 1.0], [1.0, 0.0])  # and 255 for class 0
    assert float(train.DiceCrossentropy()(masks, right)) == pytest.approx(0, abs=1e-5)
    metric = keras.metrics.MeanIoU(2, ignore_class=-1, sparse_y_pred=False)
    assert float(metric(masks, right)) == 1
    rows = measures.overlap_rows(right, masks.numpy(), 2)
    assert measures.mean_iou(rows, np.ones((1, 2))).tolist() == [1]


def test_every_class_has_a_name(tmp_path, make_files):
    make_files(tmp_path, PAIRS)
    assert source_of(tmp_path, classes={0: 0, 9: 2, 8: 1}).class_names == ("0", "1", "2")
    with pytest.raises(RequestError) as caught:
        source_of(tmp_path, class_names=["free"])
    assert str(caught.value) == (
        "Expected `class_names` to name every class up to 1. Received: class_names=['free']"
    )


def test_what_does_not_pair_is_an_error(tmp_path, make_files):
    make_files(
        tmp_path, {**PAIRS, "masks/z.png": "y", **{f"images/{n}.png": "x" for n in range(5)}}
    )
    with pytest.raises(RequestError) as caught:
        source_of(tmp_path)
    assert str(caught.value) == (
        "Expected each image to have a mask of the same stem. 5 images have no mask: '0.png', "
        "'1.png', '2.png' and 2 more. 1 masks have no image: 'z.png'. Mend the names, pass "
        '`mask_stem=`, or pass `unpaired="refuse"`.'
    )


def test_how_the_stems_of_all_masks_end_is_said(tmp_path, make_files):
    pairs = {f"images/{n}.jpg": "x" for n in range(12)}
    make_files(tmp_path, {**pairs, **{f"masks/{n}_mask.png": "y" for n in range(11)}})
    with pytest.raises(RequestError) as caught:
        source_of(tmp_path)
    assert str(caught.value).endswith(
        "Mend the names, pass `mask_stem=lambda stem: stem.removesuffix('_mask')`, or pass "
        '`unpaired="refuse"`.'
    )


def test_what_does_not_pair_may_be_refused(tmp_path, make_files):
    make_files(tmp_path, {**PAIRS, "masks/z.png": "y", "images/0.png": "x"})
    examples = {e["id"]: e for e in source_of(tmp_path, unpaired="refuse")}
    refused = {key: e["refused"] for key, e in examples.items() if "refused" in e}
    assert refused == {"0": "there is no mask of this stem", "z": "there is no image of this stem"}
    assert len(examples) == 4
    with pytest.raises(RequestError) as caught:
        source_of(tmp_path, unpaired="refused")
    assert str(caught.value) == (
        "Expected `unpaired` to be one of 'error', 'refuse'. Received: unpaired='refused'. "
        "Did you mean 'refuse'?"
    )


def test_magnetic_tile(shared_data):
    folder = shared_data("magnetic_tile")
    with open(folder / "index.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    source = source_of(
        folder,
        split=records.csv_column(folder / "index.csv", "stem", "split"),
        group=records.csv_column(folder / "index.csv", "stem", "tile_num"),
        channels=1,
    )
    examples = {example["id"]: example for example in source}
    assert collections.Counter(e["split"] for e in examples.values()) == {
        "train": 141, "val": 61, "test": 70,
    }  # fmt: skip
    assert examples.keys() == {row["stem"] for row in rows}
    for row in rows:
        assert examples[row["stem"]]["split"] == row["split"]
        assert examples[row["stem"]]["image"] == folder / row["image"]
        assert examples[row["stem"]]["mask"] == folder / row["mask"]
    assert source.rule == {"by": "given", "given_by": "a mapping", "grouped_by": "a mapping"}


def test_a_folder_is_not_its_own_masks(tmp_path, make_files):
    make_files(tmp_path, {"busi/a.png": "x", "busi/a_mask.png": "y"})
    with pytest.raises(RequestError) as caught:
        records.mask_folder(tmp_path / "busi", f"{tmp_path}/busi/", classes=127)
    assert str(caught.value) == (
        f"Expected `images` and `masks` to be two folders. Received {str(tmp_path / 'busi')!r} for "
        "both. Move the masks to a folder of their own."
    )
