"""Looks at an encoded image before it becomes a record: what it is, and whether it decodes.

Example:

    facts = look(data, channels=3)          # raises Refused with the reason
    facts.height, facts.width, facts.orientation
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfpipe.decode import decode_image
from tfpipe.records.contents import (
    GROUP,
    Content,
    content_of,
    jpeg_content,
    jpeg_contents,
    png_content,
    png_contents,
)
from tfpipe.records.headers import Header, pillows_pixels, read_header, read_with_pillow
from tfpipe.records.sources.base import Refused

MAX_PIXELS = 2**26
GROUP_PIXELS = 2**24  # decoded at once, so that they take little memory
JPEG = ("JPEG", "MPO")
PNG = ("PNG",)

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Opened = tuple[bytes, Header]  # the data, and what `read_header` says of it


class Facts(NamedTuple):
    """What an image is: its stored size in pixels, its EXIF orientation, a digest of its pixels.

    Of most it is a sketch; see `tfpipe.records.contents`.
    """

    height: int
    width: int
    orientation: int
    digest: int


def look(data: bytes, channels: int, *, max_pixels: int = MAX_PIXELS) -> Facts:
    """Reads the header, then decodes all that is stored, but not always to pixels.

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
    opened = (data, read_header(data, max_pixels))
    return finish_look(opened, _decoded_alone(opened, channels), max_pixels=max_pixels)


def finish_look(
    opened: Opened, content: Content | Refused, *, max_pixels: int = MAX_PIXELS
) -> Facts:
    """The end of `look`, from what `read_header` and `decode_all` found."""
    data, header = opened
    if isinstance(content, Refused):
        read_with_pillow(data, max_pixels)  # which may know a better reason
        raise content
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


def decode_all(images: dict[int, Opened], channels: int) -> dict[int, Content | Refused]:
    """Decodes many images, and as many as possible in parallel.

    Args:
        images: by any number.
        channels: what they are decoded to.

    Returns:
        For each of them its content, or why it does not decode.
    """
    contents: dict[int, Content | Refused] = {}
    for formats, decode in ((JPEG, jpeg_contents), (PNG, png_contents)):
        for group in _groups(images, formats):
            # One that is damaged fails its group.
            with contextlib.suppress(tf.errors.OpError):
                found = decode([images[key][0] for key in group], channels)
                contents.update(zip(group, found, strict=True))
    alone = images.keys() - contents.keys()
    return contents | {key: _decoded_alone(images[key], channels) for key in alone}


def _groups(images: dict[int, Opened], formats: Sequence[str]) -> Iterator[list[int]]:
    """Those of these formats, two or more at a time."""
    group: list[int] = []
    pixels = 0
    for key, (_, header) in images.items():
        if header.format not in formats:
            continue
        size = header.width * header.height
        if len(group) == GROUP or (group and pixels + size > GROUP_PIXELS):
            if len(group) > 1:
                yield group
            group, pixels = [], 0
        group.append(key)
        pixels += size
    if len(group) > 1:
        yield group


def _decoded_alone(opened: Opened, channels: int) -> Content | Refused:
    data, header = opened
    try:
        with _reasons():
            if header.format in JPEG:
                return jpeg_content(data, channels)
            if header.format in PNG:
                return png_content(data, channels)
        return content_of(pixels_of(data, channels))
    except Refused as reason:
        return reason


def pixels_of(data: bytes, channels: int) -> Pixels:
    """The pixels as the reader decodes them, before EXIF's orientation.

    Raises:
        Refused: they are truncated or corrupt.
    """
    with _reasons():
        return decode_image(data, channels).numpy()


@contextlib.contextmanager
def _reasons() -> Iterator[None]:
    """Makes TensorFlow's errors refusals."""
    try:
        yield
    except tf.errors.OpError as error:
        problem = re.sub(r"\{\{.*?\}\}|\[Op:\w+\]", "", error.message).strip()
        raise Refused(f"truncated or corrupt ({problem})") from None


def _refuse_misread(header: Header, data: bytes) -> None:
    # TensorFlow takes the palette indices of a BMP for greys, among other things.
    if not np.array_equal(pixels_of(data, 3), pillows_pixels(data, "RGB")):
        raise Refused(f"a kind of {header.format} that TensorFlow misreads; save it as PNG")
