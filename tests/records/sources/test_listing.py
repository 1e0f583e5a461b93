"""`records.listing`: every file below a folder, and what is none."""

import os

import pytest

from tfpipe.errors import RequestError
from tfpipe.records.sources.base import Refused
from tfpipe.records.sources.listing import (
    Found,
    by_stem,
    files,
    folders,
    loose_files,
    path_of,
    require_folder,
)


def test_files_are_listed_whatever_they_are_called(tmp_path, make_files):
    names = ["a.png", "b", "c d.txt", "sub/ü.jpg", "sub/deep/line\nbreak.jpg", "sub.v2/x.png"]
    make_files(tmp_path, dict.fromkeys(names, "x"))
    assert [found.id for found in files(tmp_path)] == sorted(names, key=lambda n: n.split("/"))
    assert all(found.problem is None for found in files(tmp_path))


def test_names_that_are_no_text_lead_to_their_files(tmp_path):
    (tmp_path / os.fsdecode(b"\xff\xfe.png")).write_bytes(b"here")
    (found,) = files(tmp_path)
    assert (tmp_path / found.id).read_bytes() == b"here"


def test_what_operating_systems_leave_behind_is_not_listed(tmp_path, make_files):
    names = [
        ".DS_Store",
        "._a.png",
        "Thumbs.db",
        "desktop.ini",
        "__MACOSX/a.png",
        ".git/x",
        "a.png",
    ]
    make_files(tmp_path, dict.fromkeys(names, "x"))
    assert list(files(tmp_path)) == [Found("a.png")]
    assert (folders(tmp_path), loose_files(tmp_path)) == ([], ["a.png"])


def test_what_is_no_file_is_listed_with_the_reason(tmp_path, make_files):
    make_files(tmp_path, {"sub/a.png": "x", "x.JPG/b.png": "x"})
    (tmp_path / "sub" / "back").symlink_to(tmp_path)
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link.png").symlink_to(tmp_path / "sub" / "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    assert list(files(tmp_path)) == [
        Found("gone.png", "a link to nothing"),
        Found("itself", "a link to nothing"),
        Found("link.png"),
        Found("pipe.png", "not a regular file"),
        Found("sub/a.png"),
        Found("sub/back", "a link back to a folder that it is in"),
        Found("x.JPG", "a folder, not a file"),
    ]


def test_a_link_to_a_folder_around_the_listed_one_is_none(tmp_path, make_files):
    make_files(tmp_path, {"a/1.png": "x", "b/1.png": "x"})
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "c").symlink_to(tmp_path)
    assert list(files(tmp_path / "a")) == [
        Found("1.png"),
        Found("up", "a link back to a folder that it is in"),
    ]
    assert list(files(tmp_path / "c")) == [Found("", "a link back to a folder that it is in")]


def test_a_link_to_another_folder_is_followed(tmp_path, make_files):
    make_files(tmp_path, {"there/a.png": "x"})
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "there")
    assert list(files(tmp_path / "here")) == [Found("link/a.png")]


def test_a_folder_that_cannot_be_listed_is_a_problem(tmp_path, make_files, monkeypatch):
    make_files(tmp_path, {"shut/a.png": "x", "z.png": "x"})
    scandir = os.scandir

    def refuse(path):
        # The tests may run as root, whom permissions do not stop.
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert list(files(tmp_path)) == [
        Found("shut", "a folder that cannot be listed: Permission denied"),
        Found("z.png"),
    ]


def test_a_folder_that_is_missing_is_an_error(tmp_path, make_files):
    make_files(tmp_path, {"a": "x"})
    for name, there in (("a", "That is a file"), ("b", "There is nothing")):
        with pytest.raises(RequestError) as caught:
            require_folder(tmp_path / name, "images")
        expected = f"Expected `images` to be a folder. {there}: {str(tmp_path / name)!r}"
        assert str(caught.value) == expected


def test_stems_keep_their_folders(tmp_path, make_files):
    make_files(tmp_path, {"day.1/a.b.png": "x", "c_mask.png": "x"})
    assert by_stem(tmp_path, "masks", lambda stem: stem.removesuffix("_mask")) == {
        "day.1/a.b": Found("day.1/a.b.png"),
        "c": Found("c_mask.png"),
    }


def test_two_files_of_one_stem_are_an_error(tmp_path, make_files):
    make_files(tmp_path, {"a.jpg": "x", "a.png": "x"})
    with pytest.raises(RequestError) as caught:
        by_stem(tmp_path, "images")
    assert str(caught.value) == (
        f"Expected one file for each stem in {str(tmp_path)!r}. Found 'a.jpg' and 'a.png'. "
        "Move what is not meant to another folder."
    )


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(RequestError) as caught:
        by_stem(tmp_path, "masks")
    assert str(caught.value) == f"Expected files in {str(tmp_path)!r} (`masks`). Found none."


def test_a_stem_without_a_file_is_refused(tmp_path):
    stems = {"a": Found("a.png"), "b": Found("b.png", "not a regular file")}
    assert path_of("a", stems, tmp_path, "mask") == tmp_path / "a.png"
    for stem, reason in (("b", "the mask 'b.png' is not a regular file"),
                         ("c", "there is no mask of this stem")):  # fmt: skip
        with pytest.raises(Refused) as caught:
            path_of(stem, stems, tmp_path, "mask")
        assert str(caught.value) == reason
