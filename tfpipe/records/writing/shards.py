"""TFRecord shards while they are written: finished ones are known again after a crash.

A shard is finished when its facts lie beside it. Both are written aside, synced and renamed,
the facts last.
"""

import array
import contextlib
import dataclasses
import errno
import hashlib
import json
import os
import pathlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import tensorflow as tf

from tfpipe.files import sync, write_bytes, write_json
from tfpipe.records.contents import kind_of
from tfpipe.records.sources.base import Example, Source
from tfpipe.records.writing.encode import Encoded
from tfpipe.records.writing.plan import Plan, PlannedShard, numbered

SETTLE_BYTES = 2**23


@dataclasses.dataclass
class Facts:
    """What a finished shard holds, and what did not get into it.

    `refused` are rows of (id, what was left out, reason); `digests` has a number for each record,
    the same where the contents are, or may be: most of images are sketches. `kinds_px` are the
    sizes of images with each kind of digest: (kind, height, width).
    """

    key: str
    num_examples: int = 0
    num_bytes: int = 0
    sha256: str = ""
    class_counts: Counter[int] = dataclasses.field(default_factory=Counter)
    sizes_px: Counter[tuple[int, int]] = dataclasses.field(default_factory=Counter)
    kinds_px: set[tuple[int, int, int]] = dataclasses.field(default_factory=set)
    refused: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)
    digests: "array.array[int]" = dataclasses.field(default_factory=lambda: array.array("Q"))


_FIELDS = {field.name for field in dataclasses.fields(Facts)} - {"digests"}  # in the JSON file

Finished = dict[str, list[Facts | None]]  # by split and number; None for one still to be written


class ShardWriter:
    """One shard: `add` every planned example, and it is finished with the last."""

    def __init__(self, path: pathlib.Path, planned: PlannedShard):
        self.path = path
        self.planned = planned
        self.facts = Facts(planned.key)
        self.num_inputs = 0
        self.aside = path.with_name(f"{path.name}.aside")
        self.writer = tf.io.TFRecordWriter(str(self.aside))
        self.sha256 = hashlib.sha256()
        self.num_settled = 0  # bytes that are on the disk, and in the sum
        self.unwritten: list[bytes] = []
        self.num_unwritten = 0  # bytes
        self.thread = ThreadPoolExecutor(1)
        self.settling: Future[None] | None = None

    def add(self, example_id: str, encoded: Encoded) -> bool:
        """Adds the next example; returns whether it was the last one."""
        facts = self.facts
        self.num_inputs += 1
        if encoded.refused:
            facts.refused.append((example_id, "example", encoded.refused))
        else:
            self._write(encoded.record)
            facts.num_examples += 1
            facts.class_counts.update(encoded.classes)
            facts.sizes_px[encoded.size_px] += 1
            facts.digests.append(encoded.digest)
            facts.kinds_px.add((kind_of(encoded.digest), *encoded.size_px))
            facts.refused += [(example_id, "part", note) for note in encoded.notes]
        if self.num_inputs < self.planned.num_inputs:
            return False
        self._finish()
        return True

    def _write(self, record: bytes) -> None:
        self.unwritten.append(record)
        self.num_unwritten += len(record)
        if self.num_unwritten >= SETTLE_BYTES:
            self._settle_next()

    def _settle_next(self) -> None:
        with _named(self.aside):
            self._wait()
            self.settling = self.thread.submit(self._settle, self.unwritten)
        self.unwritten, self.num_unwritten = [], 0

    def _wait(self) -> None:
        if self.settling is not None:
            self.settling.result()

    def _settle(self, records: Sequence[bytes]) -> None:
        # Bit by bit, while images are decoded, and not all at the end, when nothing else is done.
        for record in records:
            self.writer.write(record)
        self.writer.flush()
        sync(self.aside)
        with self.aside.open("rb") as file:
            file.seek(self.num_settled)
            while data := file.read(2**20):
                self.sha256.update(data)
            self.num_settled = file.tell()

    def _finish(self) -> None:
        self._settle_next()
        with _named(self.aside):
            self._wait()
            self.writer.close()
            self.thread.shutdown()
        self.facts.sha256 = self.sha256.hexdigest()
        self.facts.num_bytes = self.num_settled
        self.aside.replace(self.path)
        save_facts(self.facts, self.path)


def shard_path(folder: pathlib.Path, split: str, number: int) -> pathlib.Path:
    """Where a shard lies until all are finished, and their number is known."""
    return folder / f"{split}-{number:05d}"


def load_finished(plan: Plan, folder: pathlib.Path) -> Finished:
    """The facts of every planned shard that is finished."""
    return {
        split: [
            load_facts(shard_path(folder, split, n), planned) for n, planned in enumerate(shards)
        ]
        for split, shards in plan.items()
    }


def pending(source: Source, plan: Plan, finished: Finished) -> Iterator[Example]:
    """The examples of the shards that are not finished, each with its shard's number."""
    return (e for e in numbered(source, plan) if finished[e["split"]][e["shard"]] is None)


def all_facts(finished: Finished) -> list[Facts]:
    """The facts of all shards, now that none is missing."""
    return [facts for shards in finished.values() for facts in shards if facts is not None]


def save_facts(facts: Facts, path: pathlib.Path) -> None:
    """Writes the facts of the shard at `path` beside it."""
    value = dataclasses.asdict(facts)
    value["class_counts"] = sorted(facts.class_counts.items())
    value["sizes_px"] = sorted(facts.sizes_px.items())
    value["kinds_px"] = sorted(facts.kinds_px)
    write_bytes(_beside(path, "digests"), value.pop("digests").tobytes())
    write_json(_beside(path, "json"), value)


def load_facts(path: pathlib.Path, planned: PlannedShard) -> Facts | None:
    """The facts of the shard at `path`, if it is finished and is the one that is planned."""
    file = _beside(path, "json")
    if not (file.is_file() and path.is_file()):
        return None
    value: dict[str, Any] = json.loads(file.read_bytes())
    if value["key"] != planned.key or value.keys() != _FIELDS:  # another plan, or version
        file.unlink()  # or it might be taken for that of the shard that is written now
        return None
    value["class_counts"] = Counter(dict(value["class_counts"]))
    value["sizes_px"] = Counter({tuple(size): count for size, count in value["sizes_px"]})
    value["kinds_px"] = {tuple(kind) for kind in value["kinds_px"]}
    value["refused"] = [tuple(row) for row in value["refused"]]
    digests = array.array("Q", _beside(path, "digests").read_bytes())
    return Facts(**value, digests=digests)


def _beside(path: pathlib.Path, suffix: str) -> pathlib.Path:
    return path.with_name(f"{path.name}.{suffix}")


@contextlib.contextmanager
def _named(path: pathlib.Path) -> Iterator[None]:
    """Has what goes wrong name the file, and say what to do."""
    try:
        yield
    except (tf.errors.OpError, OSError) as error:
        if isinstance(error, OSError):
            number, what = error.errno, error.strerror
        else:  # TensorFlow gives no number
            full = os.strerror(errno.ENOSPC) in error.message
            number, what = errno.ENOSPC if full else errno.EIO, error.message
        sentence = f"A shard cannot be written ({what}). Once it can, call again: finished shards"
        raise OSError(number, f"{sentence} are kept", str(path)) from None
