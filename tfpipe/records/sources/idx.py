"""idx: the file format of MNIST, Fashion-MNIST, KMNIST and their kin.

Source of the format: LeCun, Cortes and Burges, "The MNIST database of handwritten digits":
two zero bytes, a byte for the element type (8: uint8), a byte for the number of axes, one
big-endian uint32 per axis, then the elements.
"""

import gzip
import os
import pathlib
import re
import struct
import zlib
from collections.abc import Iterator

import numpy as np

from tfpipe.errors import DataError, RequestError
from tfpipe.files import Path
from tfpipe.records.sources.arrays import example_ids
from tfpipe.records.sources.assignment import assign
from tfpipe.records.sources.base import Example, Feature, Source, disk_order
from tfpipe.records.sources.division import rule
from tfpipe.records.sources.layouts import explain
from tfpipe.records.sources.listing import loose_files
from tfpipe.records.sources.names import few
from tfpipe.records.sources.splits import Split

FILES = {"train": ("train",), "test": ("t10k", "test")}
GZIP = b"\x1f\x8b"


def idx(
    folder: Path,
    *,
    split: Split | None = (0.95, 0.05),
    seed: int = 0,
    stratify: bool = False,
    transpose: bool | None = None,
    name: str = "idx",
) -> Source:
    """The four idx files of MNIST and its kin.

    Args:
        folder: holds `train-images-idx3-ubyte.gz`, `train-labels-idx1-ubyte.gz` and the two
            `t10k-` files, gzipped or not; also as `train-images.idx3-ubyte`, or as one of EMNIST's
            sets is called (`emnist-letters-train-images-idx3-ubyte.gz`).
        split: fractions of train and val, drawn from the train files; the t10k files are test.
            None: no val.
        seed: another seed gives another split and another order on disk.
        stratify: whether each class is divided by these fractions (see `assign` in
            `tfpipe.records.sources.assignment`); otherwise chance does it.
        transpose: whether rows and columns change places. EMNIST's images are published lying on
            their side, and True sets them upright: for files of that name it must be said.
        name: the dataset's name.

    Returns:
        A source of uint8 images (H, W, 1) and labels. The classes are named by the numbers that
        the files have, in their order: "1" to "26" in EMNIST's letters.

    Raises:
        RequestError: the folder or a file is missing, `split` names the test set, or `transpose`
            is not said of EMNIST.
        DataError: a file is truncated, damaged, or not what its header says.

    Example:

    >>> import tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> images = bytes.fromhex("00000803 00000001 00000001 00000001 ff")  # one, of one pixel
    >>> labels = bytes.fromhex("00000801 00000001 07")
    >>> for part in ("train", "t10k"):
    ...     _ = (folder / f"{part}-images-idx3-ubyte").write_bytes(images)
    ...     _ = (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)
    >>> source = idx(folder, split=None)
    >>> source.class_names, sorted((example["id"], example["image"].tolist()) for example in source)
    (('7',), [('test-000000', [[[255]]]), ('train-000000', [[[255]]])])
    """
    parts = {part: _part(folder, names, transpose) for part, names in FILES.items()}
    numbers = np.unique(np.concatenate([part_labels for _, part_labels in parts.values()]))
    splits = _splits(parts, split, seed, stratify)

    def iterate() -> Iterator[Example]:
        """Both files' images, each in the order on disk that the seed gives."""
        for part, (images, part_labels) in parts.items():
            keys = example_ids(len(images), f"{part}-")
            for index in disk_order(keys, seed):
                yield {
                    "id": keys[index],
                    "split": splits[part][index],
                    "image": images[index, ..., None],
                    "label": int(np.searchsorted(numbers, part_labels[index])),
                }

    shape = (*parts["train"][0].shape[1:], 1)
    features = {"image": Feature("image", shape), "label": Feature("label")}
    how = rule(split, seed, given_by="files", stratified=stratify)
    return Source(name, features, tuple(map(str, numbers.tolist())), how, iterate)


