"""Looks at an encoded image before it becomes a record: what it is, and whether it decodes.

Example:

    facts = look(data, channels=3)          # raises Refused with the reason
    facts.height, facts.width, facts.orientation
"""

import hashlib
import io
import warnings
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image, UnidentifiedImageError

from tfpipe.decode import decode_image
from tfpipe.records.sources import Refused

MAX_PIXELS = 2**26
FORMATS = ("JPEG", "MPO", "PNG", "GIF", "BMP")  # MPO is what some cameras call a JPEG
ORIENTATION = 0x0112
_OPAQUE = ("1", "L", "P", "RGB")
_WITH_ALPHA = ("LA", "PA", "RGBA")


class Facts(NamedTuple):
    """What an image is: its stored size in pixels, its EXIF orientation, a digest of its pixels."""

    height: int
    width: int
    orientation: int
    digest: int


def look(data: bytes, channels: int, *, max_pixels: int = MAX_PIXELS) -> Facts:
    """Reads the header, then decodes the whole image once, as the reader will.

    Of an animation, the first frame counts. A palette is resolved, and an alpha channel dropped
    if it is opaque.

    Args:
        data: the encoded bytes.
        channels: 1 or 3, what the image will be decoded to.
        max_pixels: larger images are refused before anything is allocated for them.

    Raises:
        Refused: the data is empty, no image, of a format or kind that would be decoded wrongly,
            too large, truncated or corrupt; with the reason.
    """
    header = _header(data, max_pixels)
    _refuse_kind(header, data)
    pixels = _decoded(data, channels)
    if pixels.shape[:2] != (header.height, header.width):
        raise Refused(
            f"its header says {header.height}x{header.width} pixels, and it decodes to "
            f"{pixels.shape[0]}x{pixels.shape[1]}"
        )
    _refuse_transparent(header)
    return Facts(header.height, header.width, _orientation(header), _digest(pixels))


def look_at_mask(data: bytes, table: tuple[int, ...], *, max_pixels: int = MAX_PIXELS) -> Facts:
    """The same for a mask: grey, and of greys that all have a class.

    Args:
        data: the encoded bytes.
        table: the class of each grey; -1 for a grey that must not occur.
        max_pixels: larger masks are refused.

    Raises:
        Refused: also for a palette or colours, whose grey values would not be the ones meant.
    """
    facts = look(data, 1, max_pixels=max_pixels)
    with Image.open(io.BytesIO(data)) as image:
        if image.mode not in ("1", "L"):
            raise Refused(
                f"the mask is of the kind {image.mode!r}; save its classes as grey values"
            )
    greys = np.unique(_decoded(data, 1))
    unknown = [int(grey) for grey in greys if table[grey] < 0]
    if unknown:
        raise Refused(f"the mask holds greys without a class: {', '.join(map(str, unknown[:8]))}")
    return facts


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
        raise Refused(f"larger than {max_pixels:,} pixels") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise Refused(f"its header is damaged ({error})") from None
    if header.width * header.height > max_pixels:
        raise Refused(f"{header.height}x{header.width} is larger than {max_pixels:,} pixels")
    return header


def _refuse_kind(header: Image.Image, data: bytes) -> None:
    if header.format not in FORMATS:
        raise Refused(f"a {header.format} file; JPEG, PNG, GIF and BMP can be read")
    depth = data[24] if header.format == "PNG" else 8
    if depth > 8 or header.mode.startswith(("I", "F")):
        raise Refused("more than 8 bits per channel; save it with 8, scaled as it should be")
    if header.mode not in _OPAQUE + _WITH_ALPHA:
        raise Refused(f"its pixels are of the kind {header.mode!r}; save it as grey or RGB")


def _decoded(data: bytes, channels: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    try:
        return decode_image(data, channels).numpy()
    except tf.errors.OpError as error:
        problem = error.message.split("[Op:")[0].split("{{")[0].strip().splitlines()
        raise Refused(
            f"truncated or corrupt ({problem[0] if problem else 'no reason given'})"
        ) from None


def _refuse_transparent(header: Image.Image) -> None:
    if header.mode not in _WITH_ALPHA and "transparency" not in header.info:
        return
    alpha = np.asarray(header.convert("RGBA").getchannel("A"))
    if alpha.min() < 255:
        raise Refused("it has transparent pixels; put it on a background first")


def _orientation(header: Image.Image) -> int:
    value = header.getexif().get(ORIENTATION, 1)
    return value if value in range(1, 9) else 1


def _digest(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> int:
    shape = str(pixels.shape).encode()
    return int.from_bytes(hashlib.blake2b(shape + pixels.tobytes(), digest_size=8).digest())
