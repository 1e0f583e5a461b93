"""Splits by the lists, or the folders, of Pascal VOC's files."""

import pytest

from tfpipe.errors import RequestError
from tfpipe.records.sources.voc_layout import parts_by_folders, parts_by_lists, voc_layout


def test_folders_are_splits_if_all_are():
    assert parts_by_folders(["train/a", "valid/b"]) == {"train/a": "train", "valid/b": "val"}
    assert parts_by_folders(["train/a", "b"]) is None
    assert parts_by_folders(["train/a", "day1/b"]) is None


def test_lists_of_strangers_are_an_error(tmp_path, make_files):
    make_files(tmp_path, {"val.txt": "a  1\n"})
    assert parts_by_lists(tmp_path, ["a  1"]) == {"a  1": "val"}
    with pytest.raises(RequestError, match="None of 1 is there; the first: 'a  1'"):
        parts_by_lists(tmp_path, ["a"])


def test_folders_that_are_named_are_taken(tmp_path, make_files):
    make_files(tmp_path, {"JPEGImages/a.jpg": "x", "jpg/b.jpg": "x", "Annotations/b.xml": "x"})
    found = voc_layout(tmp_path, "jpg", None)
    assert (list(found.image_of), list(found.xml_of)) == (["b"], ["b"])
