"""What the data was: the manifest without what only a reader of its shards needs.

Example:

    write_json("out/xray/manifest.json", excerpt(manifest))
"""

import dataclasses
from typing import Any

from tfpipe.records import Manifest


def excerpt(manifest: Manifest) -> dict[str, Any]:
    """Name, features, classes, the split's rule, and of each split its counts and its sums.

    Returns:
        Values that JSON can hold. The sums are the SHA-256 of the shards, in order.
    """
    splits = {
        name: {
            "num_examples": split.num_examples,
            "class_counts": list(split.class_counts),
            "sha256": [shard.sha256 for shard in split.shards],
        }
        for name, split in manifest.splits.items()
    }
    return {
        "name": manifest.name,
        "features": {key: dataclasses.asdict(value) for key, value in manifest.features.items()},
        "class_names": list(manifest.class_names),
        "rule": dict(manifest.rule),
        "splits": splits,
        "num_refused": manifest.num_refused,
        "duplicates": manifest.duplicates["num_contents"],
        "fingerprint": manifest.fingerprint,
    }
