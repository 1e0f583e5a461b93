"""The manifest: what a records folder holds, and the sums that prove it.

Example:

    manifest = load("records/xray")
    manifest.num_classes, manifest.splits["train"].num_examples
"""

import dataclasses
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tfpipe.errors import DataError, RequestError, one_of
from tfpipe.files import Path, write_json
from tfpipe.records.sources.base import Feature

FILE = "manifest.json"
FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Shard:
    """One TFRecord file: its name in the folder, and what it holds."""

    file: str
    num_examples: int
    num_bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class SplitInfo:
    """One split: its shards in order, and how often each class occurs (in how many masks)."""

    shards: tuple[Shard, ...]
    class_counts: tuple[int, ...]

    @property
    def num_examples(self) -> int:
        """Examples in all shards."""
        return sum(shard.num_examples for shard in self.shards)

    @property
    def num_bytes(self) -> int:
        """Bytes of all shards."""
        return sum(shard.num_bytes for shard in self.shards)


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What `records.write` wrote.

    Args:
        path: the folder; any path that `tf.io.gfile` accepts.
        name: the dataset's name.
        features: what an example holds, beside its `id`.
        class_names: one name per class.
        rule: how the splits were made.
        splits: the splits by name.
        num_refused: how many examples were left out; `refused.csv` lists them.
        num_notes: how many parts of examples, such as boxes without area, were left out or cut;
            `refused.csv` lists them, too.
        image_sizes: how many `distinct` ones, the `smallest`, `largest` and `most_common`, in
            pixels (height, width).
        duplicates: `num_contents` that stand in more than one split, and `examples` of them.
        fingerprint: of all that was written and how.
        vocabulary: what `add_vocabulary` found in the texts of the train split.

    Example:

    >>> manifest.class_names, manifest.num_classes, sorted(manifest.splits)
    (('0', '1'), 2, ['test', 'train'])
    """

    path: str
    name: str
    features: Mapping[str, Feature]
    class_names: tuple[str, ...]
    rule: Mapping[str, Any]
    splits: Mapping[str, SplitInfo]
    num_refused: int
    num_notes: int
    image_sizes: Mapping[str, Any]
    duplicates: Mapping[str, Any]
    fingerprint: str
    vocabulary: tuple[str, ...] = dataclasses.field(default=(), repr=False)

    @property
    def num_classes(self) -> int:
        """How many classes the labels tell apart."""
        return len(self.class_names)

    def split(self, name: str) -> SplitInfo:
        """The split of that name.

        Raises:
            RequestError: there is none.
        """
        if name not in self.splits:
            raise RequestError(one_of("split", name, tuple(self.splits)))
        return self.splits[name]

    def files(self, split: str) -> list[str]:
        """The paths of a split's shards, in order.

        Raises:
            RequestError: there is no such split.
        """
        return [f"{self.path}/{shard.file}" for shard in self.split(split).shards]


def save(manifest: Manifest) -> pathlib.Path:
    """Writes `manifest.json` into the manifest's folder and returns its path."""
    value = dataclasses.asdict(manifest)
    del value["path"]
    return write_json(pathlib.Path(manifest.path) / FILE, {"format": FORMAT, **value})


def load(path: Path) -> Manifest:
    """Reads the manifest of a records folder.

    Args:
        path: the folder that `records.write` made; any path that `tf.io.gfile` accepts.

    Returns:
        The manifest that `records.write` returned; the shards are not looked at.

    Raises:
        RequestError: the folder has no manifest.
        DataError: the manifest cannot be understood.

    Example:

    >>> load(manifest.path) == manifest
    True
    """
    folder = os.fspath(path).rstrip("/")
    file = f"{folder}/{FILE}"
    if not tf.io.gfile.exists(file):
        raise RequestError(
            f"Expected a records folder, as `records.write` makes them. There is no {file!r}."
        )
    with tf.io.gfile.GFile(file, "rb") as stream:
        text = stream.read()
    try:
        value = json.loads(text)
        if value.pop("format") != FORMAT:
            raise DataError(
                file, f"expected a manifest of format {FORMAT}; write the records again"
            )
        return _manifest(folder, value)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(file, f"not a manifest that `records.write` wrote ({error!r})") from None


def _manifest(folder: str, value: dict[str, Any]) -> Manifest:
    features = {
        key: Feature(feature["kind"], tuple(feature["shape"]), tuple(feature["table"]))
        for key, feature in value.pop("features").items()
    }
    splits = {
        name: SplitInfo(
            tuple(Shard(**shard) for shard in split["shards"]), tuple(split["class_counts"])
        )
        for name, split in value.pop("splits").items()
    }
    names, vocabulary = tuple(value.pop("class_names")), tuple(value.pop("vocabulary", ()))
    return Manifest(
        path=folder,
        features=features,
        splits=splits,
        class_names=names,
        vocabulary=vocabulary,
        **value,
    )
