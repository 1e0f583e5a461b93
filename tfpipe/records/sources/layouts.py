"""Recognises what a folder holds when it is not what was expected, and names the right function."""

import pathlib
from collections.abc import Sequence

from tfpipe.errors import RequestError
from tfpipe.files import Path
from tfpipe.records.sources.listing import folders, is_image_name, loose_files, require_folder
from tfpipe.records.sources.splits import split_within

ADVICE = {
    "chestxray14": "For NIH's ChestX-ray14 use `chestxray14`.",
    "voc_boxes": "For Pascal VOC annotations use `voc_boxes`.",
    "yolo_boxes": "For a data.yaml with images/ and labels/ use `yolo_boxes`.",
    "mask_folder": "For images and their masks use `mask_folder`.",
    "idx": "For idx files use `idx`.",
    "image_csv": "For a table beside the images use `image_csv`.",
    "text_lines": "For a file of texts for each class use `text_lines`.",
    "loose images": (
        "For images without folders, put their labels in a table and use `image_csv`."
    ),
    "image_folder": "For a folder of images for each class use `image_folder`.",
}

IMAGES = {"images", "image", "imgs", "img"}
MASKS = {"masks", "mask", "gt", "ground_truth", "groundtruth", "segmentation", "label", "labels"}


def explain(folder: pathlib.Path, asked: str = "") -> str:
    """What is in a folder and, if it resembles a known layout, the function for that.

    Args:
        folder: an existing one.
        asked: the function that wanted something else, which is no advice.

    >>> import tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> explain(folder)
    'Found: nothing.'
    >>> _ = (folder / "labels.csv").write_text("image,label"), (folder / "a.png").write_bytes(b"")
    >>> explain(folder)
    "Found: 'a.png', 'labels.csv'. For a table beside the images use `image_csv`."
    """
    inside, loose = folders(folder), loose_files(folder)
    listed = [f"{name}/" for name in inside] + loose
    shown = ", ".join(repr(name) for name in listed[:6]) or "nothing"
    more = f" and {len(listed) - 6} more" if len(listed) > 6 else ""
    layout = resembles(inside, loose) or ("image_folder" if holds_classes(folder) else None)
    if layout is None and asked == "image_folder":
        return f"Found: {shown}{more}.{_deeper(folder, inside)}"
    advice = f" {ADVICE[layout]}" if layout and layout != asked else ""
    return f"Found: {shown}{more}.{advice}"


def _deeper(folder: pathlib.Path, inside: Sequence[str]) -> str:
    """Where the classes' folders are, if there is one more folder around them."""
    holding = [str(folder / name) for name in inside if holds_classes(folder / name)]
    return f" Folders of classes are in {holding[0]!r}." if len(holding) == 1 else ""


def resembles(inside: Sequence[str], loose: Sequence[str]) -> str | None:
    """The layout, a key of `ADVICE`, that folders and files of these names resemble.

    >>> resembles(["Annotations", "JPEGImages"], []), resembles(["cat", "dog"], ["README.md"])
    ('voc_boxes', None)
    """
    folders, files = {name.lower() for name in inside}, [name.lower() for name in loose]
    texts = [name for name in files if not is_image_name(name)]
    if {"train_val_list.txt", "test_list.txt"} <= set(files) or "data_entry" in " ".join(files):
        return "chestxray14"
    if "annotations" in folders or any(name.endswith(".xml") for name in files):
        return "voc_boxes"
    if {"images", "labels"} <= folders or any(name.endswith((".yaml", ".yml")) for name in files):
        return "yolo_boxes"
    if folders & IMAGES and folders & MASKS:
        return "mask_folder"
    if any("-ubyte" in name for name in files):
        return "idx"
    if any(name.endswith((".csv", ".tsv")) for name in files):
        return "image_csv"
    if any("neg" in name for name in texts) and any("pos" in name for name in texts):
        return "text_lines"
    return "loose images" if len(texts) < len(files) else None


def holds_classes(folder: pathlib.Path) -> bool:
    """Whether there is a folder of images for each of two or more classes, divided or not."""
    inside = folders(folder)
    if inside and all(map(split_within, inside)):
        return holds_classes(folder / inside[0])
    return (
        len(inside) > 1
        and not resembles(inside, ())
        and all(any(is_image_name(name) for name in loose_files(folder / each)) for each in inside)
    )


def require_part(path: Path, argument: str, asked: str) -> pathlib.Path:
    """Checks that a folder is where a layout has it.

    Args:
        path: the folder, in the layout's.
        argument: what the user calls it.
        asked: the layout's function.

    Raises:
        RequestError: there is none; says what is beside it, and what that resembles.
    """
    folder = pathlib.Path(path)
    if folder.exists() or not folder.parent.is_dir():
        return require_folder(folder, argument)
    deeper = [p for depth in ("*", "*/*") for p in folder.parent.glob(f"{depth}/{folder.name}")]
    there = f" There is one in {str(min(deeper).parent)!r}." if deeper else ""
    raise RequestError(
        f"Expected a folder {folder.name!r} (`{argument}`) in {str(folder.parent)!r}. "
        f"{explain(folder.parent, asked)}{there}"
    )
