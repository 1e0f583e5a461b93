"""`records.show`: pictures with what is known of them, compared with pictures without it."""

import importlib

import cv2
import numpy as np
import pytest

from tfpipe import records
from tfpipe.errors import DataError, RequestError

shows = importlib.import_module("tfpipe.records.reading.show")

IMAGE = records.Feature("image", (None, None, 1))
NAMES = ("cat", "dog", "cow")


def write(path, rows, features, name="pets"):
    rows = [{"id": f"{n:02d}", "split": "train", **row} for n, row in enumerate(rows)]
    source = records.examples(rows, features, class_names=NAMES, name=name)
    return records.write(source, path)


def grey(value, height=40, width=60):
    return np.full((height, width, 1), value, np.uint8)


def labelled(tmp_path):
    """Ten images of the three classes."""
    rows = [{"image": grey(20 * n), "label": n % 3} for n in range(10)]
    return write(tmp_path / "r", rows, {"image": IMAGE, "label": records.Feature("label")})


@pytest.fixture
def sheet(monkeypatch):
    """What is handed on to be put on one sheet: images and captions."""
    found = {}

    def grid(images, captions):
        found.update(images=images, captions=captions)
        return b""

    monkeypatch.setattr(shows, "grid", grid)
    return found


def test_a_picture_of_all_rows(tmp_path):
    manifest = labelled(tmp_path)
    path = records.show(manifest, "train", tmp_path / "new" / "train.png")
    assert path == tmp_path / "new" / "train.png"
    assert [child.name for child in path.parent.iterdir()] == ["train.png"]
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    # At 816 pixels of width: eight columns of 84, each with a gap of 16; images of 60x40 as wide
    # as that, in two rows, with captions of a line.
    scale = picture.shape[1] / 816
    assert picture.shape[0] / scale == pytest.approx(2 * (56 + 15 + 6 + 16) + 16, abs=2)
    middles = [picture[int(scale * 44), int(scale * (58 + 100 * n))] for n in range(8)]
    np.testing.assert_allclose(middles, [20 * n for n in range(8)], atol=1)


def test_labels_are_written_below(tmp_path, sheet):
    records.show(labelled(tmp_path), "train", tmp_path / "a.png")
    assert sheet["captions"] == [NAMES[n % 3] for n in range(10)]
    assert [image[0, 0].tolist() for image in sheet["images"]] == [[20 * n] * 3 for n in range(10)]


@pytest.mark.parametrize(("number", "expected"), [(3, 3), (24, 10)])
def test_so_many_are_drawn(tmp_path, sheet, number, expected):
    records.show(labelled(tmp_path), "train", tmp_path / "a.png", num_examples=number)
    assert len(sheet["images"]) == len(sheet["captions"]) == expected


def test_several_labels_in_a_row(tmp_path, sheet):
    rows = [
        {"image": grey(n), "labels": labels}
        for n, labels in enumerate([[1, 0, 1], [0, 1, 0], [0, 0, 0]])
    ]
    features = {"image": IMAGE, "labels": records.Feature("labels", (3,))}
    records.show(write(tmp_path / "r", rows, features), "train", tmp_path / "a.png")
    assert sheet["captions"] == ["cat, cow", "dog", "none"]


def test_targets_are_written_below(tmp_path, sheet):
    rows = [
        {"image": grey(n), "target": target} for n, target in enumerate([[1, -2.5], [1e6, 1 / 3]])
    ]
    features = {"image": IMAGE, "target": records.Feature("target", (2,))}
    records.show(write(tmp_path / "r", rows, features), "train", tmp_path / "a.png")
    assert sheet["captions"] == ["1, -2.5", "1e+06, 0.3333"]


def test_boxes_are_drawn_where_they_are(tmp_path, sheet):
    rows = [
        {"image": grey(9), "boxes": [[0.25, 0.5, 0.75, 0.9], [0, 0, 1, 1]], "classes": [1, 2]},
        {"image": grey(9, 30), "boxes": [], "classes": []},
        {"image": grey(9, 20), "boxes": [[0.1, 0.1, 0.5, 0.2]] * 2, "classes": [0, 0]},
    ]
    features = {
        "image": IMAGE,
        "boxes": records.Feature("boxes"),
        "classes": records.Feature("classes"),
    }
    records.show(write(tmp_path / "r", rows, features), "train", tmp_path / "a.png")
    assert sheet["captions"] == ["1 dog, 1 cow", "none", "2 cat"]
    expected = np.full((40, 60, 3), 9, np.uint8)
    for top, left, bottom, right, label in ((10, 30, 29, 53, 1), (0, 0, 39, 59, 2)):
        # The outermost pixels of the box.
        for line in (
            np.s_[[top, bottom], left : right + 1],
            np.s_[top : bottom + 1, [left, right]],
        ):
            expected[line] = shows.COLOURS[label]
    np.testing.assert_array_equal(sheet["images"][0], expected)
    assert (sheet["images"][1] == 9).all()
    assert (sheet["images"][2] != 9).any()


