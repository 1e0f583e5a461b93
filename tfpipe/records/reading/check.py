"""Whether shards are what their manifest says: sums first, and record by record where they differ.

Example:

    for problem in check("records/xray"):
        print(problem)                      # path, record number, what is wrong
"""

import contextlib
import hashlib
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import tensorflow as tf

from tfpipe.errors import DataError
from tfpipe.files import Path
from tfpipe.records.manifest import Manifest, Shard, load
from tfpipe.report import progress
from tfpipe.report.bars import Bar

CHUNK_BYTES = 2**22
LONG_BYTES = 2**30  # what takes a second or more to read gets a bar
FRAME_BYTES = 16  # a record's length (8), the length's checksum (4), the data's checksum (4)

_known: dict[tuple[str, int, int], str] = {}  # sums of files that have not changed since


class Record(NamedTuple):
    """A record in a file: its number from 0, its data, or None if it is damaged."""

    number: int
    data: bytes | None


def check(path: Path) -> list[DataError]:
    """Reads every shard of a records folder and compares it with the manifest.

    Args:
        path: the folder that `records.write` made.

    Returns:
        What is wrong: missing shards, damaged records by number, shards of another origin. An
        empty list if all is well.

    Raises:
        RequestError: there is no manifest.
        DataError: the manifest itself is damaged.

    Example:

    >>> check(manifest.path)
    []
    """
    manifest = load(path)
    _known.clear()  # a file that rots keeps its date
    return [problem for split in manifest.splits for problem in problems(manifest, split)]


def problems(manifest: Manifest, split: str) -> list[DataError]:
    """The same for one split; a file that has not changed since is not read again."""
    shards = manifest.split(split).shards
    found: list[DataError] = []
    with ThreadPoolExecutor(8) as threads, _bar(manifest, split) as bar:
        for problem in threads.map(lambda shard: _problems(manifest, shard), shards):
            found += problem
            if bar:
                bar.advance()
    return found


def records_of(path: str) -> Iterator[Record]:
    """The records of a TFRecord file in order, damaged ones too, as far as they can be told apart.

    After a record whose length is damaged, nothing can be found any more; that record is the
    last one, without data.
    """
    with tf.io.gfile.GFile(path, "rb") as file:
        content = file.read()
    place = number = 0
    while place < len(content):
        for data in _sound(content[place:]):
            yield Record(number, data)
            place += FRAME_BYTES + len(data)
            number += 1
        if place == len(content):
            return
        yield Record(number, None)
        number += 1
        length = _length(content[place : place + 12])
        if length is None:
            return
        place += FRAME_BYTES + length


def _bar(manifest: Manifest, split: str) -> contextlib.AbstractContextManager[Bar | None]:
    info = manifest.split(split)
    if info.num_bytes < LONG_BYTES:
        return contextlib.nullcontext()
    return progress(f"checking {split}", len(info.shards), unit="shards")


def _problems(manifest: Manifest, shard: Shard) -> list[DataError]:
    path = f"{manifest.path}/{shard.file}"
    if not tf.io.gfile.exists(path):
        return [DataError(path, "the manifest names this shard, and it is not there")]
    if _sha256(path) == shard.sha256:
        return []
    records = list(records_of(path))
    damaged = [record.number for record in records if record.data is None]
    found = [DataError(path, "the record is damaged", record=number) for number in damaged]
    # After a damaged record, others may be beyond reach; too many are wrong in any case.
    if len(records) > shard.num_examples or (not damaged and len(records) < shard.num_examples):
        expected = f"expected {shard.num_examples} records by the manifest, found {len(records)}"
        found.append(DataError(path, expected))
    foreign = "its records are sound, but not the ones that the manifest describes"
    return found or [DataError(path, foreign)]


def _sha256(path: str) -> str:
    facts = tf.io.gfile.stat(path)
    key = (path, facts.length, facts.mtime_nsec)
    if key not in _known:
        digest = hashlib.sha256()
        with tf.io.gfile.GFile(path, "rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
        _known[key] = digest.hexdigest()
    return _known[key]


def _sound(content: bytes) -> Iterator[bytes]:
    """The records from the beginning of `content` up to the first one that is damaged."""
    # TensorFlow checks the sums, and reads from files only: here one in memory.
    name = f"ram://tfpipe-check-{id(content)}"
    with tf.io.gfile.GFile(name, "wb") as file:
        file.write(content)
    try:
        yield from tf.data.TFRecordDataset(name).as_numpy_iterator()
    except tf.errors.DataLossError:
        return
    finally:
        tf.io.gfile.remove(name)


def _length(header: bytes) -> int | None:
    """A record's length by its header; None if the header is cut or its checksum does not fit."""
    if len(header) < 12:
        return None
    length, masked = struct.unpack("<QI", header)
    return length if masked == _masked_crc32c(header[:8]) else None


def _masked_crc32c(data: bytes) -> int:
    """TFRecord's checksum. Source: RFC 3720, B.4 (CRC-32C), and TensorFlow's record format."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
