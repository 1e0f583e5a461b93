"""Images with their labels in a table, as a source: one label for each, or several.

Example:

    source = image_csv(
        "labels.csv", "images", image_column="file", label_column="class", split=(0.7, 0.2, 0.1)
    )
"""

import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from tfpipe.errors import RequestError
from tfpipe.files import Path
from tfpipe.records.sources.assignment import assign
from tfpipe.records.sources.base import (
    Entry,
    Example,
    Feature,
    Refused,
    Source,
    as_image,
    from_entries,
)
from tfpipe.records.sources.columns import (
    given_parts,
    not_of_row,
    of_row,
    read_table,
    require_one_origin,
    require_unique,
    table_rule,
)
from tfpipe.records.sources.labels import as_indices
from tfpipe.records.sources.listing import require_folder
from tfpipe.records.sources.names import dataset_name, few
from tfpipe.records.sources.rows import Cell
from tfpipe.records.sources.splits import Split


def image_csv(
    csv: Path,
    images: Path | Sequence[Path],
    *,
    image_column: Cell,
    label_column: Cell,
    separator: str | None = None,
    empty: str | None = None,
    class_names: Sequence[str] | None = None,
    split: Split | Mapping[str, str] | Cell | None = None,
    lists: Mapping[str, Path] | None = None,
    seed: int = 0,
    group: Cell | None = None,
    stratify: bool = False,
    channels: int = 3,
    name: str | None = None,
) -> Source:
    """Images with their labels in a table: a row for each image, comma- or (.tsv) tab-separated.

    Wherever a column is named, a function of the row (a dict from column to cell) may stand
    instead: `image_column=lambda row: row["image_id"] + ".jpg"`.

    Args:
        csv: the table; its first row is the header.
        images: the folder, or folders, that hold the files.
        image_column: the column of the files' names, which are the ids.
        label_column: the column of the labels.
        separator: what stands between the labels of an image: "|" in "Mass|Nodule". Given one,
            an example has `labels`, one 0 or 1 per class, instead of a `label`.
        empty: the label that stands for none of the classes, such as "No Finding".
        class_names: the classes in their order; if None, those in the table, sorted.
        split: fractions of train, val and test, or a dict of them; or the column of the splits,
            or a mapping from id to split. None: as in `lists`, or (0.7, 0.2, 0.1).
        lists: official splits: for each, a text file with an id on each line. Fractions then
            divide the train list: `split=(0.9, 0.1), lists={"train": ..., "test": ...}`.
        seed: another seed gives another split and another order on disk.
        group: the column of what must not be divided, such as the patient.
        stratify: whether each class is divided by these fractions (see `assign` in
            `sources.assignment`); otherwise chance does it, and a new row moves no other.
        channels: 3 or 1, to which the images will be decoded.
        name: the dataset's name; the table's file name if None.

    Returns:
        A source of encoded images and their `label` or `labels`. A row whose file is missing is
        refused when it is written.

    Raises:
        RequestError: a file, folder or column is missing, a row is in no list or split, or
            none of the files is there.
        DataError: a row's label is unknown or its id or group empty, two rows have the same id,
            an id is in two lists, or the table cannot be read.

    Example:

    >>> import tempfile
    >>> root = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (root / "a.png").write_bytes(b"..."), (root / "b.png").write_bytes(b"...")
    >>> _ = (root / "t.csv").write_text("file,findings\\na.png,Mass|Nodule\\nb.png,No Finding\\n")
    >>> source = image_csv(root / "t.csv", root, image_column="file", label_column="findings",
    ...                    separator="|", empty="No Finding")
    >>> source.class_names
    ('Mass', 'Nodule')
    >>> sorted((example["id"], example["labels"].tolist()) for example in source)
    [('a.png', [1, 1]), ('b.png', [0, 0])]
    """
    places = [images] if isinstance(images, str | os.PathLike) else list(images)
    roots = [require_folder(place, "images") for place in places]
    require_one_origin(split, lists)
    table = read_table(
        csv,
        image_column=image_column,
        label_column=label_column,
        group=group,
        split=of_row(split),
    )
    ids = table.cells["image_column"]
    require_unique(csv, table, ids)
    names, indices = as_indices(
        csv,
        table.lines,
        table.cells["label_column"],
        class_names=class_names,
        separator=separator,
        empty=empty,
    )
    where = [_find(roots, key) for key in ids]
    if all(root is None for root in where):
        raise RequestError(
            f"None of the {len(ids)} files that {os.fspath(csv)!r} names is in "
            f"{few([str(root) for root in roots])}; the first: {ids[0]!r}"
        )
    counted = [None if root is None else index for root, index in zip(where, indices, strict=True)]
    parts = assign(
        ids,
        not_of_row(split),
        seed,
        groups=table.cells.get("group"),
        labels=counted if stratify else None,
        given=given_parts(table, ids, lists),
    )
    key = "labels" if separator else "label"

    def load(data: tuple[str, pathlib.Path | None, tuple[int, ...]]) -> Example:
        file, root, index = data
        if root is None:
            raise Refused("there is no such file")
        label = multi_hot(index, len(names)) if separator else index[0]
        return {"image": root / file, key: label}

    shape = (len(names),) if separator else ()
    return from_entries(
        dataset_name(name, csv),
        [
            Entry(file, part, (file, root, index))
            for file, part, root, index in zip(ids, parts, where, indices, strict=True)
        ],
        load,
        features={"image": as_image(channels), key: Feature(key, shape)},
        class_names=names,
        rule=table_rule(split, seed, lists=lists, group=group, stratify=stratify),
        seed=seed,
    )


def multi_hot(indices: Sequence[int], num_classes: int) -> np.ndarray:
    """One 0 or 1 per class.

    >>> multi_hot([0, 2], 3)
    array([1, 0, 1])
    """
    labels = np.zeros(num_classes, np.int64)
    labels[list(indices)] = 1
    return labels


def _find(roots: Sequence[pathlib.Path], file: str) -> pathlib.Path | None:
    return next((root for root in roots if os.path.isfile(root / file)), None)
