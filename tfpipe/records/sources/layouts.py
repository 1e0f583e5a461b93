"""Recognises what a folder holds when it is not what was expected, and names the right function."""

import pathlib

from tfpipe.records.sources.listing import folders, is_image_name, loose_files


def explain(folder: pathlib.Path) -> str:
    """What is in a folder and, if it resembles a known layout, the function for that.

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
    advice = resembles(inside, loose)
    return f"Found: {shown}{more}." + (f" {advice}" if advice else "")


def resembles(inside: list[str], loose: list[str]) -> str | None:
    """The advice for folders and files of these names; None if they resemble nothing known."""
    lower = {name.lower() for name in inside}
    if "annotations" in lower or any(name.endswith(".xml") for name in loose):
        return "For Pascal VOC annotations use `voc_boxes`."
    if {"images", "labels"} <= lower or any(name.endswith((".yaml", ".yml")) for name in loose):
        return "For a data.yaml with images/ and labels/ use `yolo_boxes`."
    if {"images", "masks"} <= lower:
        return "For images and their masks use `mask_folder`."
    if any("-ubyte" in name for name in loose):
        return "For idx files use `idx`."
    if any(name.lower().endswith((".csv", ".tsv")) for name in loose):
        return "For a table beside the images use `image_csv`."
    if any(is_image_name(name) for name in loose):
        return "For images without folders, put their labels in a table and use `image_csv`."
    return None
