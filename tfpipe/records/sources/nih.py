"""NIH ChestX-ray14 as a source, from its folder as it is downloaded.

Source: X. Wang et al., "ChestX-ray8: Hospital-scale Chest X-ray Database and Benchmarks on
Weakly-Supervised Classification and Localization of Common Thorax Diseases", CVPR 2017.

Example:

    source = chestxray14("nih")                                          # the official test split
    source = chestxray14("nih", split=(0.7, 0.2, 0.1), official=False)   # drawn, by patient
"""

import pathlib
from collections.abc import Sequence

from tfpipe.errors import RequestError
from tfpipe.files import Path
from tfpipe.records.sources.assignment import FRACTIONS
from tfpipe.records.sources.base import Source
from tfpipe.records.sources.layouts import explain, require_part
from tfpipe.records.sources.listing import is_image_name, loose_files, require_folder
from tfpipe.records.sources.rows import header, rows
from tfpipe.records.sources.splits import Split
from tfpipe.records.sources.tables import image_csv

# The eight of the paper, in its order, then the six that its authors added.
NIH_CLASSES = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)


IMAGE, LABELS, PATIENT = "Image Index", "Finding Labels", "Patient ID"
OFFICIAL = (0.875, 0.125)
LISTS = {"train": "train_val_list", "test": "test_list"}


def chestxray14(
    folder: Path,
    *,
    csv: str | None = None,
    split: Split | None = None,
    official: bool = True,
    seed: int = 0,
    stratify: bool = False,
    channels: int = 1,
    class_names: Sequence[str] = NIH_CLASSES,
    name: str = "chestxray14",
) -> Source:
    """ChestX-ray14: images with 14 labels each, divided by patient.

    Args:
        folder: holds the table, and the images in `images/`, in `images_001/images/` to
            `images_012/images/`, or in whatever folders, one or two below it, hold .png files;
            for the official splits `train_val_list.txt` and `test_list.txt`, too (also
            `train_val_list_NIH.txt` and `test_list_NIH.txt`).
        csv: the table's file name. None: the one .csv file with the columns "Image Index",
            "Finding Labels" and "Patient ID", such as Data_Entry_2017_v2020.csv; of several,
            the one whose images are all there.
        split: fractions, drawn by patient. With the official splits, of train and val, which
            divide the train_val list; (0.875, 0.125), the default, makes 70 % train and 10 % val,
            as in the paper, and {"train": 1.0} no val. Without them, of train, val and test; the
            default is (0.7, 0.2, 0.1).
        official: whether the images of test_list.txt are the test split.
        seed: another seed gives another split and another order on disk.
        stratify: whether the labels are balanced between the splits that are drawn.
        channels: 1 or 3, to which the images will be decoded.
        class_names: the findings, in order, of a table in NIH's format with others than NIH's.
        name: the dataset's name.

    Returns:
        A source of encoded images and `labels`; "No Finding" is none of them. A row whose file
        is missing is refused when it is written.

    Raises:
        RequestError: the folder has another layout, a file is missing, or a row is in neither
            list.
        DataError: the table or a list is not what NIH published.

    Example:

    >>> import tempfile
    >>> root = pathlib.Path(tempfile.mkdtemp())
    >>> (root / "images").mkdir()
    >>> _ = (root / "images" / "1.png").write_bytes(b"...")
    >>> row = "Image Index,Finding Labels,Patient ID\\n1.png,Edema|Mass,7\\n"
    >>> _ = (root / "table.csv").write_text(row)
    >>> [example] = chestxray14(root, official=False)
    >>> [name for name, there in zip(NIH_CLASSES, example["labels"], strict=True) if there]
    ['Mass', 'Edema']
    """
    root = require_folder(folder, "folder")
    places = _places(root)
    table = root / csv if csv is not None else _table(root, places)
    return image_csv(
        table,
        places or require_part(root / "images", "images", "chestxray14"),
        image_column=IMAGE,
        label_column=LABELS,
        separator="|",
        empty="No Finding",
        class_names=class_names,
        split=split if split is not None else OFFICIAL if official else FRACTIONS,
        lists=_lists(root) if official else None,
        seed=seed,
        group=PATIENT,
        stratify=stratify,
        channels=channels,
        name=name,
    )


def _places(root: pathlib.Path) -> list[pathlib.Path]:
    """The folders of the images: as NIH has them, or as copies of the set do."""
    for pattern in ("images_*/images", "images", "*", "*/*"):
        places = [place for place in sorted(root.glob(pattern)) if _holds_images(place)]
        if places:
            return places
    return [root] if _holds_images(root) else []


def _holds_images(folder: pathlib.Path) -> bool:
    return folder.is_dir() and any(map(is_image_name, loose_files(folder)))


def _table(root: pathlib.Path, places: list[pathlib.Path]) -> pathlib.Path:
    """The .csv file with NIH's columns; of several, the one whose images are all there."""
    tables = [root / name for name in loose_files(root) if name.lower().endswith(".csv")]
    fitting = [table for table in tables if {IMAGE, LABELS, PATIENT} <= set(header(table))]
    if not fitting:
        raise RequestError(
            f"Expected ChestX-ray14 in {str(root)!r}: a .csv file with the columns {IMAGE!r}, "
            f"{LABELS!r} and {PATIENT!r}, and images in 'images/' or 'images_001/images/'. "
            f"{explain(root, 'chestxray14')}"
        )
    whole = [table for table in fitting if _is_whole(table, places)] if fitting[1:] else fitting
    if len(whole) != 1:
        names = ", ".join(repr(table.name) for table in fitting)
        raise RequestError(
            f"Expected one .csv file in {str(root)!r} whose images are all there, or `csv` to say "
            f"which is meant. Found: {names}"
        )
    return whole[0]


def _is_whole(table: pathlib.Path, places: list[pathlib.Path]) -> bool:
    return all(any((p / row.cells[IMAGE]).is_file() for p in places) for row in rows(table))


def _lists(root: pathlib.Path) -> dict[str, pathlib.Path]:
    found = {part: sorted(root.glob(f"{name}*.txt")) for part, name in LISTS.items()}
    missing = [f"{LISTS[part]}.txt" for part, files in found.items() if not files]
    if missing:
        raise RequestError(
            f"Expected the official lists in {str(root)!r}. There is no "
            f"{' and no '.join(missing)}; pass `official=False` to draw the splits by patient."
        )
    return {part: files[0] for part, files in found.items()}
