"""The files of folders of classes, each with its class, or with why it is in none.

Example:

    for item in class_files(pathlib.Path("data/xray"), {"train": "train", "valid": "val"}): ...
"""

import pathlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tfpipe.records.sources.layouts import MASKS, resembles
from tfpipe.records.sources.listing import files, folders, is_image_name, loose_files


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
            masks = _masks(root / folder / class_name)
            for found in files(root / folder / class_name):
                if found.id.split("/")[0] not in masks:
                    key = f"{prefix}{class_name}/{found.id}".rstrip("/")
                    yield Item(key, class_name, part, found.problem)
        yield from _beside(root, folder, part)
    if parts:
        yield from _beside(root, "", None)


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
