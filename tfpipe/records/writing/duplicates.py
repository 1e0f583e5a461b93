"""The same content in two splits, which makes every later score too good."""

import pathlib
import warnings
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfpipe.records.manifest import Manifest
from tfpipe.records.sources.base import Source
from tfpipe.records.writing.shards import Finished, shard_path
from tfpipe.records.writing.sketches import in_two, settle_sketches

SHOWN = 20


def across_splits(source: Source, finished: Finished, folder: pathlib.Path) -> dict[str, object]:
    """Finds decoded contents that stand in more than one split.

    Returns:
        `num_contents`, how many there are, and `examples`, for the first 20 of them the
        "split: id" of where each one stands.
    """
    digests = {
        split: np.concatenate([np.frombuffer(f.digests, np.uint64) for f in shards if f])
        for split, shards in finished.items()
    }
    if "image" in source.features and len(digests) > 1:
        settle_sketches(source.features, digests, finished, folder)
    shared = in_two(digests)
    shown = [
        [
            f"{split}: {_example_id(finished, folder, split, int(place))}"
            for split in digests
            for place in np.flatnonzero(digests[split] == content)
        ]
        for content in shared[:SHOWN].tolist()
    ]
    return {"num_contents": len(shared), "examples": shown}


def warn_of_duplicates(manifest: Manifest) -> None:
    """Warns if the same content stands in two splits, with the names."""
    count = manifest.duplicates["num_contents"]
    if not count:
        return
    names = "; ".join(map(_told, manifest.duplicates["examples"][:3]))
    more = f" and {count - 3:,} more" if count > 3 else ""
    warnings.warn(
        "Contents that stand in more than one split make scores too good. "
        f"Found {count:,}: {names}{more}. Split by `group`, or remove them.",
        stacklevel=3,
    )


def _told(places: Sequence[str]) -> str:
    """Up to four of the places, the first of each split among them."""
    first = list({place.split(":")[0]: place for place in reversed(places)}.values())[::-1]
    some = [*first, *(place for place in places if place not in first)][:4]
    more = f" and {len(places) - len(some):,} more" if len(places) > len(some) else ""
    return " = ".join(some) + more


def _example_id(finished: Finished, folder: pathlib.Path, split: str, place: int) -> str:
    for number, facts in enumerate(finished[split]):
        if facts is None or place >= facts.num_examples:
            place -= facts.num_examples if facts else 0
            continue
        records = tf.data.TFRecordDataset(str(shard_path(folder, split, number)))
        record = next(records.skip(place).as_numpy_iterator())
        feature = tf.train.Example.FromString(record).features.feature["id"]
        return feature.bytes_list.value[0].decode("utf-8", "surrogateescape")
    raise IndexError(place)
