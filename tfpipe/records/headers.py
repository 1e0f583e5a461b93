"""The header of an encoded image: all that can be told before anything is decoded.

Example:

    header = read_header(data, max_pixels=2**26)        # raises Refused with the reason
    header.format, header.height, header.width
"""

import io
import struct
import warnings
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from tfpipe.records.gifs import gif_pixels
from tfpipe.records.jpegs import plain_jpeg
from tfpipe.records.pngs import plain_png
from tfpipe.records.sources.base import Refused

FORMATS = ("JPEG", "MPO", "PNG", "GIF", "BMP")  # MPO is what some cameras call a JPEG
ORIENTATION = 0x0112
_OPAQUE = ("1", "L", "P", "RGB")
_WITH_ALPHA = ("LA", "PA", "RGBA")
_PNG_EXIF = (b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp")


class Header(NamedTuple):
    """An image's format and mode as Pillow calls them, its stored size, and EXIF's orientation."""

    format: str
    mode: str
    height: int
    width: int
    orientation: int = 1
    may_be_transparent: bool = False


def read_header(data: bytes, max_pixels: int) -> Header:
    """Reads a header, and refuses what would not be decoded as it should.

    Raises:
        Refused: the data is empty, no image, of a format or kind that would be decoded wrongly,
            or larger than so many pixels; of a GIF, all frames count together.
    """
    largest = min(max_pixels, Image.MAX_IMAGE_PIXELS or max_pixels)
    for kind, plain in (("JPEG", plain_jpeg), ("PNG", plain_png)):
        found = plain(data)
        if found is not None and found[1] * found[2] <= largest:
            return Header(kind, *found)  # Pillow would say the same, four times as slowly
    return read_with_pillow(data, max_pixels)


def read_with_pillow(data: bytes, max_pixels: int) -> Header:
    """The same, for every kind of image, and with every reason to refuse one."""
    image = _opened(data, max_pixels)
    if image.width * image.height > max_pixels:
        raise Refused(f"{image.height}x{image.width} is larger than {max_pixels:,} pixels")
    if image.format == "GIF" and gif_pixels(data) > max_pixels:
        raise Refused(f"its frames together are larger than {max_pixels:,} pixels")
    _refuse_kind(image, data)
    may_be_transparent = image.mode in _WITH_ALPHA or "transparency" in image.info
    size = (image.height, image.width)
    turned = _orientation(image, data)
    return Header(str(image.format), image.mode, *size, turned, may_be_transparent)


def pillows_pixels(data: bytes, mode: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The pixels of an image, in this mode, as Pillow decodes them.

    Raises:
        Refused: it cannot.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(Image.open(io.BytesIO(data)).convert(mode))
    except (OSError, ValueError, SyntaxError) as error:
        raise Refused(f"truncated or corrupt ({error})") from None


def _opened(data: bytes, max_pixels: int) -> Image.Image:
    if not data:
        raise Refused("the file is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a bomb is refused by who asked
            return Image.open(io.BytesIO(data))
    except UnidentifiedImageError:
        raise Refused(_no_image(data)) from None
    except Image.DecompressionBombError:
        limit = min(max_pixels, 2 * (Image.MAX_IMAGE_PIXELS or max_pixels))
        raise Refused(f"larger than {limit:,} pixels") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise Refused(f"its header is damaged ({error})") from None


def _no_image(data: bytes) -> str:
    if data[128:132] == b"DICM":
        return "a DICOM file; save its pixels as PNG"
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        return "a HEIC file; save it as JPEG or PNG"
    return f"not an image; it begins with {data[:16]!r}"


def _refuse_kind(image: Image.Image, data: bytes) -> None:
    if image.format not in FORMATS:
        raise Refused(f"a {image.format} file; JPEG, PNG, GIF and BMP can be read: save it as PNG")
    depth = data[24] if image.format == "PNG" else 8
    if depth > 8 or image.mode.startswith(("I", "F")):
        raise Refused("more than 8 bits per channel; save it with 8, scaled as it should be")
    if image.mode not in _OPAQUE + _WITH_ALPHA:
        raise Refused(f"its pixels are of the kind {image.mode!r}; save it as grey or RGB")


def _orientation(image: Image.Image, data: bytes) -> int:
    """1, upright, where there is no EXIF that can be understood."""
    # Looking for EXIF, Pillow would decode a whole PNG again.
    if image.format == "PNG" and not any(word in data for word in _PNG_EXIF):
        return 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = image.getexif().get(ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError, struct.error):
        return 1
    return value if value in range(1, 9) else 1
