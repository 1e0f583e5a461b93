"""Writes a source as TFRecord shards in a folder that TensorFlow Datasets can open too.

Example:

    manifest = write(source, "records/digits")
"""

import dataclasses
import hashlib
import pathlib
import re
from collections import Counter, defaultdict

import tensorflow as tf

from tfpipe.errors import RequestError
from tfpipe.files import Path, staged
from tfpipe.records import manifest as manifests
from tfpipe.records.codec import encode
from tfpipe.records.manifest import Manifest, Shard, SplitInfo
from tfpipe.records.sources import Source
from tfpipe.records.tfds import describe
from tfpipe.report import progress


def write(source: Source, path: Path, *, shard_bytes: int = 128 * 2**20) -> Manifest:
    """Writes every example of `source` below `path`, and says what was written.

    The folder appears whole or not at all. It holds the shards
    (`name-split.tfrecord-00000-of-00004`), TensorFlow Datasets' own description
    (`features.json`, `dataset_info.json`), and `manifest.json`.

    Args:
        source: what `records.arrays`, `records.idx` and the like return.
        path: the folder to make.
        shard_bytes: a shard is closed when it has reached this size.

    Returns:
        The manifest; `records.load(path)` gives it back.

    Raises:
        RequestError: `path` is there already, or the source holds no example.
    """
    target = pathlib.Path(path)
    if target.exists():
        raise RequestError(f"Expected `path` to be new. {str(target)!r} is there already.")
    with staged(target) as aside:
        aside.mkdir()
        name = re.sub(r"\W+", "_", source.name)
        splits = _write_splits(source, aside, name, shard_bytes)
        manifest = Manifest(
            aside, name, dict(source.features), source.class_names, dict(source.rule), splits
        )
        describe(manifest)
        manifests.save(manifest)
    return dataclasses.replace(manifest, path=target)


def _write_splits(
    source: Source, folder: pathlib.Path, name: str, shard_bytes: int
) -> dict[str, SplitInfo]:
    shards: dict[str, _Shards] = {}
    counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
    with progress("records", None, unit="examples") as bar:
        for example in source:
            split = example["split"]
            if split not in shards:
                shards[split] = _Shards(folder, f"{name}-{split}.tfrecord", shard_bytes)
            shards[split].write(encode(example, source.features))
            counts[split][example["label"]] += 1
            bar.advance()
    if not shards:
        raise RequestError(f"The source {source.name!r} holds no example; nothing was written.")
    labels = range(len(source.class_names))
    return {
        split: SplitInfo(shards[split].close(), tuple(counts[split][label] for label in labels))
        for split in sorted(shards)
    }


class _Shards:
    """The shards of one split while they are written; they get their names when all are there."""

    def __init__(self, folder: pathlib.Path, stem: str, shard_bytes: int):
        self.folder = folder
        self.stem = stem
        self.shard_bytes = shard_bytes
        self.num_examples: list[int] = []
        self.num_bytes = 0
        self.writer: tf.io.TFRecordWriter | None = None

    def write(self, record: bytes) -> None:
        if self.writer is None:
            self.writer = tf.io.TFRecordWriter(str(self._aside(len(self.num_examples))))
            self.num_examples.append(0)
            self.num_bytes = 0
        self.writer.write(record)
        self.num_examples[-1] += 1
        self.num_bytes += len(record) + 16  # a record's length and two checksums
        if self.num_bytes >= self.shard_bytes:
            self._finish()

    def close(self) -> tuple[Shard, ...]:
        self._finish()
        total = len(self.num_examples)
        return tuple(self._shard(number, total) for number in range(total))

    def _finish(self) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None

    def _aside(self, number: int) -> pathlib.Path:
        return self.folder / f"{self.stem}-{number:05d}"

    def _shard(self, number: int, total: int) -> Shard:
        path = self._aside(number).rename(self.folder / f"{self.stem}-{number:05d}-of-{total:05d}")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Shard(path.name, self.num_examples[number], path.stat().st_size, digest)
