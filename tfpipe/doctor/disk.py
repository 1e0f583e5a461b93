"""Whether a folder's disk can be written, and whether it is quick enough to read shards from.

Example:

    disk("data")            # a Finding
"""

import contextlib
import errno
import os
import pathlib
import shutil
import tempfile
import time
from collections.abc import Iterator

from tfpipe.doctor.finding import GOOD, NOTE, WRONG, Finding
from tfpipe.report import human_bytes

SIZE = 64_000_000
BLOCK = 1_000_000
LEAST_FREE = 1_000_000_000
# 4,000 JPEG files of 224x224 pixels, 15 kB each, are what two cores decode in a second.
LEAST_PER_S = 60_000_000
ELSEWHERE = "Choose another folder: --folder DIR"


def disk(folder: str, *, size: int = SIZE) -> Finding:
    """Writes a file of random bytes with fsync, as shards are, and reads it from the disk again.

    Args:
        folder: an existing one; nothing is left in it.
        size: the file's bytes.
    """
    try:
        free = shutil.disk_usage(folder).free
        written_s, read_s = _tried(pathlib.Path(folder), size)
    except OSError as error:
        return _refused(folder, error)
    rates = [int(size / seconds) for seconds in (written_s, read_s)]
    found = (
        f"{folder!r}: {human_bytes(rates[0])}/s written, {human_bytes(rates[1])}/s read, "
        f"{human_bytes(free)} free"
    )
    if free < LEAST_FREE:
        return Finding("disk", WRONG, found, f"Make room. {ELSEWHERE}")
    if min(rates) < LEAST_PER_S:
        todo = "Put the shards on a local disk, or read them once: records.read(cache=True)"
        return Finding("disk", NOTE, found, todo)
    return Finding("disk", GOOD, found)


def _refused(folder: str, error: OSError) -> Finding:
    said = f"{folder!r} cannot be written to: {os.strerror(error.errno or 0)}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Finding("disk", WRONG, said, f"Make room ({human_bytes(LEAST_FREE)}). {ELSEWHERE}")
    return Finding("disk", WRONG, said, ELSEWHERE)


def _tried(folder: pathlib.Path, size: int) -> tuple[float, float]:
    """Seconds of writing and of reading."""
    block = os.urandom(BLOCK)  # a disk that compresses must not find anything to compress
    with _file(folder) as file:
        started = time.perf_counter()
        for _ in range(0, size, BLOCK):
            os.write(file, block)
        os.fsync(file)
        written_s = time.perf_counter() - started
        _forget(file)
        os.lseek(file, 0, os.SEEK_SET)
        started = time.perf_counter()
        while os.read(file, BLOCK):
            pass
        return written_s, time.perf_counter() - started


@contextlib.contextmanager
def _file(folder: pathlib.Path) -> Iterator[int]:
    file, path = tempfile.mkstemp(prefix=".tfpipe-doctor-", dir=folder)
    try:
        yield file
    finally:
        os.close(file)
        os.unlink(path)


def _forget(file: int) -> None:
    """Reading is to come from the disk, not from memory; macOS has no such call."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
