"""Looks at an encoded image before it becomes a record: what it is, and whether it decodes.

Example:

    facts = look(data, channels=3)          # raises Refused with the reason
    facts.height, facts.width, facts.orientation
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfpipe.decode import decode_image
from tfpipe.records.contents import GROUP, Content, content_of, contents_of
from tfpipe.records.headers import Header, pillows_pixels, read_header, read_with_pillow
from tfpipe.records.sources.base import Refused

MAX_PIXELS = 2**26
GROUP_PIXELS = 2**24  # decoded at once, so that they take little memory
_PLAIN = ("JPEG", "MPO", "PNG")

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Opened = tuple[bytes, Header]  # the data, and what `read_header` says of it


class Facts(NamedTuple):
    """What an image is: its stored size in pixels, its EXIF orientation, a digest of its pixels."""

    height: int
    width: int
    orientation: int
    digest: int


def look(data: bytes, channels: int, *, max_pixels: int = MAX_PIXELS) -> Facts:
    """Reads the header, then decodes the whole image once, as the reader will.

    Of an animation, the first frame counts. A palette is resolved, and an alpha channel dropped
    if it is opaque. Without EXIF that can be understood, the orientation is 1: upright.

    Args:
        data: the encoded bytes.
        channels: 1 or 3, what the image will be decoded to.
        max_pixels: larger images are refused before anything is allocated for them; of a GIF,
            all frames count together.

    Raises:
        Refused: the data is empty, no image, of a format or kind that would be decoded wrongly,
            too large, truncated or corrupt; with the reason.
    """
    return finish_look((data, read_header(data, max_pixels)), channels, max_pixels=max_pixels)


def finish_look(
    opened: Opened,
    channels: int,
    *,
    content: Content | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Facts:
    """The rest of `look`, once the header is known; and the content, if `decode_all` found it."""
    data, header = opened
    if content is None:
        header = read_with_pillow(data, max_pixels)  # which may know a better reason
        content = content_of(_decoded(data, channels))
    height, width, digest = content
    if (height, width) != (header.height, header.width):
        raise Refused(
            f"its header says {header.height}x{header.width} pixels, and it decodes to "
            f"{height}x{width}"
        )
    if header.may_be_transparent and pillows_pixels(data, "RGBA")[..., 3].min() < 255:
        raise Refused("it has transparent pixels; put it on a background first")
    if header.format in ("BMP", "GIF"):
        _refuse_misread(header, data)
    return Facts(height, width, header.orientation, digest)


def decode_all(images: dict[int, Opened], channels: int) -> dict[int, Content]:
    """Decodes many images in parallel, without Python.

    Args:
        images: by any number.
        channels: what they are decoded to.

    Returns:
        The contents of those JPEG and PNG images that decode; `finish_look` sees to the others.
    """
    contents: dict[int, Content] = {}
    for group in _groups(images):
        contents |= _decoded_together(group, images, channels)
    return contents


def look_at_mask(data: bytes, table: tuple[int, ...], *, max_pixels: int = MAX_PIXELS) -> Facts:
    """The same for a mask: grey, upright, and of greys that all have a class.

    Args:
        data: the encoded bytes.
        table: the class of each grey; -1 for a grey that must not occur.
        max_pixels: larger masks are refused.

    Raises:
        Refused: also for a palette or colours, whose grey values would not be the ones meant.
    """
    try:
        header = read_with_pillow(data, max_pixels)
        pixels = _decoded(data, 1)
        facts = finish_look((data, header), 1, content=content_of(pixels))
    except Refused as reason:
        raise Refused(f"the mask: {reason}") from None
    if header.mode not in ("1", "L"):
        raise Refused(f"the mask is of the kind {header.mode!r}; save its classes as grey values")
    if facts.orientation > 1:
        raise Refused(f"the mask's EXIF orientation is {facts.orientation}; save it upright")
    unknown = [int(grey) for grey in np.unique(pixels) if table[grey] < 0]
    if unknown:
        raise Refused(f"the mask holds greys without a class: {', '.join(map(str, unknown[:8]))}")
    return facts


def _groups(images: dict[int, Opened]) -> Iterator[list[int]]:
    group: list[int] = []
    pixels = 0
    for key, (_, header) in images.items():
        if header.format not in _PLAIN:
            continue
        size = header.width * header.height
        if len(group) == GROUP or (group and pixels + size > GROUP_PIXELS):
            yield group
            group, pixels = [], 0
        group.append(key)
        pixels += size
    if group:
        yield group


def _decoded_together(
    keys: list[int], images: dict[int, Opened], channels: int
) -> dict[int, Content]:
    try:
        found = contents_of([images[key][0] for key in keys], channels)
        return dict(zip(keys, found, strict=True))
    except tf.errors.OpError:  # of one of them, at least
        half = len(keys) // 2
        if not half:
            return {}
        first = _decoded_together(keys[:half], images, channels)
        return first | _decoded_together(keys[half:], images, channels)


def _decoded(data: bytes, channels: int) -> Pixels:
    try:
        return decode_image(data, channels).numpy()
    except tf.errors.OpError as error:
        problem = re.sub(r"\{\{.*?\}\}|\[Op:\w+\]", "", error.message).strip()
        raise Refused(f"truncated or corrupt ({problem})") from None


def _refuse_misread(header: Header, data: bytes) -> None:
    # TensorFlow takes the palette indices of a BMP for greys, among other things.
    if not np.array_equal(_decoded(data, 3), pillows_pixels(data, "RGB")):
        raise Refused(f"a kind of {header.format} that TensorFlow misreads; save it as PNG")
