"""Where the images, the XML files and the lists of Pascal VOC are in a folder.

Example:

    layout = voc_layout(pathlib.Path("VOCdevkit/VOC2012"), images=None, annotations=None)
    layout.image_of["000001"], layout.xml_of["000001"]
"""

import os
import pathlib
from collections.abc import Iterable
from typing import NamedTuple

from tfpipe.errors import RequestError
from tfpipe.files import Path
from tfpipe.records.sources.columns import load_lists
from tfpipe.records.sources.layouts import require_part
from tfpipe.records.sources.listing import Found, by_stem, files, is_image_name
from tfpipe.records.sources.splits import NAMES, split_within

IMAGES, XMLS = ("JPEGImages", "images"), ("Annotations", "annotations")


class Layout(NamedTuple):
    """The two folders, and their files by their stems."""

    images: pathlib.Path
    xmls: pathlib.Path
    image_of: dict[str, Found]
    xml_of: dict[str, Found]


def voc_layout(root: pathlib.Path, images: Path | None, annotations: Path | None) -> Layout:
    """Finds the files; None stands for VOC's names, for lower-case ones, or for side by side.

    Raises:
        RequestError: a folder is missing, or holds two files of one stem.
    """
    if images is None and annotations is None and _side_by_side(root):
        images = annotations = "."
    pictures = require_part(_folder(root, images, IMAGES), "images", "voc_boxes")
    xmls = require_part(_folder(root, annotations, XMLS), "annotations", "voc_boxes")
    mixed = pictures.resolve() == xmls.resolve()
    return Layout(
        pictures,
        xmls,
        by_stem(pictures, "images", only=is_image_name if mixed else None),
        by_stem(xmls, "annotations", only=_is_xml if mixed else None),
    )


def parts_by_lists(folder: pathlib.Path, known: Iterable[str]) -> dict[str, str] | None:
    """The split of each stem in the official lists; None if there are none.

    Raises:
        RequestError: they name nothing that is known.
        DataError: a stem is in two lists.
    """
    lists = {part: folder / f"{part}.txt" for part in NAMES if (folder / f"{part}.txt").is_file()}
    both = folder / "trainval.txt"
    if both.is_file() and not {"train", "val"} & lists.keys():
        lists["train"] = both
    listed = load_lists(lists) if lists else None
    if listed and not listed.keys() & set(known):
        raise RequestError(
            f"Expected the lists in {str(folder)!r} to name images without what their names end "
            f"in. None of {len(listed)} is there; the first: {next(iter(listed))!r}"
        )
    return listed


def parts_by_folders(stems: Iterable[str]) -> dict[str, str] | None:
    """The split that the first folder of each stem is named after; None if one has none."""
    parts = {stem: split_within(stem.split("/")[0]) if "/" in stem else None for stem in stems}
    given = {stem: part for stem, part in parts.items() if part}
    return given if len(given) == len(parts) else None


def _side_by_side(root: pathlib.Path) -> bool:
    """Whether there are neither of VOC's folders, but XML files beside images, as of Roboflow."""
    if any((root / name).is_dir() for name in (*IMAGES, *XMLS)):
        return False
    ids = {found.id for found in files(root)}
    stems = {os.path.splitext(key)[0] for key in ids if is_image_name(key)}
    return any(_is_xml(key) and os.path.splitext(key)[0] in stems for key in ids)


def _folder(root: pathlib.Path, asked: Path | None, names: tuple[str, ...]) -> pathlib.Path:
    there = [name for name in names if (root / name).is_dir()]
    return root / (asked if asked is not None else (there or names)[0])


def _is_xml(name: str) -> bool:
    return name.lower().endswith(".xml")
