"""A run's folder: one run's settings, one process at a time, finished parts kept.

Example:

    with folder("out/digits", settings) as out:
        ...
"""

import contextlib
import json
import pathlib
import shutil
from collections.abc import Iterator, Mapping

from tfpipe.errors import DataError, RequestError
from tfpipe.files import Path, leftovers, locked, write_json

FILE = "run.json"


@contextlib.contextmanager
def folder(
    path: Path, settings: Mapping[str, object], *, overwrite: bool = False
) -> Iterator[pathlib.Path]:
    """Makes the folder of a run, or opens it again to continue a run of the same settings.

    Args:
        path: the folder.
        settings: what the run was started with, JSON values; kept in `run.json`.
        overwrite: begin anew where a run's folder is there already.

    Yields:
        The path.

    Raises:
        RequestError: the folder holds a run of other settings, or files of no run, or another
            process is at work in it.
        DataError: its `run.json` is damaged.
    """
    out = pathlib.Path(path)
    settings = json.loads(json.dumps(settings))
    if out.exists() and not out.is_dir():
        raise RequestError(f"Expected {str(out)!r} to be a folder. It is a file.")
    out.mkdir(parents=True, exist_ok=True)
    with locked(out):
        _refuse_other_content(out, None if overwrite else settings)
        for left in leftovers(out):  # by a process that was killed
            shutil.rmtree(left)
        if overwrite:
            _clear(out)
        if overwrite or not (out / FILE).exists():
            write_json(out / FILE, {"settings": settings})
        yield out


def _refuse_other_content(out: pathlib.Path, settings: Mapping[str, object] | None) -> None:
    if not set(out.iterdir()) - set(leftovers(out)):
        return
    if not (out / FILE).is_file():
        raise RequestError(
            f"{str(out)!r} holds files that are not of a run. Choose an empty or a new folder."
        )
    there = _settings(out / FILE)
    if settings is None or there == settings:
        return
    names = [name for name in {**there, **settings} if there.get(name) != settings.get(name)]
    differences = ", ".join(f"{n}={there.get(n)!r} and not {settings.get(n)!r}" for n in names)
    raise RequestError(
        f"{str(out)!r} holds a run with other settings: {differences}. Choose another folder, or "
        "--overwrite to begin anew."
    )


def _settings(path: pathlib.Path) -> dict[str, object]:
    try:
        return dict(json.loads(path.read_bytes())["settings"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(path, f"not the settings of a run ({error!r})") from None


def _clear(out: pathlib.Path) -> None:
    if any(out.iterdir()):
        write_json(out / FILE, {"settings": {}})  # nobody continues what is cleared by half
    for entry in set(out.iterdir()) - {out / FILE}:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
