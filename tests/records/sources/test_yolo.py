"""`records.yolo_boxes`: images with boxes in text files."""

import collections

import numpy as np
import pytest

from tfpipe import records
from tfpipe.errors import RequestError
from tfpipe.records.sources.base import Refused
from tfpipe.records.sources.yolo import parse

YAML = "train: images/train\ntest: images/test\nnames: [cat, dog]\n"


@pytest.fixture
def root(tmp_path, make_files):
    return make_files(
        tmp_path,
        {
            "data.yaml": YAML,
            "images/train/a.jpg": "x",
            "labels/train/a.txt": "1 0.5 0.5 1 1\n\n0 0.25 0.5 0.5 0.2\n",
            "images/test/b.jpg": "x",
            "images/test/c.jpg": "x",
            "labels/test/c.txt": "0 0.5\n",
        },
    )


def test_boxes_come_from_the_labels_beside_the_images(root):
    source = records.yolo_boxes(root / "data.yaml", name="pets")
    examples = {example["id"]: example for example in source}
    train = examples["images/train/a.jpg"]
    assert (train["split"], train["image"]) == ("train", root / "images/train/a.jpg")
    np.testing.assert_allclose(train["boxes"], [[0, 0, 1, 1], [0.4, 0, 0.6, 0.5]], rtol=1e-6)
    assert train["classes"].tolist() == [1, 0]
    assert examples["images/test/b.jpg"]["boxes"].shape == (0, 4), "no file: no objects"
    assert examples["images/test/c.jpg"] == {
        "id": "images/test/c.jpg",
        "split": "test",
        "refused": "c.txt, line 1: expected 5 numbers, or those of a polygon, found 2",
    }
    assert source.class_names == ("cat", "dog")
    assert source.rule == {"by": "given", "given_by": "data.yaml", "grouped_by": None}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"0 0.5 0.5 0.1", "expected 5 numbers, or those of a polygon, found 4"),
        (b"0 0.5 0.5 0.1 0.1 0.9", "expected 5 numbers, or those of a polygon, found 6"),
        (b"0 0 0 0 1 1 1 1", "expected 5 numbers, or those of a polygon, found 8"),
        (b"0 0 0 0 1 1 2", "expected fractions from 0 to 1, found 2"),
        (b"cat 0.5 0.5 0.1 0.1", "expected 5 numbers, found 'cat 0.5 0.5 0.1 0.1'"),
        (b"0 \xff 0.5 0.1 0.1", "expected 5 numbers, found '0 \ufffd 0.5 0.1 0.1'"),
        (b"2 0.5 0.5 0.1 0.1", "expected a class from 0 to 1, found 2"),
        (b"0.5 0.5 0.5 0.1 0.1", "expected a class from 0 to 1, found 0.5"),
        (b"0 0.5 320 0.1 0.1", "expected fractions from 0 to 1, found 320"),
        (b"0 0.5 0.5 nan 0.1", "expected fractions from 0 to 1, found nan"),
        (b"0 -0.1 0.5 0.1 0.1", "expected fractions from 0 to 1, found -0.1"),
    ],
)
def test_a_malformed_line_is_refused(tmp_path, text, reason):
    path = tmp_path / "a.txt"
    path.write_bytes(b"0 0.5 0.5 0.1 0.1\n" + text)
    with pytest.raises(Refused) as caught:
        parse(path, ["cat", "dog"])
    assert str(caught.value) == f"a.txt, line 2: {reason}"


def test_a_polygon_is_the_box_around_it(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("1 0.2 0.5 0.4 0.1 0.3 0.9\n0 0.5 0.5 0.2 0.2\n0 0.5 0.1 0.5 0.2 0.5 0.3\n")
    example = parse(path, ["cat", "dog"])
    np.testing.assert_allclose(example["boxes"], [[0.1, 0.2, 0.9, 0.4], [0.4, 0.4, 0.6, 0.6]])
    assert example["classes"].tolist() == [1, 0]
    assert example["notes"] == ("box 3, 'cat', has no area: [0.5, 0.1, 0.5, 0.2, 0.5, 0.3]",)


def test_a_class_may_have_no_box(tmp_path, make_files):
    make_files(tmp_path, {"data.yaml": YAML, "images/train/a.jpg": "x", "images/test/b.jpg": "x",
                          "labels/train/a.txt": "0 .5 .5 .1 .1"})  # fmt: skip
    assert records.yolo_boxes(tmp_path / "data.yaml").declared


def test_a_label_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(Refused) as caught:
        parse(tmp_path, ["cat"])
    assert str(caught.value) == f"{tmp_path.name} cannot be read: Is a directory"


def test_boxes_without_area_or_beyond_the_image_are_noted(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("0 0.5 0.5 0 0.1\n0 0.9 0.5 0.4 0.2\n0 0.000001 0.5 0.000004 1\n")
    example = parse(path, ["cat"])
    assert example["notes"] == (
        "box 1, 'cat', has no area: [0.5, 0.5, 0, 0.1]",
        "box 2, 'cat', reaches beyond the image and is cut to it: [0.9, 0.5, 0.4, 0.2]",
    )
    np.testing.assert_allclose(example["boxes"][0], [0.4, 0.7, 0.6, 1])


def test_train_is_divided_by_group_and_class(tmp_path, make_files):
    names = [f"{n:02d}" for n in range(40)]
    make_files(
        tmp_path,
        {
            "data.yaml": YAML,
            "images/test/x.jpg": "x",
            **{f"images/train/{name}.jpg": "x" for name in names},
            **{f"labels/train/{name}.txt": f"{int(name) % 2} .5 .5 .1 .1" for name in names[:-1]},
            "labels/train/39.txt": "broken",
        },
    )
    source = records.yolo_boxes(
        tmp_path / "data.yaml",
        split=(0.5, 0.5),
        group=lambda key: int(key[-6:-4]) // 2 if "train" in key else key,
        stratify=True,
    )
    parts = {example["id"]: example["split"] for example in source}
    assert collections.Counter(parts.values()) == {"train": 20, "val": 20, "test": 1}
    for n in range(0, 40, 2):
        pair = [parts[f"images/train/{n + k:02d}.jpg"] for k in (0, 1)]
        assert pair[0] == pair[1]
    assert source.rule["by"] == "fractions of train"


def test_no_label_file_at_all_is_an_error(tmp_path, make_files):
    make_files(tmp_path, {"data.yaml": YAML, "images/train/a.jpg": "x", "images/test/b.jpg": "x"})
    with pytest.raises(RequestError) as caught:
        records.yolo_boxes(tmp_path / "data.yaml")
    assert str(caught.value) == (
        f"Expected label files for the images of {str(tmp_path / 'data.yaml')!r}. None of 2 images "
        f"has one; the first would be {str(tmp_path / 'labels/train/a.txt')!r}"
    )
