"""Images with their labels in a table, as a source: one label for each, or several.

Example:

    source = image_csv(
        "labels.csv", "images", image_column="file", label_column="class", split=(0.7, 0.2, 0.1)
    )
"""

import functools
import os
import pathlib
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from tfpipe.errors import RequestError
from tfpipe.files import Path
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
    divide_rows,
    of_row,
    read_table,
    require_one_origin,
    require_unique,
)
from tfpipe.records.sources.labels import as_indices
from tfpipe.records.sources.layouts import require_part
from tfpipe.records.sources.listing import files, loose_files
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
    """Images with their labels in a table: a row for each image, cells between commas or the like.

    Tabs and semicolons separate them, too, if there is no comma in the first row. Wherever a column
    is named, a function of the row (a dict from column to cell) may stand instead:
    `image_column=lambda row: row["image_id"] + ".jpg"`.

    Args:
        csv: the table; its first row is the header.
        images: the folder, or folders, that hold the files.
        image_column: the column of the files' names, which are the ids.
        label_column: the column of the labels.
        separator: between the labels of an image: "|" in "Mass|Nodule". Then an example has
            `labels`, one 0 or 1 per class, instead of a `label`.
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
        RequestError: a file, folder or column is missing, a row is in no list or split, none of
            the files is there, one is in two of the folders, or an argument does not fit.
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
    roots = _folders(images)
    require_one_origin(split, lists)
    table = read_table(
        csv, image_column=image_column, label_column=label_column, group=group, split=of_row(split)
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
    where = _where(csv, ids, roots)
    labels = [None if root is None else index for root, index in zip(where, indices, strict=True)]
    division = divide_rows(
        table, ids, split, seed, group=group, lists=lists, labels=labels if stratify else None
    )
    answer = Feature("labels", (len(names),)) if separator else Feature("label")
    return from_entries(
        dataset_name(name, csv),
        [
            Entry(file, part, (file, root, index))
            for file, part, root, index in zip(ids, division.parts, where, indices, strict=True)
        ],
        functools.partial(_load, num_classes=len(names) if separator else None),
        features={"image": as_image(channels), answer.kind: answer},
        class_names=names,
        rule=division.rule,
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


def _folders(images: Path | Sequence[Path]) -> list[pathlib.Path]:
    places = [images] if isinstance(images, str | os.PathLike) else images
    return [require_part(place, "images", "image_csv") for place in places]


def _where(
    csv: Path, ids: Sequence[str], roots: Sequence[pathlib.Path]
) -> list[pathlib.Path | None]:
    """The folder that each file is in; None if it is in none of them."""
    # One look at each folder first: NIH's 112,120 images lie in twelve of them.
    inside = _inside(roots, set(ids))
    where = [
        inside.get(file) or next((r for r in roots if os.path.isfile(r / file)), None)
        for file in ids
    ]
    if not any(where):
        raise RequestError(
            f"None of the {len(ids)} files that {os.fspath(csv)!r} names is in "
            f"{few([str(root) for root in roots])}; the first: {ids[0]!r}{_near(ids[0], roots)}"
        )
    return where


def _inside(roots: Sequence[pathlib.Path], wanted: Collection[str]) -> dict[str, pathlib.Path]:
    """The folder that each of these files lies in directly."""
    inside: dict[str, pathlib.Path] = {}
    for root in roots:
        for name in loose_files(root):
            if name in wanted and inside.setdefault(name, root) != root:
                raise RequestError(
                    f"Expected each file in one folder. {name!r} is in {str(inside[name])!r} and "
                    f"in {str(root)!r}; move the ones that are not meant elsewhere."
                )
    return inside


def _near(file: str, roots: Sequence[pathlib.Path]) -> str:
    """Where a file of almost that name is."""

    def stem(name: str) -> str:
        return os.path.splitext(name.replace("\\", "/").split("/")[-1])[0].lower()

    for root in roots:
        for found in files(root):
            if stem(found.id) == stem(file):
                return (
                    f". There is {str(root / found.id)!r}: let `images` and `image_column`, which "
                    "may be a function of the row, lead there."
                )
    return ""


def _load(
    data: tuple[str, pathlib.Path | None, tuple[int, ...]], *, num_classes: int | None
) -> Example:
    file, root, indices = data
    if root is None:
        raise Refused("there is no such file")
    if num_classes is None:
        return {"image": root / file, "label": indices[0]}
    return {"image": root / file, "labels": multi_hot(indices, num_classes)}
