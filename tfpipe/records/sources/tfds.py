"""TensorFlow Datasets: its datasets as a source.

Example:

    source = from_tfds("mnist")
"""

import difflib
import socket
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

from tfpipe.errors import RequestError
from tfpipe.files import Path
from tfpipe.records.sources.arrays import example_ids
from tfpipe.records.sources.assignment import assign
from tfpipe.records.sources.base import Example, Feature, Source
from tfpipe.records.sources.division import rule
from tfpipe.records.sources.splits import Split

OURS = {"train": "train", "validation": "val", "val": "val", "test": "test"}
FRACTIONS = (0.95, 0.05)


def from_tfds(
    name: str,
    *,
    split: Split | None = None,
    seed: int = 0,
    data_dir: Path | None = None,
) -> Source:
    """An image classification dataset of TensorFlow Datasets, downloaded where it is not there.

    Args:
        name: as `tfds.builder` takes it: "mnist", "cifar10", "beans/0.1.0".
        split: fractions that divide the dataset's train split; they may only name parts that
            the dataset does not have. None: as given and, where there is no validation split,
            (0.95, 0.05) of train and val. Splits of other names ("unlabeled") are not taken.
        seed: another seed gives another split.
        data_dir: where TensorFlow Datasets keeps its files; its own default if None.

    Returns:
        A source of the images' encoded bytes and their labels.

    Raises:
        RequestError: there is no such dataset, it cannot be downloaded, it does not have an
            `image` and a `label`, or `split` names a part that it has.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> from tfpipe import records
    >>> source = records.arrays(np.zeros((4, 8, 8), np.uint8), np.arange(4) % 2, split={"train": 1})
    >>> root = tempfile.mkdtemp()  # of data that TensorFlow Datasets has prepared already
    >>> _ = records.write(source, f"{root}/dots/1.0.0")
    >>> sorted(example["label"] for example in from_tfds("dots", data_dir=root))
    [0, 0, 1, 1]
    """
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.registered.DatasetNotFoundError:
        near = difflib.get_close_matches(name.split("/")[0], tfds.list_builders(), n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise RequestError(f"TensorFlow Datasets has no dataset {name!r}.{meant}") from None
    except (ValueError, AssertionError) as error:  # no such version or configuration
        problem = str(error).strip().splitlines()[0]
        raise RequestError(f"TensorFlow Datasets cannot give {name!r}: {problem}") from None
    features = _features(builder)
    _download(builder)
    given = [part for part in builder.info.splits if part in OURS]
    if split is None and "val" not in [OURS[part] for part in given]:
        split = FRACTIONS
    keys = {part: example_ids(builder.info.splits[part].num_examples, f"{part}-") for part in given}
    splits = assign(
        [key for part in given for key in keys[part]],
        split,
        seed,
        given=[OURS[part] for part in given for _ in keys[part]],
    )

    def iterate() -> Iterator[Example]:
        places = iter(splits)
        for part in given:
            for key, example in zip(keys[part], _encoded(builder, part), strict=True):
                yield {"id": key, "split": next(places), **example}

    how = rule(split, seed, given_by="TensorFlow Datasets")
    names = tuple(builder.info.features["label"].names)
    return Source(builder.name, features, names, how, iterate)


def _features(builder: Any) -> dict[str, Feature]:
    there = builder.info.features
    if not {"image", "label"} <= set(there) or not hasattr(there["label"], "names"):
        raise RequestError(
            f"Expected a dataset with an `image` and a `label`. {builder.name!r} has: "
            + ", ".join(sorted(there))
        )
    return {"image": Feature("image", tuple(there["image"].shape)), "label": Feature("label")}


def _download(builder: Any) -> None:
    import tensorflow_datasets as tfds

    if not builder.data_path.exists():
        _require_network(builder)
    try:
        builder.download_and_prepare()
    except (OSError, tfds.download.DownloadError) as error:
        raise RequestError(_no_download(builder, str(error))) from error


def _require_network(builder: Any) -> None:
    # Without this look-up, TFDS repeats each hopeless download for minutes.
    if urllib.request.getproxies():
        return
    # None for a dataset whose builder does not record what it downloads.
    for url in builder.url_infos or ():
        host = urllib.parse.urlparse(url).hostname
        try:
            socket.getaddrinfo(host, None)
        except OSError:
            raise RequestError(_no_download(builder, f"the host {host} is not found")) from None


def _no_download(builder: Any, reason: str) -> str:
    place = str(builder.data_path)
    return (
        f"The dataset {builder.name!r} is not in {place!r} and cannot be downloaded ({reason}). "
        "Connect to a network, or copy the prepared dataset there."
    )


def _encoded(builder: Any, part: str) -> Iterator[Example]:
    import tensorflow_datasets as tfds

    dataset = builder.as_dataset(split=part, decoders={"image": tfds.decode.SkipDecoding()})
    for example in tfds.as_numpy(dataset):
        yield {"image": example["image"], "label": int(example["label"])}
