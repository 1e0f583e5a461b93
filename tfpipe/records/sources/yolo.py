"""Images with boxes in the layout of Ultralytics YOLO, as a source.

Example:

    source = yolo_boxes("coco8/data.yaml")
"""

import dataclasses
import os
import pathlib
from collections.abc import Sequence

from tfpipe.errors import RequestError
from tfpipe.files import Path
from tfpipe.records.sources.base import Entry, Example, Refused, Source, as_image, from_entries
from tfpipe.records.sources.boxes import Box, box_features, gather
from tfpipe.records.sources.division import Group, divide
from tfpipe.records.sources.names import dataset_name
from tfpipe.records.sources.splits import Split
from tfpipe.records.sources.yolo_layout import label_path, read_layout


def yolo_boxes(
    data_yaml: Path,
    *,
    split: Split | None = None,
    seed: int = 0,
    group: Group = None,
    stratify: bool = False,
    channels: int = 3,
    name: str | None = None,
) -> Source:
    """Images with boxes in the layout of Ultralytics YOLO, as its data.yaml describes it.

    `path` is the dataset's folder (relative to the data.yaml; its own folder if missing), and
    `train`, `val` (also `valid`, `validation`) and `test` are each a folder of images in it, a .txt
    file that lists images, or a list of these. As in Ultralytics' own loader, a "../" in front that
    leads nowhere does not count (Roboflow writes it). `names` is a list, or a mapping from 0, 1,
    ... to names.

    An image's boxes are in the file of its stem in `labels/` instead of `images/`, one per line:
    class, centre x, centre y, width, height, as fractions. A line with three or more points (x, y)
    of a polygon is the box around it, as for Ultralytics. No file means no boxes. The files are
    read when their example's turn comes: an example with a malformed line, an unknown class or a
    number outside 0..1 is refused when it is written. A box without area is left out, and a box
    that reaches beyond the image is cut to it; both are noted.

    Args:
        data_yaml: the file.
        split: None: the splits are as given. Fractions divide the train images, and may only
            name parts that are not given: (0.9, 0.1) where there is no val.
        seed: another seed gives another split and another order on disk.
        group: a function of the id, or a mapping from it: a group is never divided.
        stratify: whether the images with each class are divided by these fractions too; all
            label files are read once for that.
        channels: 3 or 1, to which the images will be decoded.
        name: the dataset's name; the name of the dataset's folder if None.

    Returns:
        A source of encoded images, `boxes` (N, 4) float32, y1, x1, y2, x2 in 0..1, and their
        `classes` (N,). An id is the image's path in the dataset's folder.

    Raises:
        RequestError: a file or folder is missing, an image is in two splits, or no image has a
            label file.
        DataError: the data.yaml is not one.

    Example:

    >>> import tempfile
    >>> root = pathlib.Path(tempfile.mkdtemp())
    >>> for name, content in {"images/a.jpg": "...", "labels/a.txt": "1 0.25 0.5 0.5 1",
    ...                       "data.yaml": "{train: images, names: [cat, dog]}"}.items():
    ...     (root / name).parent.mkdir(exist_ok=True)
    ...     _ = (root / name).write_text(content)
    >>> [example] = yolo_boxes(root / "data.yaml")
    >>> example["id"], example["boxes"].tolist(), example["classes"].tolist()
    ('images/a.jpg', [[0.0, 0.0, 1.0, 0.5]], [1])
    """
    root, names, listed = read_layout(data_yaml)
    ids = list(listed)
    if not any(os.path.isfile(label_path(root, key)) for key in ids):
        raise RequestError(
            f"Expected label files for the images of {os.fspath(data_yaml)!r}. None of {len(ids)} "
            f"images has one; the first would be {str(label_path(root, ids[0]))!r}"
        )
    division = divide(
        ids,
        split,
        seed,
        group=group,
        labels=[_classes_in(label_path(root, key), names) for key in ids] if stratify else None,
        given=[part for part, _ in listed.values()],
        given_by="data.yaml",
    )

    def load(data: tuple[str, str | None]) -> Example:
        key, problem = data
        if problem:
            raise Refused(problem)
        return {"image": root / key, **parse(label_path(root, key), names)}

    source = from_entries(
        dataset_name(name, root),
        [
            Entry(key, part, (key, problem))
            for (key, (_, problem)), part in zip(listed.items(), division.parts, strict=True)
        ],
        load,
        features={"image": as_image(channels), **box_features()},
        class_names=names,
        rule=division.rule,
        seed=seed,
    )
    return dataclasses.replace(source, declared=True)


def parse(path: pathlib.Path, names: Sequence[str]) -> Example:
    """What one label file says: `boxes`, `classes` and `notes`; nothing if there is no file.

    Raises:
        Refused: a line is malformed; says which.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        lines = []
    except OSError as error:
        raise Refused(f"{path.name} cannot be read: {error.strerror}") from None
    return gather(
        _box(line, f"{path.name}, line {number}", number, names)
        for number, line in enumerate(lines, start=1)
        if line.strip()
    )


def _box(line: bytes, place: str, number: int, names: Sequence[str]) -> Box:
    cells = line.split()
    if len(cells) != 5 and not (len(cells) > 6 and len(cells) % 2):
        raise Refused(f"{place}: expected 5 numbers, or those of a polygon, found {len(cells)}")
    try:
        label, *numbers = map(float, cells)
    except ValueError:
        shown = line.decode(errors="replace").strip()
        raise Refused(f"{place}: expected {len(cells)} numbers, found {shown!r}") from None
    if label not in range(len(names)):
        raise Refused(f"{place}: expected a class from 0 to {len(names) - 1}, found {label:g}")
    if not all(0 <= value <= 1 for value in numbers):
        outside = next(value for value in numbers if not 0 <= value <= 1)
        raise Refused(f"{place}: expected fractions from 0 to 1, found {outside:g}")
    y1, x1, y2, x2 = edges = _edges(numbers)
    index = int(label)
    return Box(number, names[index], index, numbers, edges if y1 < y2 and x1 < x2 else None)


def _edges(numbers: Sequence[float]) -> tuple[float, float, float, float]:
    if len(numbers) > 4:
        xs, ys = numbers[0::2], numbers[1::2]
        return min(ys), min(xs), max(ys), max(xs)
    x, y, width, height = numbers
    return y - height / 2, x - width / 2, y + height / 2, x + width / 2


def _classes_in(path: pathlib.Path, names: Sequence[str]) -> tuple[int, ...]:
    """The classes in a file; none if it is malformed: it is refused when it is loaded."""
    try:
        return tuple(sorted(set(parse(path, names)["classes"].tolist())))
    except Refused:
        return ()
