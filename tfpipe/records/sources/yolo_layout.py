"""Where an Ultralytics data.yaml says that images and labels are.

Example:

    root, names, images = read_layout("coco8/data.yaml")
"""

import os
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from tfpipe.errors import DataError, RequestError
from tfpipe.files import Path
from tfpipe.records.sources.lines import decoded
from tfpipe.records.sources.listing import Found, files, loose_files
from tfpipe.records.sources.names import as_class_names, few
from tfpipe.records.sources.splits import NAMES, SYNONYMS, as_split_name

YAML = (".yaml", ".yml")
BESIDE = (".txt", ".npy", ".cache")  # what YOLO tools write beside images; never an image


class Layout(NamedTuple):
    """A dataset's folder, its classes, and each image's split and why it is no file, by path."""

    root: pathlib.Path
    names: tuple[str, ...]
    images: dict[str, tuple[str, str | None]]


def read_layout(data_yaml: Path) -> Layout:
    """Reads a data.yaml and lists the images that it leads to.

    Raises:
        RequestError: there is no such file, no image, or an image is in two splits.
        DataError: the file is no data.yaml, or leads nowhere.
    """
    settings = _settings(data_yaml)
    root = _root(data_yaml, settings)
    return Layout(root, _names(data_yaml, settings), _listed(data_yaml, settings, root))


def label_path(root: Path, key: str) -> pathlib.Path:
    """Where an image's boxes are: the last folder `images` in its path becomes `labels`.

    >>> label_path("coco8", "images/train/7.jpg").as_posix()
    'coco8/labels/train/7.txt'
    """
    path = pathlib.Path(root) / key
    folders = list(path.parts[:-1])
    if "images" in folders:
        last = len(folders) - 1 - folders[::-1].index("images")
        folders[last] = "labels"
    return pathlib.Path(*folders, path.stem + ".txt")


def _settings(path: Path) -> dict[str, Any]:
    if not pathlib.Path(path).is_file():
        folder = pathlib.Path(path) if pathlib.Path(path).is_dir() else None
        inside = [name for name in loose_files(folder) if name.endswith(YAML)] if folder else []
        there = f" In that folder there is {few(inside)}." if inside else ""
        raise RequestError(f"Expected a data.yaml. There is no file {os.fspath(path)!r}.{there}")
    try:
        settings = yaml.safe_load(pathlib.Path(path).read_bytes())
    except yaml.YAMLError as error:
        raise DataError(path, f"not a YAML file ({' '.join(str(error).split())})") from None
    if not isinstance(settings, dict) or not any(map(_part, settings)):
        raise DataError(path, "expected the keys `names`, `train` and `val`")
    if "kpt_shape" in settings:
        raise DataError(path, "its `kpt_shape` says that it is of poses; boxes were expected")
    return settings


def _part(key: object) -> str | None:
    """The split that a key is the name of."""
    known = str(key).lower() in (*NAMES, *SYNONYMS)
    return as_split_name(key) if known else None


def _root(path: Path, settings: Mapping[str, Any]) -> pathlib.Path:
    root = pathlib.Path(path).parent / str(settings.get("path") or "")
    if not root.is_dir():
        raise DataError(
            path,
            f"its `path` leads to {str(root)!r}, and there is no such folder (correct `path`, or "
            "delete it: then it is the data.yaml's own)",
        )
    return root


def _names(path: Path, settings: Mapping[str, Any]) -> tuple[str, ...]:
    names = settings.get("names")
    if isinstance(names, dict):
        named = {str(number): name for number, name in names.items()}
        if set(named) != set(map(str, range(len(names)))):
            raise DataError(path, f"expected `names` to number the classes from 0, found {names!r}")
        names = [named[str(number)] for number in range(len(names))]
    if not isinstance(names, list) or not names:
        raise DataError(path, f"expected `names` to be a list or a mapping, found {names!r}")
    for name in names:
        if not isinstance(name, str | int) or isinstance(name, bool) or names.count(name) > 1:
            raise DataError(
                path, f"expected `names` to be different texts, found {name!r} (`yes` needs quotes)"
            )
    if settings.get("nc", len(names)) != len(names):
        raise DataError(
            path, f"expected `nc` to count the {len(names)} `names`, found {settings['nc']!r}"
        )
    return as_class_names([str(name) for name in names], ())


def _listed(
    path: Path, settings: Mapping[str, Any], root: pathlib.Path
) -> dict[str, tuple[str, str | None]]:
    """The split of each image, by its path in the dataset's folder, and why it is no file."""
    listed: dict[str, tuple[str, str | None]] = {}
    given = [key for part in NAMES for key in settings if _part(key) == part]
    for name in given:
        part, places = as_split_name(name), settings[name] or []
        for place in [places] if isinstance(places, str) else places:
            for key, problem in _images(path, name, root, str(place)):
                if listed.setdefault(key, (part, problem))[0] != part:
                    raise RequestError(
                        f"{os.fspath(path)}: Expected every image to be in one split. "
                        f"{key!r} is in {listed[key][0]!r} and {part!r}. Delete the key `{name}`, "
                        "and divide `train` by `split=(0.9, 0.1)`."
                    )
    if not listed:
        raise RequestError(f"{os.fspath(path)}: Expected images in `train` and `val`. Found none.")
    return listed


def _images(path: Path, part: str, root: pathlib.Path, place: str) -> Iterator[Found]:
    target = root / place
    if not target.exists() and place.startswith("../"):
        target = root / place.removeprefix("../")
    if target.is_dir():
        prefix = _relative(target, root)
        for found in files(target):
            if not found.id.lower().endswith(BESIDE):
                yield Found(f"{prefix}/{found.id}", found.problem)
    elif target.is_file():
        with target.open("rb") as lines:
            for line in decoded(lines, target):
                if line.strip():
                    image = root / line.strip()
                    problem = None if image.is_file() else "there is no such file"
                    yield Found(_relative(image, root), problem)
    else:
        raise DataError(
            path,
            f"its `{part}` leads to {str(target)!r}, and there is no such file or folder (correct "
            "or delete that key)",
        )


def _relative(path: pathlib.Path, root: pathlib.Path) -> str:
    return pathlib.PurePath(os.path.relpath(path, root)).as_posix()
