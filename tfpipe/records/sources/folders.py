"""Images in one folder per class, as a source.

Example:

    source = image_folder("data/xray", split=(0.7, 0.2, 0.1), seed=0)
"""

import pathlib
import re
from collections.abc import Mapping, Sequence

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
from tfpipe.records.sources.class_files import Item, class_files
from tfpipe.records.sources.division import Group, divide
from tfpipe.records.sources.labels import FEW
from tfpipe.records.sources.layouts import explain, resembles
from tfpipe.records.sources.listing import folders, loose_files, require_folder
from tfpipe.records.sources.names import dataset_name, few, in_order, require_unlike
from tfpipe.records.sources.parts import parts_in
from tfpipe.records.sources.splits import Given, Split

PATIENTS = (
    "Where a table says what each image shows, use `image_csv`, with a `group` for each patient."
)


def image_folder(
    path: Path,
    *,
    split: Split | Given | None = None,
    seed: int = 0,
    group: Group = None,
    stratify: bool = False,
    channels: int = 3,
    name: str | None = None,
) -> Source:
    """Images in one folder per class: `path/<class>/*`, or `path/{train,val,test}/<class>/*`.

    The second layout is recognised by the folders' names (also "Training", "valid", "test_set",
    "seg_train": see `tfpipe.records.sources.parts`); then the splits are as given.

    Every file below a class' folder is an example, whatever its name ends in: `records.write`
    refuses what is no image. Only masks beside their images are no examples: the folder `masks`
    beside `images` in a class' folder, and "a_mask.png" or "a_mask_1.png" beside "a.png".

    What is no file (a link to nothing or in a circle, a folder named x.jpg) is refused too, and
    so is an image that lies beside the classes' folders. Other files beside them (a README) are
    no examples, and neither is what operating systems leave behind (see
    `tfpipe.records.sources.listing`).

    Args:
        path: the folder.
        split: fractions of train, val and test, or a dict of them; or each example's split, as
            a mapping from its id or a function of it. None: the given splits where there are,
            (0.7, 0.2, 0.1) otherwise. Fractions divide given "train" folders, and may only
            name parts that have no folder: (0.9, 0.1) where there is no val.
        seed: another seed gives another split and another order on disk.
        group: a function of the id, or a mapping from it: what belongs to one group (a
            patient, say) is never divided.
        stratify: whether each class is divided by these fractions (see `assign` in
            `sources.assignment`); otherwise chance does it, and adding a file moves no
            other.
        channels: 3 or 1, to which the images will be decoded.
        name: the dataset's name; the folder's name if None.

    Returns:
        A source of encoded images and labels. An id is the file's path in the folder, with
        "/"; the classes are sorted by name, or by value if all are whole numbers.

    Raises:
        RequestError: there is no such folder, its layout is another, it has fewer than two
            classes, its folders are patients rather than classes, a class is not in train, or
            `split` or `group` do not fit.

    Example:

    >>> import tempfile
    >>> root = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("cat", "dog"):
    ...     (root / name).mkdir()
    ...     _ = (root / name / "1.png").write_bytes(b"...")
    >>> source = image_folder(root, split={"train": 1.0}, name="pets")
    >>> sorted((example["id"], example["label"]) for example in source)
    [('cat/1.png', 0), ('dog/1.png', 1)]
    """
    root = require_folder(path, "path")
    given_parts = parts_in(root)
    class_names = _class_names(root, given_parts)
    items = list(class_files(root, given_parts))
    _require_files(root, class_names, items)
    index_of = {class_name: index for index, class_name in enumerate(class_names)}
    ids = [item.id for item in items]
    labels = [(index_of[item.class_name],) if item.class_name else None for item in items]
    division = divide(
        ids,
        split,
        seed,
        group=group,
        labels=labels if stratify else None,
        given=[item.part or "train" for item in items] if given_parts else None,
        given_by="folders",
    )

    def load(data: tuple[str, int, str | None]) -> Example:
        key, label, problem = data
        if problem:
            raise Refused(problem)
        return {"image": root / key, "label": label}

    entries = [
        Entry(item.id, part, (item.id, label[0] if label else -1, item.problem))
        for item, label, part in zip(items, labels, division.parts, strict=True)
    ]
    return from_entries(
        dataset_name(name, root),
        entries,
        load,
        features={"image": as_image(channels), "label": Feature("label")},
        class_names=class_names,
        rule=division.rule,
        seed=seed,
    )


def _class_names(root: pathlib.Path, parts: Mapping[str, str]) -> list[str]:
    """The classes of all splits, in order, each of which must be in train."""
    found = {part: set(folders(root / part)) for part in parts or [""]}
    in_train = [part for part in found if parts.get(part) == "train"] or list(found)
    train = set().union(*(found[part] for part in in_train))
    _require_classes(root, in_train[0], in_order(train))
    names = in_order(set().union(*found.values()))
    unseen = [name for name in names if name not in train]
    if unseen:
        raise RequestError(
            f"Expected every class to have a folder in 'train' of {str(root)!r}. Only in other "
            f"splits: {few(unseen)}. In train: {few(in_order(train))}."
        )
    return names


def _require_classes(root: pathlib.Path, part: str, names: list[str]) -> None:
    in_table = resembles((), loose_files(root)) == "chestxray14"  # its folders are no classes
    if len(names) < 2 or resembles(names, ()) or in_table:
        raise RequestError(
            f"Expected a folder for each of two or more classes in {str(root / part)!r}. "
            f"{explain(root / part, 'image_folder')}"
        )
    require_unlike(names, f"Rename one in {str(root / part)!r}, or move its images to the other.")
    patients = [name for name in names if re.fullmatch(r"patient[-_ ]?\d+", name, re.IGNORECASE)]
    if len(patients) == len(names):
        raise RequestError(
            f"Expected the folders in {str(root / part)!r} to be classes. Their names are those of "
            f"patients: {few(names)}. {PATIENTS}"
        )
    for name in names:
        if not name.isprintable():
            raise RequestError(
                f"Expected the folders in {str(root)!r} to have names that can be printed, since "
                f"they name the classes. Received: {name!r}"
            )


def _require_files(root: pathlib.Path, class_names: Sequence[str], items: Sequence[Item]) -> None:
    train = [item for item in items if item.part in (None, "train")] or items
    empty = [name for name in class_names if name not in {item.class_name for item in train}]
    if empty:
        raise RequestError(
            f"Expected images of every class in {str(root)!r}. Found no file for {few(empty)}. "
            "Delete these folders, or fill them."
        )
    if len(items) >= FEW and 2 * len(class_names) > len(items):
        raise RequestError(
            f"Expected images of classes in {str(root)!r}. Found {len(class_names)} folders for "
            f"{len(items)} images: {few(class_names)}. {PATIENTS}"
        )
