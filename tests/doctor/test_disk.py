"""A folder that cannot be written, a full disk and a slow one are told apart; nothing is left."""

import errno
import itertools
import os
import shutil
import types

import pytest

from tfpipe.doctor.disk import disk

MB = 1_000_000


def test_a_good_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: types.SimpleNamespace(free=5000 * MB))
    ticks = itertools.chain([0.0, 0.01, 1.0, 1.005])
    monkeypatch.setattr("time.perf_counter", ticks.__next__)
    found = disk(str(tmp_path), size=4 * MB)
    rates = "400.0 MB/s written, 800.0 MB/s read"
    assert (found.state, found.todo) == ("good", "")
    assert found.found == f"{str(tmp_path)!r}: {rates}, 5.0 GB free"
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_synced(tmp_path, monkeypatch):
    sizes = []
    monkeypatch.setattr(os, "fsync", lambda file: sizes.append(os.fstat(file).st_size))
    disk(str(tmp_path), size=3 * MB)
    assert sizes == [3 * MB]


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="macOS has no such call")
def test_what_is_read_comes_from_the_disk(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(os, "posix_fadvise", lambda file, *more: told.append(more))
    disk(str(tmp_path), size=MB)
    assert told == [(0, 0, os.POSIX_FADV_DONTNEED)]


def test_a_slow_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("time.perf_counter", itertools.count().__next__)
    found = disk(str(tmp_path), size=2 * MB)
    assert found.state == "note"
    assert "2.0 MB/s written, 2.0 MB/s read" in found.found
    assert found.todo == (
        "Put the shards on a local disk, or read them once: records.read(cache=True)"
    )


def test_almost_no_room(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: types.SimpleNamespace(free=900 * MB))
    found = disk(str(tmp_path), size=MB)
    assert (found.state, found.todo) == (
        "wrong",
        "Make room. Choose another folder: --folder DIR",
    )


def test_no_room(tmp_path, monkeypatch):
    def full(file):
        raise OSError(errno.ENOSPC, "there is none")

    monkeypatch.setattr(os, "fsync", full)
    found = disk(str(tmp_path), size=MB)
    assert found.state == "wrong"
    assert found.found == f"{str(tmp_path)!r} cannot be written to: No space left on device"
    assert found.todo == "Make room (1.0 GB). Choose another folder: --folder DIR"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "why"), [("missing", "No such file or directory"), ("file", "Not a directory")]
)
def test_a_folder_that_is_none(tmp_path, name, why):
    (tmp_path / "file").touch()
    found = disk(str(tmp_path / name))
    assert (found.state, found.todo) == ("wrong", "Choose another folder: --folder DIR")
    assert found.found == f"{str(tmp_path / name)!r} cannot be written to: {why}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else(tmp_path):
    tmp_path.chmod(0o500)
    found = disk(str(tmp_path))
    assert (found.state, found.found) == (
        "wrong",
        f"{str(tmp_path)!r} cannot be written to: Permission denied",
    )
