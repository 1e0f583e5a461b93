"""Images and their masks (semantic segmentation) in two folders, as a source.

Example:

    source = mask_folder("tiles/images", "tiles/masks", classes=127, class_names=("free", "defect"))
"""

import os
import pathlib
from collections.abc import Callable, Mapping, Sequence

from tfpipe.errors import RequestError, one_of, received
from tfpipe.files import Path
from tfpipe.records.sources.base import Entry, Example, Feature, Source, as_image, from_entries
from tfpipe.records.sources.division import Group, divide
from tfpipe.records.sources.layouts import require_part
from tfpipe.records.sources.listing import Found, by_stem, path_of
from tfpipe.records.sources.names import dataset_name, few, numbered_names
from tfpipe.records.sources.splits import Given, Split

GREYS = 256
IGNORED, NO_CLASS = -1, -2  # in a table of classes
UNPAIRED = ("error", "refuse")


def mask_folder(
    images: Path,
    masks: Path,
    *,
    classes: int | Mapping[int, int],
    class_names: Sequence[str] | None = None,
    mask_stem: Callable[[str], str] | None = None,
    unpaired: str = "error",
    split: Split | Given | None = None,
    seed: int = 0,
    group: Group = None,
    channels: int = 3,
    name: str | None = None,
) -> Source:
    """Images with a mask each, paired by their stems: `images/a.jpg` and `masks/a.png`.

    Args:
        images: the folder of images; folders in it count as part of the stem ("day1/a").
        masks: the folder of masks: grey images, each of its image's size.
        classes: from a mask's grey value to the class: a threshold (greys above it are class 1,
            the others class 0), or a mapping from each grey to its class, or to -1 for pixels
            that count neither in the loss nor in a score, as {0: 0, 1: 1, 255: -1}. A mask with
            another grey is refused when it is written.
        class_names: one name per class; "0", "1", ... if None.
        mask_stem: from a mask's stem to its image's, where they differ:
            `lambda stem: stem.removesuffix("_mask")`.
        unpaired: "error", or "refuse" to refuse, by name, images without a mask and masks
            without an image.
        split: fractions of train, val and test, or a dict of them; or each example's split, as
            a mapping from the stem (`csv_column(...)` reads one) or a function of it. None:
            (0.7, 0.2, 0.1).
        seed: another seed gives another split and another order on disk.
        group: a function of the stem, or a mapping from it: a group is never divided.
        channels: 3 or 1, to which the images will be decoded.
        name: the dataset's name; the name of the folder around `images` if None.

    Returns:
        A source of encoded images and masks; an id is the stem.

    Raises:
        RequestError: a folder is missing or empty, or the same one is given twice, two files have
            the same stem, images and masks do not pair, or an argument does not fit this
            description.

    Example:

    >>> import tempfile
    >>> root = pathlib.Path(tempfile.mkdtemp())
    >>> for file in ("images/a.jpg", "masks/a.png"):
    ...     (root / file).parent.mkdir()
    ...     _ = (root / file).write_bytes(b"...")
    >>> source = mask_folder(root / "images", root / "masks", classes=127, name="tiles")
    >>> source.class_names, [example["id"] for example in source]
    (('0', '1'), ['a'])
    """
    if unpaired not in UNPAIRED:
        raise RequestError(one_of("unpaired", unpaired, UNPAIRED))
    _require_two_folders(images, masks)
    table = as_table(classes)
    image_of = by_stem(require_part(images, "images", "mask_folder"), "images")
    mask_of = by_stem(require_part(masks, "masks", "mask_folder"), "masks", mask_stem)
    ids = sorted(image_of.keys() | mask_of.keys())
    if unpaired == "error":
        _require_pairs(image_of, mask_of)
    names = numbered_names(class_names, max(table))
    division = divide(ids, split, seed, group=group)

    def load(stem: str) -> Example:
        return {
            "image": path_of(stem, image_of, images, "image"),
            "mask": path_of(stem, mask_of, masks, "mask"),
        }

    return from_entries(
        dataset_name(name, pathlib.Path(images).resolve().parent),
        [Entry(key, part, key) for key, part in zip(ids, division.parts, strict=True)],
        load,
        features={"image": as_image(channels), "mask": Feature("mask", table=table)},
        class_names=names,
        rule=division.rule,
        seed=seed,
    )


def as_table(classes: int | Mapping[int, int]) -> tuple[int, ...]:
    """The class of each grey from 0 to 255; -1 to be ignored, -2 for one that must not occur.

    >>> as_table(127)[126:130], as_table({0: 0, 254: 1, 255: -1})[253:]
    ((0, 0, 1, 1), (-2, 1, -1))

    Raises:
        RequestError: the threshold leaves no grey for a class, or the mapping is not one from
            greys to classes 0, 1, ... without a gap.
    """
    if isinstance(classes, int) and not isinstance(classes, bool) and 0 <= classes < GREYS - 1:
        return tuple(int(grey > classes) for grey in range(GREYS))
    expected = (
        "`classes` to be a threshold from 0 to 254, or a mapping from greys (0 to 255) to "
        "classes 0, 1, ... without a gap, or to -1 to be ignored"
    )
    if not isinstance(classes, Mapping) or not set(classes) <= set(range(GREYS)):
        raise RequestError(received(expected, classes=classes))
    used = set(classes.values()) - {IGNORED}
    if not used or used != set(range(len(used))):
        raise RequestError(received(expected, classes=dict(classes)))
    return tuple(int(classes.get(grey, NO_CLASS)) for grey in range(GREYS))


def _require_two_folders(images: Path, masks: Path) -> None:
    """Of one folder alone, each file would be its own mask."""
    if pathlib.Path(images).resolve() == pathlib.Path(masks).resolve():
        raise RequestError(
            f"Expected `images` and `masks` to be two folders. Received {os.fspath(images)!r} for "
            "both. Move the masks to a folder of their own."
        )


def _require_pairs(image_of: Mapping[str, Found], mask_of: Mapping[str, Found]) -> None:
    alone = sorted(image_of[stem].id for stem in image_of.keys() - mask_of.keys())
    bare = sorted(mask_of[stem].id for stem in mask_of.keys() - image_of.keys())
    if alone or bare:
        without = [f"{len(alone)} images have no mask: {few(alone)}."] if alone else []
        without += [f"{len(bare)} masks have no image: {few(bare)}."] if bare else []
        raise RequestError(
            f"Expected each image to have a mask of the same stem. {' '.join(without)} Mend the "
            f"names, pass `mask_stem={_renaming(image_of, mask_of)}`, or pass "
            '`unpaired="refuse"`.'
        )


def _renaming(image_of: Mapping[str, Found], mask_of: Mapping[str, Found]) -> str:
    """The function that makes masks' stems those of images, if they all end in the same way."""
    first = min(mask_of)
    ends = {first.removeprefix(stem) for stem in image_of if first.startswith(stem)}
    for end in sorted(ends - {""}):
        if all(stem.removesuffix(end) in image_of and stem.endswith(end) for stem in mask_of):
            return f"lambda stem: stem.removesuffix({end!r})"
    return ""
