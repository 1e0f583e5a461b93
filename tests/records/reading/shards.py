"""Where a records folder's shards are, and the records in them."""

import struct

from tfpipe import records


def shards(folder, split="train"):
    return [folder / shard.file for shard in records.load(folder).split(split).shards]


def offsets(path):
    """Where each record begins, and at last where the file ends; by TFRecord's description."""
    data, place, found = path.read_bytes(), 0, [0]
    while place < len(data):
        place += 16 + struct.unpack_from("<Q", data, place)[0]
        found.append(place)
    assert place == len(data)
    return found
