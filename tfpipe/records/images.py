"""Looks at an encoded image before it becomes a record: what it is, and whether it decodes.

Example:

    facts = look(data, channels=3)          # raises Refused with the reason
    facts.height, facts.width, facts.orientation
"""

import io
import re
import struct
import warnings
import zlib
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image, UnidentifiedImageError

from tfpipe.decode import decode_image
from tfpipe.records.gifs import gif_pixels
from tfpipe.records.sources.base import Refused

MAX_PIXELS = 2**26
FORMATS = ("JPEG", "MPO", "PNG", "GIF", "BMP")  # MPO is what some cameras call a JPEG
ORIENTATION = 0x0112
_PNG_EXIF = (b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp")
_OPAQUE = ("1", "L", "P", "RGB")
_WITH_ALPHA = ("LA", "PA", "RGBA")


Pixels = np.ndarray[Any, np.dtype[np.uint8]]


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
    return _look(data, channels, max_pixels)[0]


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
        facts, header, pixels = _look(data, 1, max_pixels)
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


def _look(data: bytes, channels: int, max_pixels: int) -> tuple[Facts, Image.Image, Pixels]:
    header = _header(data, max_pixels)
    _refuse_kind(header, data)
    pixels = _decoded(data, channels)
    if pixels.shape[:2] != (header.height, header.width):
        raise Refused(
            f"its header says {header.height}x{header.width} pixels, and it decodes to "
            f"{pixels.shape[0]}x{pixels.shape[1]}"
        )
    _refuse_transparent(header)
    _refuse_misread(header, data)
    facts = Facts(header.height, header.width, _orientation(header, data), _digest(pixels))
    return facts, header, pixels


def _header(data: bytes, max_pixels: int) -> Image.Image:
    if not data:
        raise Refused("the file is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a bomb is refused just below
            header = Image.open(io.BytesIO(data))
    except UnidentifiedImageError:
        raise Refused(f"not an image; it begins with {data[:16]!r}") from None
    except Image.DecompressionBombError:
        limit = min(max_pixels, 2 * (Image.MAX_IMAGE_PIXELS or max_pixels))
        raise Refused(f"larger than {limit:,} pixels") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise Refused(f"its header is damaged ({error})") from None
    if header.width * header.height > max_pixels:
        raise Refused(f"{header.height}x{header.width} is larger than {max_pixels:,} pixels")
    if header.format == "GIF" and gif_pixels(data) > max_pixels:
        raise Refused(f"its frames together are larger than {max_pixels:,} pixels")
    return header


def _refuse_kind(header: Image.Image, data: bytes) -> None:
    if header.format not in FORMATS:
        raise Refused(f"a {header.format} file; JPEG, PNG, GIF and BMP can be read")
    depth = data[24] if header.format == "PNG" else 8
    if depth > 8 or header.mode.startswith(("I", "F")):
        raise Refused("more than 8 bits per channel; save it with 8, scaled as it should be")
    if header.mode not in _OPAQUE + _WITH_ALPHA:
        raise Refused(f"its pixels are of the kind {header.mode!r}; save it as grey or RGB")


def _decoded(data: bytes, channels: int) -> Pixels:
    try:
        return decode_image(data, channels).numpy()
    except tf.errors.OpError as error:
        problem = re.sub(r"\{\{.*?\}\}|\[Op:\w+\]", "", error.message).strip()
        raise Refused(f"truncated or corrupt ({problem})") from None


def _refuse_transparent(header: Image.Image) -> None:
    if header.mode not in _WITH_ALPHA and "transparency" not in header.info:
        return
    if _converted(header, "RGBA")[..., 3].min() < 255:
        raise Refused("it has transparent pixels; put it on a background first")


def _refuse_misread(header: Image.Image, data: bytes) -> None:
    # TensorFlow takes the palette indices of a BMP for greys, among other things.
    if header.format not in ("BMP", "GIF"):
        return
    if not np.array_equal(_decoded(data, 3), _converted(header, "RGB")):
        raise Refused(f"a kind of {header.format} that TensorFlow misreads; save it as PNG")


def _converted(header: Image.Image, mode: str) -> Pixels:
    """The pixels as Pillow decodes them."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(header.convert(mode))
    except (OSError, ValueError, SyntaxError) as error:
        raise Refused(f"truncated or corrupt ({error})") from None


def _orientation(header: Image.Image, data: bytes) -> int:
    # Looking for EXIF, Pillow would decode a whole PNG again.
    if header.format == "PNG" and not any(word in data for word in _PNG_EXIF):
        return 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = header.getexif().get(ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError, struct.error):
        return 1
    return value if value in range(1, 9) else 1


def _digest(pixels: Pixels) -> int:
    # Two quick checksums in one number: chance would need billions of images to repeat it.
    shape = zlib.crc32(str(pixels.shape).encode())
    data = np.ascontiguousarray(pixels).tobytes()
    return zlib.crc32(data, shape) << 32 | zlib.adler32(data)
