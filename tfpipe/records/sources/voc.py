"""Images with boxes in Pascal VOC's XML files, as a source.

Example:

    source = voc_boxes("VOCdevkit/VOC2012")
"""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

from tfpipe.errors import RequestError
from tfpipe.files import Path
from tfpipe.records.sources.base import Entry, Example, Source, as_image, from_entries
from tfpipe.records.sources.boxes import box_features
from tfpipe.records.sources.division import Group, divide
from tfpipe.records.sources.listing import Found, path_of, require_folder
from tfpipe.records.sources.names import as_class_names, dataset_name
from tfpipe.records.sources.splits import Given, Split
from tfpipe.records.sources.voc_layout import parts_by_folders, parts_by_lists, voc_layout
from tfpipe.records.sources.voc_xml import classes_in, parse


def voc_boxes(
    path: Path,
    *,
    images: Path | None = None,
    annotations: Path | None = None,
    lists: Path | None = "ImageSets/Main",
    class_names: Sequence[str] | None = None,
    one_based: bool = True,
    split: Split | Given | None = None,
    seed: int = 0,
    group: Group = None,
    stratify: bool = False,
    channels: int = 3,
    name: str | None = None,
) -> Source:
    """Images with boxes in Pascal VOC's XML files, paired by their stems.

    The XML files are read when their example's turn comes. An example whose file is missing,
    broken, or names an unknown class is refused when it is written. A box without area is left
    out, and a box that reaches beyond the image is cut to it; both are noted. Boxes marked as
    difficult or truncated count like any other.

    In Pascal VOC the image's first pixel is (1, 1), and a box includes its last pixel (VOC2012
    development kit, section "Annotation"): a box from xmin=1 to xmax=width covers the whole
    width. So 1 is subtracted from xmin and ymin alone.

    Args:
        path: the folder that holds the next three.
        images: the images' folder in it. None: "JPEGImages" or "images"; or, where there is none
            of these and XML files lie beside their images (as Roboflow exports them), `path`.
        annotations: the XML files' folder in it; None: "Annotations", "annotations", or `path`.
        lists: the folder of the official splits in it: train.txt, val.txt, test.txt, and
            trainval.txt where those for train and val are missing. If it is there, the images
            in the lists are the examples. None, or no such folder: all images and XML files are;
            where these lie side by side in folders that are named like splits, those are given.
        class_names: the classes in their order. None: those in the XML files, sorted; all are
            read once for that.
        one_based: whether the first pixel is (1, 1). False for tools that count from 0: then
            xmin and xmax are taken as the distances of the box' edges from the image's edge.
        split: fractions of train, val and test, or a dict of them; or each example's split, as
            a mapping from its stem or a function of it. None: as in the lists, or (0.7, 0.2,
            0.1). Fractions divide the train list, and may only name parts without a list.
        seed: another seed gives another split and another order on disk.
        group: a function of the stem, or a mapping from it: a group is never divided.
        stratify: whether the images with each class are divided by these fractions too; all
            XML files are read once for that.
        channels: 3 or 1, to which the images will be decoded.
        name: the dataset's name; the folder's name if None.

    Returns:
        A source of encoded images, `boxes` (N, 4) float32, y1, x1, y2, x2 in 0..1, and their
        `classes` (N,). An id is the stem. The image must turn out to have the size that its XML
        file states (`size_px`).

    Raises:
        RequestError: a folder is missing, there are no examples, or an argument does not fit.
        DataError: an image is in two lists.

    Example:

    >>> import tempfile
    >>> root = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (root / "a.jpg").write_bytes(b"...")
    >>> _ = (root / "a.xml").write_text(
    ...     "<annotation><size><width>8</width><height>4</height></size><object><name>cat</name>"
    ...     "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object>"
    ...     "</annotation>")
    >>> [example] = voc_boxes(root)
    >>> example["id"], example["boxes"].tolist(), example["classes"].tolist()
    ('a', [[0.0, 0.0, 1.0, 0.5]], [0])
    """
    root = require_folder(path, "path")
    layout = voc_layout(root, images, annotations)
    known = layout.image_of.keys() | layout.xml_of.keys()
    listed = parts_by_lists(root / lists, known) if lists is not None else None
    given_by = "lists" if listed is not None else "folders"
    if listed is None and layout.images == layout.xmls:
        listed = parts_by_folders(known)
    ids = sorted(listed if listed is not None else known)
    if not ids:
        raise RequestError(f"Expected images and XML files in {str(root)!r}. Found none.")
    look = stratify or class_names is None
    inside = _inside(layout.xmls, layout.xml_of, ids) if look else []
    names = _class_names(class_names, layout.xmls, inside)
    index_of = {class_name: index for index, class_name in enumerate(names)}
    division = divide(
        ids,
        split,
        seed,
        group=group,
        labels=_labels(inside, index_of) if stratify else None,
        given=[listed[key] for key in ids] if listed is not None else None,
        given_by=given_by,
    )

    def load(stem: str) -> Example:
        image = path_of(stem, layout.image_of, layout.images, "image")
        xml = path_of(stem, layout.xml_of, layout.xmls, "XML file")
        return {"image": image, **parse(xml, index_of, one_based=one_based)}

    source = from_entries(
        dataset_name(name, root),
        [Entry(key, part, key) for key, part in zip(ids, division.parts, strict=True)],
        load,
        features={"image": as_image(channels), **box_features()},
        class_names=names,
        rule=division.rule,
        seed=seed,
    )
    return dataclasses.replace(source, declared=class_names is not None)


def _inside(
    folder: pathlib.Path, xml_of: Mapping[str, Found], ids: Sequence[str]
) -> list[set[str]]:
    """The classes in each image's XML file."""
    return [classes_in(folder / xml_of[key].id) if key in xml_of else set() for key in ids]


def _class_names(
    class_names: Sequence[str] | None, folder: pathlib.Path, inside: Sequence[set[str]]
) -> tuple[str, ...]:
    found = set().union(*inside)
    if class_names is None and not found:
        raise RequestError(
            f"Expected objects in the XML files of {str(folder)!r}. Found none; pass "
            "`class_names=` if that is right."
        )
    return as_class_names(class_names, found)


def _labels(inside: Sequence[set[str]], index_of: Mapping[str, int]) -> list[tuple[int, ...]]:
    return [tuple(sorted(index_of[name] for name in names & index_of.keys())) for names in inside]