def load_idx(path: Path, *, num_axes: int) -> np.ndarray:
    """Reads one idx file of uint8 elements, gzipped or not.

    Args:
        path: the file.
        num_axes: 3 for images, 1 for labels.

    Raises:
        DataError: what the file holds is not what its header, or `num_axes`, says.
    """
    data = _unzipped(pathlib.Path(path))
    header = 4 + 4 * num_axes
    if len(data) < header:
        raise DataError(path, f"expected an idx header of {header} bytes, found {len(data)} bytes")
    magic = 0x0800 + num_axes
    found = int.from_bytes(data[:4])
    if found != magic:
        raise DataError(
            path,
            f"expected the magic number {magic} of an idx file of {num_axes} axes, found {found}",
        )
    shape = struct.unpack(f">{num_axes}I", data[4:header])
    expected = int(np.prod(shape, dtype=np.int64))
    if len(data) - header != expected:
        raise DataError(
            path, f"expected {expected} bytes for the shape {shape}, found {len(data) - header}"
        )
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def _splits(
    parts: dict[str, tuple[np.ndarray, np.ndarray]], split: Split | None, seed: int, stratify: bool
) -> dict[str, list[str]]:
    """The split of every image, by the files that it is in."""
    splits = assign(
        [
            key
            for part, (images, _) in parts.items()
            for key in example_ids(len(images), f"{part}-")
        ],
        split,
        seed,
        labels=[(int(label),) for _, labels in parts.values() for label in labels]
        if stratify
        else None,
        given=[part for part, (images, _) in parts.items() for _ in images],
    )
    num_train = len(parts["train"][0])
    return {"train": splits[:num_train], "test": splits[num_train:]}


def _part(
    folder: Path, names: tuple[str, ...], transpose: bool | None
) -> tuple[np.ndarray, np.ndarray]:
    image_path = _find(folder, names, "images", 3)
    label_path = _find(folder, names, "labels", 1)
    if transpose is None and image_path.name.startswith("emnist"):
        raise RequestError(
            f"Expected `transpose` for {os.fspath(image_path)!r}: EMNIST's images are published "
            "lying on their side. Pass `transpose=True`, which sets them upright, or "
            "`transpose=False`, which leaves them as they are."
        )
    images = load_idx(image_path, num_axes=3)
    images = images.transpose(0, 2, 1) if transpose else images
    labels = load_idx(label_path, num_axes=1)
    if 0 in images.shape:
        raise DataError(image_path, f"expected images, found the shape {images.shape}")
    if len(images) != len(labels):
        raise DataError(
            label_path, f"expected one label for each of {len(images)} images, found {len(labels)}"
        )
    return images, labels


def _find(folder: Path, names: tuple[str, ...], what: str, num_axes: int) -> pathlib.Path:
    """The one file of this kind; a name may have something in front, and end in .gz."""
    base = pathlib.Path(folder)
    if not base.is_dir():
        raise RequestError(f"Expected a folder with idx files. There is no folder {str(base)!r}.")
    pattern = f"(.*-)?({'|'.join(names)})-{what}[-.]idx{num_axes}-ubyte(.gz)?"
    found = [name for name in loose_files(base) if re.fullmatch(pattern, name)]
    whole = sorted({name.removesuffix(".gz").replace(".", "-") for name in found})
    if len(whole) > 1:
        raise RequestError(
            f"Expected the files of one set in {str(base)!r}. Found: {few(whole)}. Put each set in "
            "a folder of its own."
        )
    if not found:
        stem = f"{names[0]}-{what}-idx{num_axes}-ubyte"
        advice = explain(base, "idx")
        raise RequestError(f"Expected {stem}.gz (or {stem}) in {str(base)!r}. {advice}")
    return base / found[-1]  # the .gz, if both are there


def _unzipped(path: pathlib.Path) -> bytes:
    data = path.read_bytes()
    if path.suffix != ".gz" and not data.startswith(GZIP):
        return data
    try:
        return gzip.decompress(data)
    except EOFError:
        raise DataError(path, "the gzip stream ends early: the file is truncated") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(path, f"not a sound gzip file ({error})") from None
