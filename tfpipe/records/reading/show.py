"""A picture of a split: images with their labels, masks or boxes.

Example:

    show(manifest, "train", "train.png")
"""

import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from tfpipe.errors import RequestError, received
from tfpipe.files import Path, write_bytes
from tfpipe.records.codec import decoder, parse
from tfpipe.records.manifest import Manifest
from tfpipe.records.reading.salvage import sound_files
from tfpipe.report import grid

SIDE_PX = 320
# Okabe and Ito's colours for the colour-blind, without black: RGB.
COLOURS = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178),
    (213, 94, 0), (204, 121, 167),
)  # fmt: skip

Example = dict[str, Any]


def show(manifest: Manifest, split: str, path: Path, *, num_examples: int = 24) -> pathlib.Path:
    """Draws the first examples of a split as a grid, in a PNG file.

    The order on disk is a random one, so the first are a fair sample. Masks are laid over the
    image, boxes drawn with their classes, labels or targets written below.

    Args:
        manifest: what `records.write` or `records.load` returned.
        split: "train", "val", ...
        path: the file to write.
        num_examples: how many.

    Returns:
        The path.

    Raises:
        RequestError: the examples have no image, no such split, or none is to be drawn.
        DataError: a shard is not what the manifest says.

    Example:

    >>> show(manifest, "train", folder / "train.png").name
    'train.png'
    """
    if "image" not in manifest.features:
        raise RequestError(f"Expected examples with an `image`. {manifest.name!r} has none.")
    if num_examples < 1:
        raise RequestError(received("`num_examples` to be at least 1", num_examples=num_examples))
    examples = list(_decoded(manifest, split, num_examples))
    images = [_draw(example, manifest.class_names) for example in examples]
    captions = [_caption(example, manifest.class_names) for example in examples]
    return write_bytes(path, grid(images, captions))


def _decoded(manifest: Manifest, split: str, num_examples: int) -> Iterator[Example]:
    files, _ = sound_files(manifest, split, "refuse")
    decode = decoder(manifest.features)
    for record in tf.data.TFRecordDataset(files).take(num_examples):
        yield {
            key: value.numpy() for key, value in decode(parse(record, manifest.features)).items()
        }


def _draw(example: Example, class_names: Sequence[str]) -> np.ndarray[Any, Any]:
    image = np.broadcast_to(example["image"], (*example["image"].shape[:2], 3))
    scale = min(1.0, SIDE_PX / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    if "mask" in example:
        mask = example["mask"][..., 0].astype(np.int16)
        _lay_over(image, cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST))
    for box, label in zip(example.get("boxes", ()), example.get("classes", ()), strict=True):
        y1, x1, y2, x2 = (np.array(box) * [*size[::-1], *size[::-1]]).round().astype(int)
        last = (max(x1, x2 - 1), max(y1, y2 - 1))  # the box ends after this pixel
        cv2.rectangle(image, (x1, y1), last, COLOURS[label % len(COLOURS)], 1)
    return image


def _lay_over(image: np.ndarray[Any, Any], mask: np.ndarray[Any, Any]) -> None:
    for label in np.unique(mask[mask > 0]):  # class 0 is the background
        where = mask == label
        image[where] = image[where] // 2 + np.array(COLOURS[label % len(COLOURS)], np.uint8) // 2
    image[mask < 0] //= 4  # what is ignored


def _caption(example: Example, class_names: Sequence[str]) -> str:
    if "label" in example:
        return class_names[int(example["label"])]
    if "labels" in example:
        return ", ".join(class_names[int(i)] for i in np.flatnonzero(example["labels"])) or "none"
    if "classes" in example:
        counts = np.bincount(example["classes"], minlength=len(class_names))
        return (
            ", ".join(f"{n} {name}" for n, name in zip(counts, class_names, strict=True) if n)
            or "none"
        )
    if "target" in example:
        return ", ".join(f"{number:.4g}" for number in np.ravel(example["target"]))
    return example["id"].decode(errors="replace")
