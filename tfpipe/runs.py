"""A run's folder: one run's settings, one process at a time, finished parts kept.

Example:

    with folder("out/digits", settings) as out:
        ...
"""

import contextlib
import contextvars
import dataclasses
import importlib.metadata
import json
import pathlib
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from tfpipe.cores import num_cores
from tfpipe.errors import DataError, RequestError
from tfpipe.files import Path, leftovers, locked, write_json

FILE = "run.json"
MOST_DIFFERENCES = 6

# When the job that is running began, and whether an earlier process had begun the same run.
_begun: contextvars.ContextVar[tuple[float, bool] | None] = contextvars.ContextVar(
    "_begun", default=None
)


@contextlib.contextmanager
def folder(
    path: Path,
    settings: Mapping[str, object],
    *,
    overwrite: bool = False,
    anew: str = "--overwrite to begin anew",
) -> Iterator[pathlib.Path]:
    """Makes the folder of a run, or opens it again to continue a run of the same settings.

    Args:
        path: the folder.
        settings: what the run was started with, JSON values; kept in `run.json`.
        overwrite: begin anew where a run's folder is there already.
        anew: the words that say how the caller's user begins anew.

    Yields:
        The path.

    Raises:
        RequestError: the folder holds a run of other settings, or files of no run, or another
            process is at work in it.
        DataError: its `run.json` is damaged.

    Example:

    >>> import tempfile
    >>> with folder(tempfile.mkdtemp() + "/run", {"epochs": 3}) as out:
    ...     load_settings(out)
    {'epochs': 3}
    """
    out = pathlib.Path(path)
    settings = json.loads(json.dumps(settings))
    if out.exists() and not out.is_dir():
        raise RequestError(f"Expected {str(out)!r} to be a folder. It is a file.")
    out.mkdir(parents=True, exist_ok=True)
    with locked(out):
        _refuse_other_content(out, None if overwrite else settings, anew)
        for left in leftovers(out):  # by a process that was killed
            shutil.rmtree(left)
        if overwrite:
            _clear(out)
        if overwrite or not (out / FILE).exists():
            write_json(out / FILE, {"settings": settings})
        yield out


@contextlib.contextmanager
def job(flags: Any, page: str) -> Iterator[tuple[pathlib.Path, bool]]:
    """The folder of a pipeline's run, and whether the run is finished there.

    Says so where it is finished; otherwise says in the end how long it took, on how many cores.
    Says in any case where the pictures are. Within it, `time_taken` tells the time so far.

    Args:
        flags: a dataclass with `out`, the folder, and `overwrite`; all else are the run's settings.
        page: the page with the pictures, by its path in the folder: what the job writes last.

    Yields:
        The path, and whether the page is there.

    Raises:
        RequestError, DataError: as `folder`.
    """
    chosen = {k: v for k, v in dataclasses.asdict(flags).items() if k not in ("out", "overwrite")}
    continued = (pathlib.Path(flags.out) / FILE).exists() and not flags.overwrite
    token = _begun.set((time.monotonic(), continued))
    try:
        with folder(flags.out, chosen, overwrite=flags.overwrite) as out:
            finished = (out / page).exists()
            if finished:
                print(f"{out} holds this run, finished; --overwrite runs it again.")
            yield out, finished
            print(f"{'' if finished else f'{time_taken()}. '}Pictures: {out / page}")
    finally:
        _begun.reset(token)


def time_taken() -> str:
    """How long the job that is running has taken so far; "" where none is running.

    Of a run that was interrupted it is this process' part, and the words say so.

    >>> time_taken()
    ''
    """
    begun = _begun.get()
    if begun is None:
        return ""
    at, continued = begun
    cores = f"{num_cores()} core{'' if num_cores() == 1 else 's'}"
    since = ", since it was continued" if continued else ""
    return f"{time.monotonic() - at:.0f} s on {cores}{since}"


def environment() -> dict[str, object]:
    """What a run depends on beside its settings: command, versions, commit, machine.

    >>> sorted(environment())
    ['command', 'commit', 'packages', 'platform', 'python', 'uncommitted_changes']
    """
    packages = ("tfpipe", "tensorflow", "keras", "numpy")
    found = {name: _version(name) for name in packages}
    return {
        "command": sys.argv,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": found,
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain", "--untracked-files=no")),
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None  # used from its sources


def _git(*arguments: str) -> str | None:
    """What git says about the current folder; None where it is no repository, or git is none."""
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run([git, *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def _refuse_other_content(
    out: pathlib.Path, settings: Mapping[str, object] | None, anew: str
) -> None:
    if not set(out.iterdir()) - set(leftovers(out)):
        return
    if not (out / FILE).is_file():
        raise RequestError(
            f"{str(out)!r} holds files that are not of a run. Choose an empty or a new folder."
        )
    there = load_settings(out)
    if settings is None or there == settings:
        return
    names = [name for name in {**there, **settings} if there.get(name) != settings.get(name)]
    parts = [f"{n}={there.get(n)!r} and not {settings.get(n)!r}" for n in names[:MOST_DIFFERENCES]]
    more = len(names) - len(parts)
    differences = ", ".join(parts) + (f", and {more} more" if more else "")
    raise RequestError(
        f"{str(out)!r} holds a run with other settings: {differences}. Choose another folder, or "
        f"{anew}."
    )


def load_settings(path: Path) -> dict[str, object]:
    """What the run in a folder was started with.

    Raises:
        DataError: its `run.json` is missing or damaged.
    """
    file = pathlib.Path(path) / FILE
    try:
        return dict(json.loads(file.read_bytes())["settings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(file, f"not the settings of a run ({error!r})") from None


def _clear(out: pathlib.Path) -> None:
    if any(out.iterdir()):
        write_json(out / FILE, {"settings": {}})  # nobody continues what is cleared by half
    for entry in set(out.iterdir()) - {out / FILE}:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
