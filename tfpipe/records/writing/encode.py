"""From a source's example to its record, in three steps, the middle one of which is not Python.

Example:

    drafts = [draft(example, features) for example in examples]
    contents = decode_drafts(drafts, features)              # the long one; best in a thread
    encoded = finish(drafts, contents, features)
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfpipe.records.codec import to_record
from tfpipe.records.contents import Content
from tfpipe.records.headers import read_header
from tfpipe.records.images import MAX_PIXELS, Facts, Opened, decode_all, finish_look
from tfpipe.records.mask_images import Mask, look_at_mask
from tfpipe.records.sources.base import Example, Feature, Refused
from tfpipe.records.values import stored


class Encoded(NamedTuple):
    """What became of one example: its record, or the reason why there is none."""

    record: bytes = b""
    refused: str = ""
    notes: tuple[str, ...] = ()
    classes: tuple[int, ...] = ()
    size_px: tuple[int, int] = (0, 0)
    digest: int = 0


Contents = dict[int, Content | Refused]


class Draft(NamedTuple):
    """An example of which everything is known that is known without decoding."""

    example: Example
    values: Example
    image: Opened | None = None
    refused: str = ""


def encode(
    example: Example, features: Mapping[str, Feature], *, max_pixels: int = MAX_PIXELS
) -> Encoded:
    """Checks one example and makes its record: always the same bytes for the same example.

    >>> done = encode({"id": "a", "label": 3}, {"label": Feature("label")})
    >>> done.classes, len(done.record)
    ((3,), 31)
    """
    return encode_batch([example], features, max_pixels=max_pixels)[0]


def encode_batch(
    examples: Sequence[Example], features: Mapping[str, Feature], *, max_pixels: int = MAX_PIXELS
) -> list[Encoded]:
    """The same for many, whose images are decoded together."""
    drafts = [draft(example, features, max_pixels=max_pixels) for example in examples]
    contents = decode_drafts(drafts, features)
    return finish(drafts, contents, features, max_pixels=max_pixels)


def draft(
    example: Example, features: Mapping[str, Feature], *, max_pixels: int = MAX_PIXELS
) -> Draft:
    """The first step: reads the example's files, and the header of its image."""
    try:
        if "refused" in example:
            raise Refused(example["refused"])
        values = stored(example, features)
        if "image" not in features:
            return Draft(example, values)
        image = values["image"]
        return Draft(example, values, (image, read_header(image, max_pixels)))
    except Refused as reason:
        return Draft(example, {}, refused=str(reason))


def decode_drafts(drafts: Sequence[Draft], features: Mapping[str, Feature]) -> Contents:
    """The second step: the contents of the images, by the places of their drafts."""
    images = {place: draft.image for place, draft in enumerate(drafts) if draft.image}
    return decode_all(images, features["image"].channels) if images else {}


def finish(
    drafts: Sequence[Draft],
    contents: Contents,
    features: Mapping[str, Feature],
    *,
    max_pixels: int = MAX_PIXELS,
) -> list[Encoded]:
    """The last step: the records, and for what could not become one, the reason."""
    return [
        _finished(draft, contents.get(place), features, max_pixels=max_pixels)
        for place, draft in enumerate(drafts)
    ]


def _finished(
    draft: Draft,
    content: Content | Refused | None,
    features: Mapping[str, Feature],
    *,
    max_pixels: int,
) -> Encoded:
    example, values, image, refused = draft
    if refused:
        return Encoded(refused=refused)
    try:
        facts, mask = None, None
        if image is not None and content is not None:
            facts = finish_look(image, content, max_pixels=max_pixels)
            _refuse_other_size(facts, features)
            mask = _look_at_mask(values, facts, features, max_pixels)
            _refuse_misfits(example, facts)
    except Refused as reason:
        return Encoded(refused=str(reason))
    turned = facts.orientation if facts else None
    return Encoded(
        record=to_record(example["id"], values, features, orientation=turned),
        notes=tuple(example.get("notes", ())),
        classes=mask.classes if mask else _classes(values, features),
        size_px=(facts.height, facts.width) if facts else (0, 0),
        digest=facts.digest if facts else _digest(values),
    )


def _refuse_other_size(facts: Facts, features: Mapping[str, Feature]) -> None:
    size = (facts.height, facts.width)
    fixed = tuple(features["image"].shape[:2])
    upright = size[::-1] if facts.orientation > 4 else size
    if any(want not in (None, found) for want, found in zip(fixed, upright, strict=True)):
        raise Refused(
            f"expected an image of {fixed[0]}x{fixed[1]} pixels, found {upright[0]}x{upright[1]}"
        )


def _look_at_mask(
    values: Example, facts: Facts, features: Mapping[str, Feature], max_pixels: int
) -> Mask | None:
    if "mask" not in features:
        return None
    mask = look_at_mask(values["mask"], features["mask"].table, max_pixels=max_pixels)
    if (mask.height, mask.width) != (facts.height, facts.width):
        raise Refused(
            f"the image has {facts.height}x{facts.width} pixels, the mask "
            f"{mask.height}x{mask.width}; make them of one size"
        )
    return mask


def _refuse_misfits(example: Example, facts: Facts) -> None:
    size = (facts.height, facts.width)
    claimed = example.get("size_px", size)
    if tuple(claimed) != size:
        raise Refused(
            f"the annotation is for {claimed[0]}x{claimed[1]} pixels, the image has "
            f"{size[0]}x{size[1]}"
        )
    if facts.orientation > 1 and ("boxes" in example or "mask" in example):
        raise Refused(
            f"its EXIF orientation is {facts.orientation}, and nothing says whether the boxes or "
            "the mask are for the turned image; save the image upright"
        )


def _classes(values: Example, features: Mapping[str, Feature]) -> tuple[int, ...]:
    """The classes that occur, once for each label or box."""
    if "label" in features:
        return (int(values["label"]),)
    if "labels" in features:
        return tuple(int(index) for index in np.flatnonzero(values["labels"]))
    return tuple(map(int, values["classes"])) if "classes" in features else ()


def _digest(values: Example) -> int:
    content = values["text"] if "text" in values else _as_stored(values.get("sequence", ()))
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest()) & ~1  # no sketch


def _as_stored(sequence: Any) -> bytes:
    return np.asarray(sequence, np.float32).tobytes()
