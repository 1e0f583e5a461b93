"""Which folders are splits: by their names, and by what they hold."""

import pytest

from tfpipe.errors import RequestError
from tfpipe.records.sources.parts import parts_in


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["Training", "Testing"], ["train", "test"]),
        (["train", "dev"], ["train", "val"]),
        (["training_set", "test_set"], ["train", "test"]),
        (["seg_train", "seg_test"], ["train", "test"]),
        (["train2017", "val2017"], ["train", "val"]),
        (["train"], ["train"]),
    ],
)
def test_folders_are_splits_by_their_names(tmp_path, make_files, names, parts):
    make_files(tmp_path, {f"{name}/{c}/1.png": "x" for name in names for c in ("a", "b")})
    assert parts_in(tmp_path) == dict(zip(names, parts, strict=True))


@pytest.mark.parametrize(
    "names", [["bus", "train"], ["invalid", "valid"], ["bullet train", "steam train"], ["a", "b"]]
)
def test_folders_of_images_are_classes(tmp_path, make_files, names):
    make_files(tmp_path, {f"{name}/1.png": "x" for name in names})
    assert parts_in(tmp_path) == {}


def test_splits_beside_classes_are_an_error(tmp_path, make_files):
    make_files(tmp_path, {"train/a/1.png": "x", "other/a/1.png": "x"})
    with pytest.raises(RequestError) as caught:
        parts_in(tmp_path)
    assert str(caught.value) == (
        f"Expected the folders in {str(tmp_path)!r} to be either splits or classes. Found the "
        "splits 'train' beside 'other'. Move those away that are not meant."
    )


def test_a_split_without_classes_is_an_error(tmp_path, make_files):
    make_files(tmp_path, {"train/a/1.png": "x", "train/b/1.png": "x", "test/1.png": "x"})
    with pytest.raises(RequestError) as caught:
        parts_in(tmp_path)
    assert str(caught.value) == (
        f"Expected a folder for each class in {str(tmp_path / 'test')!r}. Found: '1.png'. For "
        "images without folders, put their labels in a table and use `image_csv`. Move it away if "
        "its images have no labels."
    )
