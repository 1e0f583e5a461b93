"""Files appear whole or not at all: after exceptions, kills and races too."""

import fcntl
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfpipe import files
from tfpipe.errors import RequestError

KILLED = """
import signal, sys
from tfpipe.files import staged
with staged(sys.argv[1]) as aside:
    file = aside / "part" if sys.argv[2] == "folder" else aside
    file.parent.mkdir(exist_ok=True)
    file.write_text("half")
    print("ready", flush=True)
    signal.pause()
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def locking(folder):
    with pytest.raises(RequestError) as caught, files.locked(folder):
        raise AssertionError("it was locked twice")
    return str(caught.value)


def killed_while_writing(path, kind):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path), kind],
        stdout=subprocess.PIPE,
        cwd=pathlib.Path(files.__file__).parents[1],
    )
    with process:
        assert process.stdout.readline() == b"ready\n"
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def test_a_file_appears_with_its_folders(tmp_path):
    path = files.write_bytes(tmp_path / "a" / "b.bin", b"\x00\xff")
    assert path == tmp_path / "a" / "b.bin"
    assert path.read_bytes() == b"\x00\xff"
    assert names(path.parent) == ["b.bin"]


def test_a_file_takes_the_place_of_another(tmp_path):
    files.write_text(tmp_path / "a.txt", "old")
    files.write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_comes_back_as_it_was(tmp_path_factory, text):
    path = files.write_text(tmp_path_factory.getbasetemp() / "text", text)
    assert path.read_bytes().decode() == text


def test_json_is_indented_and_keeps_letters(tmp_path):
    path = files.write_json(tmp_path / "a.json", {"größe": [1, None]})
    assert path.read_text() == '{\n  "größe": [\n    1,\n    null\n  ]\n}\n'
    assert json.loads(path.read_bytes()) == {"größe": [1, None]}


def test_nothing_is_seen_before_the_block_ends(tmp_path):
    files.write_text(tmp_path / "a.txt", "old")
    with files.staged(tmp_path / "a.txt") as aside:
        aside.write_text("new")
        assert (tmp_path / "a.txt").read_text() == "old"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_exception_the_old_file_stands_and_nothing_else(tmp_path, error):
    files.write_text(tmp_path / "a.txt", "old")

    def write_half():
        with files.staged(tmp_path / "a.txt") as aside:
            aside.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_after_an_exception_there_is_no_new_folder(tmp_path):
    def write_half():
        with files.staged(tmp_path / "folder") as aside:
            (aside / "deep").mkdir(parents=True)
            (aside / "deep" / "a.txt").write_text("half")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        write_half()
    assert names(tmp_path) == []


def test_a_block_that_writes_nothing_leaves_the_old_file(tmp_path):
    files.write_text(tmp_path / "a.txt", "old")
    with pytest.raises(FileNotFoundError), files.staged(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_folder_is_replaced_whole(tmp_path):
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "folder" / "deep" / "old.txt").write_text("old")
    with files.staged(tmp_path / "folder") as aside:
        aside.mkdir()
        (aside / "new.txt").write_text("new")
    assert names(tmp_path) == ["folder"]
    assert names(tmp_path / "folder") == ["new.txt"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("failing", [1, 2])
def test_a_folder_that_cannot_be_replaced_stands_still(tmp_path, monkeypatch, error, failing):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "old.txt").write_text("old")
    replace, calls = os.replace, []

    def fail_once(a, b):
        calls.append(b)
        if len(calls) == failing:
            raise error("stop")
        replace(a, b)

    monkeypatch.setattr(os, "replace", fail_once)
    with pytest.raises(error, match="stop"), files.staged(tmp_path / "folder") as aside:
        aside.mkdir()
    assert names(tmp_path) == ["folder"]
    assert names(tmp_path / "folder") == ["old.txt"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_killed_process_leaves_the_old_content(tmp_path, kind):
    path = tmp_path / "target"
    if kind == "folder":
        path.mkdir()
        (path / "part").write_text("old")
    else:
        path.write_text("old")
    killed_while_writing(path, kind)
    assert (path / "part" if kind == "folder" else path).read_text() == "old"
    assert [left.name.startswith(".target-") for left in files.leftovers(tmp_path)] == [True]


def test_a_killed_process_leaves_no_new_file(tmp_path):
    killed_while_writing(tmp_path / "target", "file")
    assert not (tmp_path / "target").exists()


def test_leftovers_are_only_what_a_kill_left(tmp_path):
    for name in (".a-b.part", "a-12345678.part", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / ".a-12345678.part").write_text("a file")
    assert files.leftovers(tmp_path) == []


def test_everything_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda fd: (events.append(os.readlink(f"/proc/self/fd/{fd}")), fsync(fd))
    )
    monkeypatch.setattr(os, "replace", lambda a, b: (events.append("rename"), replace(a, b)))
    with files.staged(tmp_path / "folder") as aside:
        (aside / "deep").mkdir(parents=True)
        (aside / "deep" / "a.txt").write_text("a")
    before, after = events[: events.index("rename")], events[events.index("rename") + 1 :]
    assert {pathlib.Path(path).name for path in before} == {"folder", "deep", "a.txt"}
    assert after == [str(tmp_path)]


def test_readers_and_writers_at_once_see_whole_files_only(tmp_path):
    contents = [bytes([number]) * 100_000 for number in range(4)]
    path = files.write_bytes(tmp_path / "a.bin", contents[0])

    def write(content):
        for _ in range(5):
            files.write_bytes(path, content)

    writers = [threading.Thread(target=write, args=(content,)) for content in contents]
    for writer in writers:
        writer.start()
    seen = {path.read_bytes() for _ in range(200)}
    for writer in writers:
        writer.join()
    assert seen <= set(contents)
    assert names(tmp_path) == ["a.bin"]


def test_a_lock_is_given_once_and_then_again(tmp_path):
    with files.locked(tmp_path):
        assert locking(tmp_path) == (
            f"Another process is at work in '{tmp_path}'. Wait for it, or choose another folder."
        )
    with files.locked(tmp_path):
        pass


def test_a_folder_that_its_owner_removed_meanwhile_is_not_locked(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    folder.mkdir()
    flock = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", lambda *arguments: (flock(*arguments), folder.rmdir()))
    assert locking(folder).startswith("Another process is at work in")
