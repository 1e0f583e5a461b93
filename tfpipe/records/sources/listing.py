"""Lists the files below a folder, and says what among them is no file.

What operating systems leave behind is not listed: names that begin with a dot (`.DS_Store`,
`._scan.png`), `Thumbs.db`, `desktop.ini`, `__MACOSX`, `@eaDir`. Everything else is, whatever its
name ends in.

Example:

    for id, problem in files("data/xray/covid"): ...
"""

import os
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from tfpipe.errors import RequestError
from tfpipe.files import Path
from tfpipe.records.sources.base import Refused
from tfpipe.records.sources.names import few

SYSTEM = {"thumbs.db", "desktop.ini", "__macosx", "@eadir"}
IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")


class Found(NamedTuple):
    """A file by its name relative to the folder, with "/"; `problem` says why it is none."""

    id: str
    problem: str | None = None


def files(folder: Path) -> Iterator[Found]:
    """All files below a folder, sorted; links are followed, but not in a circle.

    >>> import tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "b.png").write_bytes(b""), (folder / ".hidden").write_bytes(b"")
    >>> (folder / "a.jpg").mkdir()
    >>> list(files(folder))
    [Found(id='a.jpg', problem='a folder, not a file'), Found(id='b.png', problem=None)]
    """
    path = pathlib.Path(folder)
    # A link to a folder around this one would list its neighbours, and this one again.
    around = {*path.absolute().parents, *path.resolve().parents}
    return _files(os.fspath(folder), "", frozenset(_identity(each) for each in around))


def folders(folder: Path) -> list[str]:
    """The names of the folders in a folder, sorted."""
    return [entry.name for entry in _entries(os.fspath(folder)) if os.path.isdir(entry.path)]


def loose_files(folder: Path) -> list[str]:
    """The names of what lies directly in a folder and is no folder itself, sorted."""
    return [entry.name for entry in _entries(os.fspath(folder)) if not os.path.isdir(entry.path)]


def one_file(path: Path) -> pathlib.Path:
    """The file of this name, or the only one in its folder that a pattern in its name fits.

    >>> import tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "rt-polarity.neg").write_bytes(b"")
    >>> one_file(folder / "*neg*").name
    'rt-polarity.neg'

    Raises:
        RequestError: the pattern fits no file, or several.
    """
    file = pathlib.Path(path)
    if file.exists() or not set(file.name) & set("*?["):
        return file
    found = sorted(file.parent.glob(file.name)) if file.parent.is_dir() else []
    if len(found) != 1:
        names = few([each.name for each in found]) or "none"
        raise RequestError(f"Expected one file that {os.fspath(path)!r} fits. Found: {names}")
    return found[0]


def require_folder(path: Path, argument: str) -> pathlib.Path:
    """Checks that there is a folder of this name.

    Raises:
        RequestError: there is none.
    """
    folder = pathlib.Path(path)
    if not folder.is_dir():
        there = "That is a file" if folder.exists() else "There is nothing"
        raise RequestError(f"Expected `{argument}` to be a folder. {there}: {str(folder)!r}")
    return folder


def by_stem(
    folder: Path,
    argument: str,
    rename: Callable[[str], str] | None = None,
    *,
    only: Callable[[str], bool] | None = None,
) -> dict[str, Found]:
    """The files below a folder by their stems: their names, with folders, without what ends them.

    Args:
        folder: the folder.
        argument: what the user calls it.
        rename: from a file's stem to the one that it is listed by.
        only: whether a file of this name counts.

    Raises:
        RequestError: there is no such folder, it is empty, or two files have the same stem.
    """
    found: dict[str, Found] = {}
    for file in files(require_folder(folder, argument)):
        if only is not None and not only(file.id):
            continue
        stem = os.path.splitext(file.id)[0]
        stem = rename(stem) if rename else stem
        if stem in found:
            raise RequestError(
                f"Expected one file for each stem in {os.fspath(folder)!r}. Found "
                f"{found[stem].id!r} and {file.id!r}. Move what is not meant to another folder."
            )
        found[stem] = file
    if not found:
        raise RequestError(f"Expected files in {os.fspath(folder)!r} (`{argument}`). Found none.")
    return found


def path_of(stem: str, files: Mapping[str, Found], folder: Path, what: str) -> pathlib.Path:
    """The path of a stem's file.

    Raises:
        Refused: there is none, or it is no file.
    """
    if stem not in files:
        raise Refused(f"there is no {what} of this stem")
    if files[stem].problem:
        raise Refused(f"the {what} {files[stem].id!r} is {files[stem].problem}")
    return pathlib.Path(folder) / files[stem].id


def is_image_name(name: str) -> bool:
    """Whether a file of this name claims to be an image."""
    return name.lower().endswith(IMAGES)


def _files(folder: str, prefix: str, around: frozenset[tuple[int, int]]) -> Iterator[Found]:
    here = _identity(folder)
    if here in around:
        yield Found(prefix[:-1], "a link back to a folder that it is in")
        return
    try:
        entries = _entries(folder)
    except OSError as error:
        yield Found(prefix[:-1], f"a folder that cannot be listed: {error.strerror}")
        return
    for entry in entries:
        name = prefix + entry.name
        # Without following links first: that costs no look at the file itself.
        if entry.is_file(follow_symlinks=False) or os.path.isfile(entry.path):
            yield Found(name)
        elif not os.path.isdir(entry.path):
            yield Found(name, "a link to nothing" if entry.is_symlink() else "not a regular file")
        elif is_image_name(entry.name):
            yield Found(name, "a folder, not a file")
        else:
            yield from _files(entry.path, f"{name}/", around | {here})


def _identity(folder: Path) -> tuple[int, int]:
    facts = os.stat(folder)
    return facts.st_dev, facts.st_ino


def _entries(folder: str) -> list["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        wanted = [entry for entry in entries if not _is_left_behind(entry.name)]
    return sorted(wanted, key=lambda entry: entry.name)


def _is_left_behind(name: str) -> bool:
    return name.startswith(".") or name.lower() in SYSTEM
