"""The files of folders of classes, each with its class, or with why it is in none.

Example:

    for item in class_files(pathlib.Path("data/xray"), {"train": "train", "valid": "val"}): ...
"""

import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tfpipe.records.sources.layouts import MASKS, resembles
from tfpipe.records.sources.listing import Found, files, folders, is_image_name, loose_files

_MASK_END = re.compile(r"[_-](mask|segmentation)([_-]?\d+)?$", re.IGNORECASE)  # behind a stem


class Item(NamedTuple):
    """A file by its path in the root, with "/"; `problem` says why it is no example."""

    id: str
    class_name: str | None
    part: str | None
    problem: str | None


def class_files(root: pathlib.Path, parts: Mapping[str, str]) -> Iterator[Item]:
    """All files below the classes' folders, and the images that lie beside these.

    Args:
        root: the folder.
        parts: the split of each folder in it; nothing if these are the classes.
    """
    for folder in parts or [""]:
        part = parts.get(folder)
        prefix = f"{folder}/" if folder else ""
        for class_name in folders(root / folder):
            for found in _but_masks(root / folder / class_name):
                key = f"{prefix}{class_name}/{found.id}".rstrip("/")
                yield Item(key, class_name, part, found.problem)
        yield from _beside(root, folder, part)
    if parts:
        yield from _beside(root, "", None)


def _but_masks(folder: pathlib.Path) -> Iterator[Found]:
    """The files below a class' folder that are no masks of others: by their folder, or by name."""
    masks = _masks(folder)
    found = [file for file in files(folder) if file.id.split("/")[0] not in masks]
    stems = {file.id.rpartition(".")[0] for file in found}
    for file in found:
        stem = file.id.rpartition(".")[0]
        image = _MASK_END.sub("", stem)
        if image == stem or image not in stems:
            yield file


def _masks(folder: pathlib.Path) -> set[str]:
    """The folders of masks beside one of images, as in the COVID-19 Radiography Database."""
    inside = folders(folder)
    paired = resembles(inside, ()) == "mask_folder"
    return {name for name in inside if paired and name.lower() in MASKS}


def _beside(root: pathlib.Path, folder: str, part: str | None) -> Iterator[Item]:
    prefix = f"{folder}/" if folder else ""
    for name in loose_files(root / folder):
        if is_image_name(name):
            problem = "it lies beside the classes' folders, in none of them"
            yield Item(prefix + name, None, part, problem)
