"""What can be told of a plain PNG without making its pixels: its size, and whether it is sound.

Plain is one of 8-bit greys or RGB whose other chunks say nothing of kind, orientation or alpha.
What may be damaged in one is found by its CRCs, by zlib's sum, and by the numbers of the filters:
whatever is left decodes. To undo the filters takes longer than all of that.

Source of the format: W3C, Portable Network Graphics Specification (Third Edition), 5 (chunks),
7.2 (scanlines), 9 (filters) and 10 (zlib).

Example:

    plain_png(data)         # ("L", 1024, 1024)
    head_of(data)           # a PNG of 128 rows, if the whole of it is sound
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

SHRINK = 8  # the head has this share of the rows
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3}  # of the colour types
_MODES = {1: "L", 3: "RGB"}
_HARMLESS = {b"IEND": 0, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"tIME": 7}  # bytes
_WIDEST = (
    b"\x78"  # zlib's largest window: no damage can reach further back, which not all would see
)
_FILTERS = 5
_SMALL_PX = 2**14  # to decode all of it takes no longer


class _Plain(NamedTuple):
    """The size and channels of a plain PNG, and where its compressed rows stand."""

    height: int
    width: int
    channels: int
    is_interlaced: bool
    rows: list[tuple[int, int]]

    @property
    def row_bytes(self) -> int:
        """Of a row that is not compressed, with the number of its filter."""
        return 1 + self.width * self.channels


class Head(NamedTuple):
    """A PNG of the first rows that are not of one colour, and of the one before them.

    `num_flat_rows` come before them; height and width are those of the whole.
    """

    png: bytes
    num_flat_rows: int
    height: int
    width: int


def plain_png(data: bytes) -> tuple[str, int, int] | None:
    """Pillow's name of the mode, the height and the width; None if only Pillow can tell.

    >>> plain_png(b"GIF89a") is None
    True
    """
    plain = _plain(data)
    return plain and (_MODES[plain.channels], plain.height, plain.width)


def head_of(data: bytes) -> Head | None:
    """An 8th of the rows, after a look at all; None if it is small, not plain, or not sound.

    PNGs of the same pixels have the same head, however they were compressed, and some others may.
    """
    plain = _plain(data)
    if plain is None or plain.is_interlaced or plain.height * plain.width < _SMALL_PX:
        return None
    rows = _inflated(data, plain)
    if rows is None:
        return None
    flat, colour = _num_flat(rows, plain)
    before = b"\0" + colour * plain.width  # what the filter of the first row looks back at
    start, end = (plain.row_bytes * row for row in (flat, flat - (-plain.height // SHRINK)))
    return Head(_png(before + rows[start:end], plain), flat, plain.height, plain.width)


def _num_flat(rows: bytes, plain: _Plain) -> tuple[int, bytes]:
    """How many rows at the top are of the colour of the first pixel, and that; or 0, and zeros."""
    colour = rows[1 : 1 + plain.channels]
    kinds = _flat(colour, plain.width, is_first=True)
    for number in range(plain.height):
        start = number * plain.row_bytes
        if not rows.startswith(kinds[rows[start]], start + 1):
            return number, colour if number else bytes(plain.channels)
        if number == 0:
            kinds = _flat(colour, plain.width, is_first=False)
    return plain.height, colour


def _flat(colour: bytes, width: int, *, is_first: bool) -> tuple[bytes, ...]:
    """What each filter makes of a row of one colour, below one of zeros or of the same colour."""
    half = bytes(value - value // 2 for value in colour)
    zeros = bytes(len(colour) * (width - 1))
    row, from_left = colour * width, colour + zeros
    if is_first:
        return row, from_left, row, colour + half * (width - 1), from_left
    return row, from_left, bytes(len(row)), half + zeros, bytes(len(row))


def _plain(data: bytes) -> _Plain | None:
    if data[:16] != _SIGNATURE + b"\0\0\0\rIHDR":
        return None
    rows: list[tuple[int, int]] = []
    names: list[bytes] = []
    try:
        for name, start, end in _chunks(data):
            if name == b"IDAT":
                rows.append((start, end))
            elif not _is_harmless(name, data, start, end):
                return None
            if name != b"IDAT" or names[-1] != name:
                names.append(name)
        width, height, depth, colours, *methods = struct.unpack_from(">IIBBBBB", data, 16)
    except struct.error:  # it ends before its end
        return None
    usual = depth == 8 and colours in _CHANNELS and methods in ([0, 0, 0], [0, 0, 1])
    once = names.count(b"IHDR") == names.count(b"IDAT") == 1
    if not (usual and once and 0 < height * width < 2**31):
        return None
    return _Plain(height, width, _CHANNELS[colours], methods[2] == 1, rows)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The name of each chunk, and from where to where it has its contents."""
    place, name = len(_SIGNATURE), b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, place)
        yield name, place + 8, place + 8 + length
        place += 12 + length


def _is_harmless(name: bytes, data: bytes, start: int, end: int) -> bool:
    """Whether a chunk is sound, and says nothing of size, kind or orientation."""
    is_known = end - start == _HARMLESS.get(name) or name == b"IHDR"
    return is_known and _is_sound(data, start, end)


def _is_sound(data: bytes, start: int, end: int) -> bool:
    return struct.pack(">I", zlib.crc32(data[start - 4 : end])) == data[end : end + 4]


def _inflated(data: bytes, plain: _Plain) -> bytes | None:
    """The rows, each behind the number of its filter; None if one is unsound."""
    if not all(_is_sound(data, *place) for place in plain.rows):
        return None
    packed = b"".join(data[start:end] for start, end in plain.rows)
    if packed[:1] != _WIDEST:
        return None
    num_bytes = plain.height * plain.row_bytes
    inflate = zlib.decompressobj()
    try:
        rows = inflate.decompress(packed, num_bytes + 1)
    except zlib.error:
        return None
    is_whole = len(rows) == num_bytes and inflate.eof and not inflate.unused_data
    return rows if is_whole and max(rows[:: plain.row_bytes]) < _FILTERS else None


def _png(rows: bytes, plain: _Plain) -> bytes:
    height = len(rows) // plain.row_bytes
    colours = next(key for key, value in _CHANNELS.items() if value == plain.channels)
    header = struct.pack(">IIBBBBB", plain.width, height, 8, colours, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b"")]
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
