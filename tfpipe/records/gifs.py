"""How much a GIF makes its decoder allocate: TensorFlow's takes in all frames to return the first.

Source of the format: CompuServe, "Graphics Interchange Format, Version 89a": a screen descriptor,
an optional palette, then blocks, each with a chain of sub-blocks that ends with an empty one.
"""

_IMAGE, _EXTENSION = 0x2C, 0x21


def gif_pixels(data: bytes) -> int:
    """The pixels of all frames together, by their headers; of a damaged file, as far as it goes.

    >>> gif_pixels(b"GIF89a" + bytes(7) + b"," + bytes([0, 0, 0, 0, 5, 0, 3, 0, 0]) + bytes(2))
    15
    """
    pixels = 0
    place = 13 + _palette_bytes(data[10:11])
    while place + 10 <= len(data) and data[place] in (_IMAGE, _EXTENSION):
        if data[place] == _IMAGE:
            width, height = data[place + 5 : place + 7], data[place + 7 : place + 9]
            pixels += int.from_bytes(width, "little") * int.from_bytes(height, "little")
            place += 11 + _palette_bytes(data[place + 9 : place + 10])
        else:
            place += 2
        place = _after_sub_blocks(data, place)
    return pixels


def _palette_bytes(flags: bytes) -> int:
    if not flags or not flags[0] & 0x80:
        return 0
    return 3 << (flags[0] & 7) + 1


def _after_sub_blocks(data: bytes, place: int) -> int:
    while place < len(data) and data[place]:
        place += 1 + data[place]
    return place + 1