def test_masks_are_laid_over(tmp_path, sheet):
    mask = np.zeros((40, 60, 1), np.uint8)
    mask[10:20, 30:50] = 128
    mask[30:, :5] = 255
    mask[30:, 50:] = 9
    table = tuple({0: 0, 9: -1, 128: 1, 255: 2}.get(grey, -2) for grey in range(256))
    features = {"image": IMAGE, "mask": records.Feature("mask", table=table)}
    rows = [{"image": grey(100), "mask": mask}]
    records.show(write(tmp_path / "r", rows, features), "train", tmp_path / "a.png")
    image = sheet["images"][0].astype(int)
    assert (image[mask[..., 0] == 0] == 100).all()
    assert (image[mask[..., 0] == 9] == 25).all()
    for value, label in ((128, 1), (255, 2)):
        half = (np.array([100] * 3) + shows.COLOURS[label]) / 2
        assert np.abs(image[mask[..., 0] == value] - half).max() <= 1
    assert sheet["captions"] == ["00"]


def test_large_images_are_made_smaller(tmp_path, sheet):
    image = grey(50, 900, 600)
    image[:450] = 200
    rows = [{"image": image, "boxes": [[0, 0, 0.5, 1]], "classes": [0]}]
    rows += [{"image": grey(5, 1, 2000), "boxes": [[0, 0, 1, 1]], "classes": [1]}]
    rows += [{"image": grey(6), "boxes": [], "classes": [2][:0]}]
    rows += [{"image": grey(7), "boxes": [[0, 0, 1, 1]], "classes": [2]}]
    features = {"image": IMAGE, "boxes": records.Feature("boxes")}
    features["classes"] = records.Feature("classes")
    records.show(write(tmp_path / "r", rows, features), "train", tmp_path / "a.png")
    shown = sheet["images"][0]
    assert shown.shape == (320, 213, 3)
    assert sheet["images"][1].shape == (1, 320, 3)
    inside = np.unique(shown[1:158, 1:-1])
    assert inside.tolist() == [200]
    assert (shown[159, 1:-1] == shows.COLOURS[0]).all()


def test_colour_images_keep_their_colours(tmp_path, sheet):
    image = np.zeros((5, 6, 3), np.uint8) + np.array([250, 100, 3], np.uint8)
    features = {"image": records.Feature("image", (5, 6, 3)), "label": records.Feature("label")}
    rows = [{"image": image, "label": n} for n in range(3)]
    records.show(write(tmp_path / "r", rows, features), "train", tmp_path / "a.png")
    np.testing.assert_array_equal(sheet["images"][0], image)


def test_texts_cannot_be_shown(tmp_path):
    rows = [{"text": str(n), "label": n} for n in range(3)]
    features = {"text": records.Feature("text"), "label": records.Feature("label")}
    manifest = write(tmp_path / "r", rows, features, name="lines")
    with pytest.raises(RequestError) as caught:
        records.show(manifest, "train", tmp_path / "a.png")
    assert str(caught.value) == "Expected examples with an `image`. 'lines' has none."
    assert not (tmp_path / "a.png").exists()


def test_arguments_that_do_not_fit(tmp_path):
    manifest = labelled(tmp_path)
    with pytest.raises(RequestError) as caught:
        records.show(manifest, "tain", tmp_path / "a.png")
    assert str(caught.value) == (
        "Expected `split` to be one of 'train'. Received: split='tain'. Did you mean 'train'?"
    )
    with pytest.raises(RequestError) as caught:
        records.show(manifest, "train", tmp_path / "a.png", num_examples=0)
    assert str(caught.value) == (
        "Expected `num_examples` to be at least 1. Received: num_examples=0"
    )


def test_damaged_records_are_not_shown(tmp_path):
    manifest = labelled(tmp_path)
    (shard,) = manifest.files("train")
    with open(shard, "r+b") as file:
        file.seek(15)
        file.write(b"?")
    with pytest.raises(DataError) as caught:
        records.show(manifest, "train", tmp_path / "a.png")
    assert str(caught.value) == f"{shard}, record 0: the record is damaged"
