"""Files and folders that appear whole or not at all: written aside, synced, renamed.

Example:

    write_text(path, text)          write_bytes(path, data)        write_json(path, value)
    with staged(path) as aside:     # a path to write to; it becomes `path` when the block ends well
"""

import contextlib
import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

Path = str | os.PathLike[str]


@contextlib.contextmanager
def staged(path: Path) -> Iterator[pathlib.Path]:
    """Gives a path beside `path`; what is written there takes its place when the block ends well.

    A file or a folder may be written. After an exception nothing is left, and what stood at
    `path` before stands there still.

    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> with staged(folder / "a.txt") as aside:
    ...     _ = aside.write_text("whole")
    >>> (folder / "a.txt").read_text()
    'whole'
    """
    target = pathlib.Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    room = pathlib.Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        aside = room / target.name
        yield aside
        _sync(aside)
        _replace(aside, target, room)
        _sync_entry(target.parent)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def write_bytes(path: Path, data: bytes) -> pathlib.Path:
    """Writes a whole file and returns its path."""
    with staged(path) as aside:
        aside.write_bytes(data)
    return pathlib.Path(path)


def write_text(path: Path, text: str) -> pathlib.Path:
    """Writes a whole UTF-8 text file and returns its path."""
    return write_bytes(path, text.encode())


def write_json(path: Path, value: object) -> pathlib.Path:
    """Writes a whole JSON file, indented for reading, and returns its path."""
    return write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _replace(aside: pathlib.Path, target: pathlib.Path, room: pathlib.Path) -> None:
    # A folder cannot be renamed onto a folder that is not empty: the old one steps aside first.
    if target.is_dir() and not target.is_symlink():
        os.replace(target, room / "replaced")
    os.replace(aside, target)


def _sync(path: pathlib.Path) -> None:
    for entry in sorted(path.rglob("*")) if path.is_dir() else []:
        if entry.is_file():
            _sync_entry(entry)
    _sync_entry(path)


def _sync_entry(path: pathlib.Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
