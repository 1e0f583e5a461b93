"""The size of a plain JPEG, without EXIF and the like, from its header: the quick way.

Source of the format: ITU-T T.81 (1992), annex B: after SOI come segments of 0xFF, a marker, a
length that counts itself, and what they hold; after SOS come the pixels.
"""

import struct

_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended and progressive, in Huffman's code
_TABLES = (0xC4, 0xDB, 0xDD, 0xFE)  # DHT, DQT, DRI; and COM, a comment
_JFIF, _ADOBE, _SCAN = 0xE0, 0xEE, 0xDA
_MODES = {1: "L", 3: "RGB"}


def plain_jpeg(data: bytes) -> tuple[str, int, int] | None:
    """Pillow's name of the mode, the height and the width; None if only Pillow can tell.

    >>> plain_jpeg(b"GIF89a") is None
    True
    """
    found = None
    place = 2
    try:
        while data[:2] == b"\xff\xd8":
            start, marker, length = struct.unpack_from(">BBH", data, place)
            if start != 0xFF or length < 2:
                return None
            if marker == _SCAN:
                return found
            if marker in _FRAMES and found is None:
                depth, height, width, channels = struct.unpack_from(">BHHB", data, place + 4)
                if depth != 8 or channels not in _MODES or not height or not width:
                    return None
                found = (_MODES[channels], height, width)
            elif not _is_harmless(marker, length, data[place + 4 : place + 9]):
                return None
            place += 2 + length
    except struct.error:  # it ends before its pixels
        return None
    return None


def _is_harmless(marker: int, length: int, beginning: bytes) -> bool:
    """Whether a segment says nothing of size, kind or orientation."""
    if marker == _JFIF:
        return length >= 16 and beginning == b"JFIF\0"
    if marker == _ADOBE:
        return length >= 14 and beginning == b"Adobe"
    return marker in _TABLES
