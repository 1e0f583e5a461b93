"""What is going to be written, before anything is: which examples go into which shard.

A first pass over the source looks at names and sizes only. Each planned shard has a key, made
from all that goes into it, so that a shard that an interrupted run finished is known again.

A file counts by its path as the source was given it, its size and its time of change: contents
are read once, when they are written. The path has to be in it: of two folders unpacked from
archives, files of the same name often agree in size and time too, and those of one would pass
for the other's. The price is that files that were moved are written anew, unless their path is
relative and still leads to them.
"""

import array
import dataclasses
import hashlib
import itertools
import pathlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from tfpipe.errors import RequestError
from tfpipe.records.sources.base import Example, Source
from tfpipe.records.sources.splits import as_split_name


@dataclasses.dataclass(frozen=True)
class PlannedShard:
    """The examples, by count, that go into one shard, and a key of all that they are."""

    num_inputs: int
    key: str


Plan = dict[str, list[PlannedShard]]  # by split, in the order in which the examples come


class _Open:
    """A shard while the pass over the source is in it."""

    def __init__(self, salt: str):
        self.num_inputs = 0
        self.num_bytes = 0
        self.hash = hashlib.blake2b(salt.encode(), digest_size=16)


def make_plan(source: Source, *, salt: str, shard_bytes: int) -> Plan:
    """Passes over the source once.

    Args:
        source: what is going to be written.
        salt: whatever else decides a shard's bytes.
        shard_bytes: a shard is closed when what goes into it has reached this size.

    Raises:
        RequestError: there is no example, two have the same id, or a split's name cannot be
            part of a file name.
    """
    plan: Plan = {}
    open_shards: dict[str, _Open] = {}
    ids = array.array("Q")
    for example in source:
        split = example["split"]
        shard = open_shards.setdefault(split, _Open(salt))
        shard.num_inputs += 1
        shard.num_bytes += _add(shard.hash, example)
        ids.append(_hash(example["id"]))
        if shard.num_bytes >= shard_bytes:
            plan.setdefault(split, []).append(_closed(open_shards.pop(split)))
    for split, shard in open_shards.items():
        plan.setdefault(split, []).append(_closed(shard))
    if not plan:
        raise RequestError(f"The source {source.name!r} holds no example; nothing was written.")
    for split in plan:
        as_split_name(split)
    _require_unique(source, ids)
    return dict(sorted(plan.items()))


def numbered(source: Source, plan: Plan) -> Iterator[Example]:
    """The source's examples, each with the number of its split's `shard` that it goes into.

    Raises:
        RequestError: they are not those that were planned.
    """
    places = {split: _places(shards) for split, shards in plan.items()}
    for example in source:
        number = next(places.get(example["split"], iter(())), None)
        if number is None:
            raise RequestError(_changed(source))
        yield {**example, "shard": number}
    if any(next(left, None) is not None for left in places.values()):
        raise RequestError(_changed(source))


def fingerprint(plan: Plan) -> str:
    """One key for the whole plan.

    >>> len(fingerprint({"train": [PlannedShard(2, "ab")]}))
    32
    """
    text = repr([(split, [shard.key for shard in shards]) for split, shards in plan.items()])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _places(shards: list[PlannedShard]) -> Iterator[int]:
    for number, shard in enumerate(shards):
        yield from itertools.repeat(number, shard.num_inputs)


def _changed(source: Source) -> str:
    return (
        f"The source {source.name!r} gave other examples when it was iterated over again. It must "
        "give the same ones, in the same order, every time."
    )


def _closed(shard: _Open) -> PlannedShard:
    return PlannedShard(shard.num_inputs, shard.hash.hexdigest())


def _add(digest: Any, example: Example) -> int:
    """Adds all that an example is to the hash; a file by its path, size and time of change."""
    num_bytes = 0
    for key in sorted(example):
        value = example[key]
        if isinstance(value, pathlib.Path):
            size, changed = _stat(value)
            digest.update(f"{key}={value!s}:{size}:{changed};".encode("utf-8", "surrogateescape"))
            num_bytes += size
        elif isinstance(value, np.ndarray):
            digest.update(f"{key}={value.dtype}{value.shape}".encode() + value.tobytes())
            num_bytes += value.nbytes
        else:
            text = repr(value).encode("utf-8", "surrogateescape")
            digest.update(f"{key}=".encode() + text + b";")
            num_bytes += len(text)
    return num_bytes


def _stat(path: pathlib.Path) -> tuple[int, int]:
    try:
        facts = path.stat()
    except (OSError, ValueError):
        return 0, 0  # the example will be refused when its turn comes
    return facts.st_size, facts.st_mtime_ns


def _hash(text: str) -> int:
    data = text.encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())


def _require_unique(source: Source, ids: "array.array[int]") -> None:
    hashes = np.sort(np.frombuffer(ids, np.uint64))
    repeated = set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())
    if not repeated:
        return
    seen = Counter(example["id"] for example in source if _hash(example["id"]) in repeated)
    key, count = seen.most_common(1)[0]
    raise RequestError(
        f"Expected every example of {source.name!r} to have an id of its own. "
        f"Received: {count} examples with id={key!r}"
    )
