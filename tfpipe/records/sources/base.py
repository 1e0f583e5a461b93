"""What a source is: lazy, re-iterable examples, ready for `records.write`.

An example is a flat dict: `id`, `split`, and what the source's features name. Instead of a
feature's value there may be a `pathlib.Path`: the bytes of that file, read when they are needed.

    id          a string, unique in the source
    split       "train", "val", "test", ...
    refused     instead of the features: why this example cannot be used
    notes       what was left out of an example that is used, in words
    size_px     (height, width) that the image must turn out to have

Example:

    source = from_entries("pets", entries, load, features=..., class_names=..., rule=..., seed=0)
    for example in source: ...
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfpipe.errors import RequestError
from tfpipe.records.sources.splits import position

Example = dict[str, Any]

KINDS = ("text", "image", "mask", "label", "labels", "boxes", "classes", "sequence", "target")


@dataclasses.dataclass(frozen=True)
class Feature:
    """What one key of an example holds.

    Args:
        kind: one of

            - "text": a string.
            - "image": encoded bytes, or uint8 pixels (H, W, C), which are stored as PNG.
            - "mask": an encoded grey image of the image's size; `table` gives its classes.
            - "label": an int, the class.
            - "labels": ints 0 or 1, one per class; the shape is (number of classes,).
            - "boxes": floats (N, 4): y1, x1, y2, x2 as fractions of the height and width.
            - "classes": N ints, the classes of the boxes.
            - "sequence": floats (T, C).
            - "target": a finite float, or k of them: what a regression or a forecast should give.
        shape: an image's (height, width, channels), None for a size that varies; a sequence's
            (T, C); a target's (k,), or () for a single float.
        table: a mask's class for each grey from 0 to 255; -1 for pixels that are ignored, -2
            for a grey that must not occur.

    Example:

    >>> Feature("image", (None, None, 3))
    Feature(kind='image', shape=(None, None, 3), table=())
    """

    kind: str
    shape: tuple[int | None, ...] = ()
    table: tuple[int, ...] = ()

    @property
    def channels(self) -> int:
        """What an image is decoded to: 1 (grey), or 3 (colours), also where its shape is silent.

        >>> Feature("image", (None, None, 1)).channels
        1
        """
        return self.shape[-1] or 3


def as_image(channels: int) -> Feature:
    """The feature of images of any size.

    >>> as_image(1).shape
    (None, None, 1)

    Raises:
        RequestError: `channels` is neither 1 nor 3.
    """
    if channels not in (1, 3):
        raise RequestError(
            f"Expected `channels` to be 1 (grey) or 3 (colours). Received: channels={channels!r}"
        )
    return Feature("image", (None, None, channels))


@dataclasses.dataclass(frozen=True)
class Source:
    """Examples to be written; iterating over it again gives the same ones again.

    Args:
        name: a short name; the shards carry it.
        features: what an example holds, beside `id` and `split`.
        class_names: one name per class.
        rule: how the split was made; the manifest keeps it.
        iterate: returns a new iterator over the examples.
        declared: whether `class_names` come from somewhere else than the examples, so that boxes
            of a class may be missing, and nothing is wrong.

    Example:

    >>> rows = [{"id": "a", "split": "train", "text": "a joy"}]
    >>> source = Source("one", {"text": Feature("text")}, (), {}, iterate=lambda: iter(rows))
    >>> [example["text"] for example in source]
    ['a joy']
    """

    name: str
    features: Mapping[str, Feature]
    class_names: tuple[str, ...]
    rule: Mapping[str, object]
    iterate: Callable[[], Iterator[Example]]
    declared: bool = False

    def __iter__(self) -> Iterator[Example]:
        return self.iterate()


def has_classes(source: Source) -> bool:
    """Whether the examples are labelled with classes as wholes, or in boxes."""
    return any(
        feature.kind in ("label", "labels", "classes") for feature in source.features.values()
    )


class Entry(NamedTuple):
    """An example by name: all that a source keeps in memory; `data` is what `load` needs."""

    id: str
    split: str
    data: Any


class Refused(Exception):
    """Raised by a source's `load`: this example cannot be used, and why."""


def from_entries(
    name: str,
    entries: Sequence[Entry],
    load: Callable[[Any], Example],
    *,
    features: Mapping[str, Feature],
    class_names: Sequence[str],
    rule: Mapping[str, object],
    seed: int,
) -> Source:
    """A source that knows its examples by name, and loads each one when it comes to it.

    Args:
        name: the dataset's name.
        entries: the examples' names and splits, in any order.
        load: from an entry's `data` to the values of the features; may raise `Refused`.
        features: what `load` returns.
        class_names: one name per class.
        rule: how the splits were made.
        seed: for the order on disk: shuffled, so that a shard is a fair sample of sorted files.
    """
    order = disk_order((entry.id for entry in entries), seed)

    def iterate() -> Iterator[Example]:
        for index in order:
            entry = entries[index]
            yield {"id": entry.id, "split": entry.split, **_loaded(load, entry)}

    return Source(name, dict(features), tuple(class_names), dict(rule), iterate)


def disk_order(ids: Iterable[str], seed: int) -> np.ndarray:
    """The indices in the order on disk, in which an example's place depends on its id and the seed.

    >>> sorted(disk_order(["a", "b", "c"], seed=0).tolist())
    [0, 1, 2]
    """
    places = np.fromiter((position(key, seed, purpose="order") for key in ids), np.float64)
    return np.argsort(places, kind="stable")


def _loaded(load: Callable[[Any], Example], entry: Entry) -> Example:
    try:
        return load(entry.data)
    except Refused as reason:
        return {"refused": str(reason)}
