"""A run's folder: one run's settings, one process at a time, finished parts kept.

Example:

    with folder("out/digits", settings) as out:
        ...
"""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
from collections.abc import Iterator, Mapping

from tfpipe.errors import RequestError
from tfpipe.files import Path, write_json

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
    """
    out = pathlib.Path(path)
    settings = json.loads(json.dumps(settings))
    if out.exists() and not out.is_dir():
        raise RequestError(f"Expected {str(out)!r} to be a folder. It is a file.")
    out.mkdir(parents=True, exist_ok=True)
    with _locked(out):
        _refuse_other_content(out, None if overwrite else settings)
        if overwrite:
            _clear(out)
        if not (out / FILE).exists():
            write_json(out / FILE, {"settings": settings})
        yield out


@contextlib.contextmanager
def _locked(out: pathlib.Path) -> Iterator[None]:
    descriptor = os.open(out, os.O_RDONLY)
    try:
        # The kernel lets go of the lock when the process ends, however it ends.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise RequestError(
            f"Another process is at work in {str(out)!r}. Wait for it, or choose another folder."
        ) from None
    finally:
        os.close(descriptor)


def _refuse_other_content(out: pathlib.Path, settings: Mapping[str, object] | None) -> None:
    if not any(out.iterdir()):
        return
    if not (out / FILE).is_file():
        raise RequestError(
            f"{str(out)!r} holds files that are not of a run. Choose an empty or a new folder."
        )
    there = json.loads((out / FILE).read_bytes())["settings"]
    if settings is None or there == settings:
        return
    names = [name for name in {**there, **settings} if there.get(name) != settings.get(name)]
    differences = ", ".join(f"{n}={there.get(n)!r} and not {settings.get(n)!r}" for n in names)
    raise RequestError(
        f"{str(out)!r} holds a run with other settings: {differences}. Choose another folder, or "
        "--overwrite to begin anew."
    )


def _clear(out: pathlib.Path) -> None:
    for entry in out.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
