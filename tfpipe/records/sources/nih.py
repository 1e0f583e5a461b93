"""NIH ChestX-ray14 as a source, from its folder as it is downloaded.

Source: X. Wang et al., "ChestX-ray8: Hospital-scale Chest X-ray Database and Benchmarks on
Weakly-Supervised Classification and Localization of Common Thorax Diseases", CVPR 2017.

Example:

    source = chestxray14("nih", split=(0.875, 0.125), seed=0)
"""

import pathlib

from tfpipe.files import Path
from tfpipe.records.sources.base import Source
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


def chestxray14(
    folder: Path,
    *,
    csv: str = "Data_Entry_2017_v2020.csv",
    split: Split | None = (0.875, 0.125),
    seed: int = 0,
    stratify: bool = False,
    channels: int = 1,
    name: str = "chestxray14",
) -> Source:
    """ChestX-ray14: images with 14 labels each, in the official splits, divided by patient.

    Args:
        folder: holds the table, `train_val_list.txt`, `test_list.txt`, and the images in
            `images/` or in `images_001/images/` to `images_012/images/`.
        csv: the table's file name.
        split: fractions of train and val, drawn by patient from the official train_val list;
            (0.875, 0.125) makes 70 % train and 10 % val, as in the paper. None: no val.
        seed: another seed gives another split and another order on disk.
        stratify: whether the labels are balanced between train and val.
        channels: 1 or 3, to which the images will be decoded.
        name: the dataset's name.

    Returns:
        A source of encoded images and `labels`; "No Finding" is none of them.

    Raises:
        RequestError: a file is missing, or a row is in neither list.
        DataError: the table or a list is not what NIH published.
    """
    root = pathlib.Path(folder)
    return image_csv(
        root / csv,
        sorted(root.glob("images_*/images")) or root / "images",
        image_column="Image Index",
        label_column="Finding Labels",
        separator="|",
        empty="No Finding",
        class_names=NIH_CLASSES,
        split=split,
        lists={"train": root / "train_val_list.txt", "test": root / "test_list.txt"},
        seed=seed,
        group="Patient ID",
        stratify=stratify,
        channels=channels,
        name=name,
    )
