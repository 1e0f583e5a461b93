"""Files and folders that appear whole or not at all: written aside, synced, renamed.

Example:

    write_text(path, text)          write_bytes(path, data)        write_json(path, value)
    with staged(path) as aside:     # a path to write to; it becomes `path` when the block ends well
"""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

from tfpipe.errors import RequestError

Path = str | os.PathLike[str]

_SUFFIX = ".part"


@contextlib.contextmanager
def staged(path: Path) -> Iterator[pathlib.Path]:
    """Gives a path beside `path`; what is written there takes its place when the block ends well.

    A file or a folder may be written. After an exception nothing is left, and what stood at
    `path` before stands there still.

    A file takes the place of another in one step. A folder that takes the place of another needs
    two renames, since systems replace no folder that is not empty: a process killed between them
    leaves nothing at `path`, and both folders, whole, in the hidden one that `leftovers` finds.

    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> with staged(folder / "a.txt") as aside:
    ...     _ = aside.write_text("whole")
    >>> (folder / "a.txt").read_text()
    'whole'
    """
    target = pathlib.Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    room = pathlib.Path(
        tempfile.mkdtemp(prefix=f".{target.name}-", suffix=_SUFFIX, dir=target.parent)
    )
    try:
        aside = room / target.name
        yield aside
        sync(aside)
        _replace(aside, target, room)
        sync_entry(target.parent)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def write_bytes(path: Path, data: bytes) -> pathlib.Path:
    """Writes a whole file and returns its path.

    >>> write_bytes(tempfile.mkdtemp() + "/a.bin", b"whole").read_bytes()
    b'whole'
    """
    with staged(path) as aside:
        aside.write_bytes(data)
    return pathlib.Path(path)


def write_text(path: Path, text: str) -> pathlib.Path:
    """Writes a whole UTF-8 text file and returns its path.

    >>> write_text(tempfile.mkdtemp() + "/a.txt", "whole").read_text()
    'whole'
    """
    return write_bytes(path, text.encode())


def write_json(path: Path, value: object) -> pathlib.Path:
    """Writes a whole JSON file, indented for reading, and returns its path.

    >>> json.loads(write_json(tempfile.mkdtemp() + "/a.json", {"epochs": 3}).read_text())
    {'epochs': 3}
    """
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    # What is no text in a file's name is a lone surrogate in Python; \udcff is JSON's word for it.
    return write_bytes(path, text.encode("utf-8", "backslashreplace"))


def leftovers(folder: Path) -> list[pathlib.Path]:
    """What `staged` left in a folder where it was killed; only for a folder nobody else writes to.

    >>> leftovers(tempfile.mkdtemp())
    []
    """
    found = pathlib.Path(folder).glob(f".*-????????{_SUFFIX}")
    return sorted(path for path in found if path.is_dir())


@contextlib.contextmanager
def locked(folder: pathlib.Path) -> Iterator[None]:
    """Keeps other processes that ask for the same lock out of a folder.

    Raises:
        RequestError: another process has it.

    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> with locked(folder), locked(folder):
    ...     pass
    Traceback (most recent call last):
    tfpipe.errors.RequestError: Another process is at work in ...
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def sync(path: pathlib.Path) -> None:
    """Waits until a file, or a folder and all that is in it, is on the disk."""
    for entry in (*path.rglob("*"), path):  # folders too: they hold the names of what is in them
        sync_entry(entry)


def sync_entry(path: pathlib.Path) -> None:
    """Waits until one file, or the names in one folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: pathlib.Path) -> None:
    try:
        # The kernel lets go of the lock when the process ends, however it ends.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The process that had the lock may have removed the folder.
        gone = not folder.exists() or not os.path.samestat(os.fstat(descriptor), folder.stat())
    except BlockingIOError:
        gone = True
    if gone:
        raise RequestError(
            f"Another process is at work in {str(folder)!r}. Wait for it, or choose another folder."
        )


def _replace(aside: pathlib.Path, target: pathlib.Path, room: pathlib.Path) -> None:
    old = room / "replaced"
    try:
        if target.is_dir() and not target.is_symlink():
            os.replace(target, old)
        os.replace(aside, target)
    finally:
        if old.exists() and not target.exists():
            os.replace(old, target)
