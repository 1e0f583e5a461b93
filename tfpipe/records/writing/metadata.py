"""TensorFlow Datasets' own description of a records folder, so that its users can open it.

Example:

    builder = tfds.builder_from_directory("records/xray")
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tfpipe.records.manifest import Manifest
from tfpipe.records.sources.base import Feature


def write_tfds_metadata(manifest: Manifest) -> None:
    """Writes `features.json` and `dataset_info.json` into the manifest's folder."""
    import tensorflow_datasets as tfds

    infos = [
        tfds.core.SplitInfo(
            name=name,
            shard_lengths=[shard.num_examples for shard in split.shards],
            num_bytes=split.num_bytes,
        )
        for name, split in manifest.splits.items()
    ]
    supervised = ("image", "label") if {"image", "label"} <= set(manifest.features) else None
    tfds.folder_dataset.write_metadata(
        data_dir=manifest.path,
        features=_features(manifest),
        split_infos=infos,
        description=f"Written by tfpipe: {manifest.name}.",
        supervised_keys=supervised,
        check_data=False,
    )


def _features(manifest: Manifest) -> Any:
    import tensorflow_datasets as tfds

    features: dict[str, Any] = {"id": tfds.features.Text()}
    for key, feature in manifest.features.items():
        features[key] = _MAKERS[feature.kind](tfds.features, feature, list(manifest.class_names))
    if "image" in features:
        features["orientation"] = tfds.features.Scalar(np.int64)
    return tfds.features.FeaturesDict(features)


_MAKERS: dict[str, Callable[[Any, Feature, list[str]], Any]] = {
    "text": lambda f, feature, names: f.Text(),
    "image": lambda f, feature, names: f.Image(shape=feature.shape),
    "mask": lambda f, feature, names: f.Image(shape=(None, None, 1)),
    "label": lambda f, feature, names: f.ClassLabel(names=names),
    "labels": lambda f, feature, names: f.Tensor(shape=feature.shape, dtype=np.int64),
    "boxes": lambda f, feature, names: f.Sequence(f.BBoxFeature()),
    "classes": lambda f, feature, names: f.Sequence(f.ClassLabel(names=names)),
    "sequence": lambda f, feature, names: f.Tensor(shape=feature.shape, dtype=np.float32),
    "target": lambda f, feature, names: f.Tensor(shape=feature.shape, dtype=np.float32),
}
