"""A bundle, or a folder of numbered ones: the highest number that can be loaded is served.

Example:

    versions = Versions("models/xray", load)        # models/xray/1, models/xray/2, ...
    engine = versions.newest()                      # None: nothing has changed
"""

import pathlib
from collections.abc import Callable, Mapping
from typing import Protocol

from tfpipe.errors import DataError, RequestError
from tfpipe.export.bundling.bundled import is_bundle
from tfpipe.files import Path
from tfpipe.serve.engine import Engine

Mark = tuple[tuple[str, int, int], ...]


class Load(Protocol):
    """What makes an engine of a folder."""

    def __call__(self, path: pathlib.Path, *, version: int) -> Engine:
        """Raises RequestError or DataError where it cannot."""


class Versions:
    """Looks for versions; not to be used from two threads at once.

    Args:
        folder: a bundle (version 1), or a folder of folders whose names are numbers.
        load: from a folder to an engine.
        told: called for each version that is refused, with its number and why.

    Attributes:
        current: the number that was loaded last; 0 before.
        refused: why, by number.

    Example:

    >>> import tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> (folder / "1").mkdir()
    >>> (folder / "2").mkdir()
    >>> versions = Versions(folder, lambda path, version: f"the engine of {path.name}")
    >>> versions.newest(), versions.current, versions.newest()
    ('the engine of 2', 2, None)
    """

    def __init__(
        self,
        folder: Path,
        load: Load,
        *,
        told: Callable[[int, str], None] = lambda version, why: None,
    ):
        self.folder, self.load, self.told = pathlib.Path(folder), load, told
        self.current = 0
        self.refused: dict[int, str] = {}
        self._marks: dict[int, Mark] = {}

    def newest(self) -> Engine | None:
        """The highest version that can be loaded, if it is not the current one.

        A version that is broken is refused until something in its folder changes: it may have
        been on its way.
        """
        found = numbered(self.folder)
        for gone in self._marks.keys() - found.keys():
            del self._marks[gone], self.refused[gone]
        for version in sorted(found, reverse=True):
            if version == self.current:
                return None
            if engine := self._loaded(version, found[version]):
                self.current = version
                return engine
        return None

    def _loaded(self, version: int, path: pathlib.Path) -> Engine | None:
        mark = _mark(path)
        if self._marks.get(version) == mark:
            return None
        try:
            engine = self.load(path, version=version)
        except (RequestError, DataError, OSError) as error:
            self._marks[version], self.refused[version] = mark, str(error)
            self.told(version, str(error))
            return None
        if version in self._marks:
            del self._marks[version], self.refused[version]
        return engine


def numbered(folder: pathlib.Path) -> Mapping[int, pathlib.Path]:
    """The versions in a folder by their numbers; a bundle is version 1 of itself.

    >>> numbered(pathlib.Path("no such folder"))
    {}
    """
    if is_bundle(folder):
        return {1: folder}
    paths = list(folder.iterdir()) if folder.is_dir() else []
    return {int(p.name): p for p in paths if p.name.isascii() and p.name.isdigit() and p.is_dir()}


def _mark(path: pathlib.Path) -> Mark:
    """Changes when a file in the folder does."""
    marks = []
    for file in sorted(path.rglob("*")):
        try:
            state = file.stat()
        except FileNotFoundError:  # gone in the meantime
            continue
        marks.append((str(file), state.st_size, state.st_mtime_ns))
    return tuple(marks)
