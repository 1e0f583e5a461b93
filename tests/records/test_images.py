"""Bad images of every kind are refused with the reason; the others decode as in Pillow."""

import io
import json
import struct
import warnings
import zlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from tests.pictures import encoded, waves
from tfpipe.decode import decode_image
from tfpipe.records.contents import content_of
from tfpipe.records.headers import ORIENTATION, read_header
from tfpipe.records.images import MAX_PIXELS, finish_look, look
from tfpipe.records.sources.base import Refused

JPEG_GREYS = 1  # libjpeg-turbo's versions differ in how they round


def noise(height=24, width=31, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


def with_exif(value):
    exif = Image.Exif()
    exif[ORIENTATION] = value
    return exif


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(height, width, depth=8, colour=2, rows=b"", interlace=0, before=b""):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))
    data = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + header + before + data + chunk(b"IEND", b"")


def bmp_of(pixels, bits, *, palette=b"", compression=0, masks=b"", top_down=False):
    height, width, rows = pixels
    offset = 54 + len(palette) + len(masks)
    size = (width, -height if top_down else height)
    info = struct.pack("<IiiHHIIiiII", 40, *size, 1, bits, compression, len(rows), 0, 0, 0, 0)
    head = b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset)
    return head + info + masks + palette + rows


def pillow(data, channels=3):
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels)


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def inside(data):
    return decode_image(data, 3)


def reason(data, **options):
    with pytest.raises(Refused) as refusal:
        look(data, 3, **options)
    return str(refusal.value)


def accepted(data, tolerance=0):
    """What `look` finds, once the pixels have been compared with Pillow's."""
    facts = look(data, 3)
    pixels = decode_image(data, 3).numpy()
    assert pixels.shape == (facts.height, facts.width, 3)
    assert np.abs(pixels.astype(int) - pillow(data)).max() <= tolerance
    return facts


# What is no image


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "the file is empty"),
        (b"\0", r"not an image; it begins with b'\x00'"),
        (b"id,label\n1,cat\n2,dog\n", r"not an image; it begins with b'id,label\n1,cat\n2'"),
        (b"<!DOCTYPE html><p>404", "not an image; it begins with b'<!DOCTYPE html><'"),
        (b"\xff\xd8\xff", r"not an image; it begins with b'\xff\xd8\xff'"),
        (b"GIF89a", "not an image; it begins with b'GIF89a'"),
        (b"BM", "not an image; it begins with b'BM'"),
        (bytes(128) + b"DICM\2\0", "a DICOM file; save its pixels as PNG"),
        (b"\0\0\0\x18ftypheic\0", "a HEIC file; save it as JPEG or PNG"),
        (bytes(5000), f"not an image; it begins with {bytes(16)!r}"),
    ],
)
def test_what_is_no_image_is_refused(data, expected):
    assert reason(data) == expected


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "ICO", "PPM"])
def test_other_formats_are_refused(kind):
    expected = f"a {kind} file; JPEG, PNG, GIF and BMP can be read: save it as PNG"
    assert reason(encoded(waves(), kind)) == expected


# Truncated and corrupt


@pytest.mark.parametrize("tenth", range(10))
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("BMP", {}),
    ],
)
def test_an_image_cut_at_any_tenth_is_refused(kind, options, tenth):
    data = encoded(noise(), kind, **options)
    assert look(data, 3)
    assert reason(data[: len(data) * tenth // 10])


@pytest.mark.parametrize("tenth", range(10))
def test_a_gif_cut_at_any_tenth_is_refused(tenth):
    data = encoded(noise().quantize(64), "GIF")
    assert reason(data[: len(data) * tenth // 10])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
def test_an_image_without_its_last_byte_is_refused(kind):
    assert reason(encoded(noise(), kind)[:-1])


def test_a_gif_without_its_last_byte_is_accepted_since_it_has_all_pixels():
    data = encoded(noise().quantize(64), "GIF")
    assert data[-1:] == b";"
    assert accepted(data[:-1]) == accepted(data)


def test_the_reason_is_the_decoders():
    png = encoded(noise(), "PNG")
    assert reason(png[:900]) == "truncated or corrupt (Invalid PNG data, size 900)"
    jpeg = encoded(noise(), "JPEG")
    assert reason(jpeg[:-60]) == (
        "truncated or corrupt (jpeg::Uncompress failed. Invalid JPEG data or crop window.)"
    )


def test_a_png_with_any_byte_flipped_is_refused():
    data = encoded(noise(8, 9), "PNG")
    for place in range(len(data)):
        flipped = bytearray(data)
        flipped[place] ^= 0x10
        assert reason(bytes(flipped)), place


@given(st.data())
@settings(max_examples=150)
def test_damaged_bytes_are_refused_or_decode_in_the_graph_to_what_was_checked(draws):
    kind, image = draws.draw(st.sampled_from(sorted(SOUND.items())))
    data = bytearray(image)
    for _ in range(draws.draw(st.integers(1, 3))):
        data[draws.draw(st.integers(0, len(data) - 1))] = draws.draw(st.integers(0, 255))
    if kind == "PNG":
        data = with_fresh_sums(data)
    try:
        facts = look(bytes(data), 3)
    except Refused:
        return
    pixels = inside(bytes(data)).numpy()
    assert pixels.shape == (facts.height, facts.width, 3)
    np.testing.assert_array_equal(pixels, decode_image(bytes(data), 3))
    if kind != "JPEG":
        np.testing.assert_array_equal(pixels, pillow_quietly(bytes(data)))


def with_fresh_sums(data):
    """The PNG with right checksums, so that damage gets past them."""
    place = 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4])
        end = place + 8 + length
        data[end : end + 4] = struct.pack(">I", zlib.crc32(bytes(data[place + 4 : end])))
        place = end + 4
    return data[: 10**4]


def pillow_quietly(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pillow(data)


def test_a_jpeg_with_flipped_pixels_decodes_in_the_graph_to_what_was_checked():
    data = bytearray(encoded(waves(64, 64), "JPEG", quality=95))
    data[-200] ^= 0x01  # among the pixels: JPEG has no checksum
    look(bytes(data), 3)
    np.testing.assert_array_equal(inside(bytes(data)), decode_image(bytes(data), 3))


# Too large


def test_a_bomb_is_refused_by_its_header():
    assert reason(png_of(100_000, 100_000)) == "larger than 67,108,864 pixels"
    assert reason(png_of(9000, 9000)) == "9000x9000 is larger than 67,108,864 pixels"
    assert reason(encoded(noise(20, 30), "PNG"), max_pixels=599) == (
        "20x30 is larger than 599 pixels"
    )
    assert look(encoded(noise(20, 30), "PNG"), 3, max_pixels=600).height == 20


def test_no_setting_allows_more_than_pillow_does():
    expected = "larger than 178,956,970 pixels"
    assert reason(png_of(100_000, 100_000), max_pixels=10**12) == expected


BOMBS = """
import json, pathlib, resource, sys
from tfpipe.records.images import look
from tfpipe.records.sources.base import Refused
sound, *bombs = [pathlib.Path(path).read_bytes() for path in sys.argv[1:]]
look(sound, 3)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
reasons = []
for bomb in bombs:
    try:
        look(bomb, 3)
    except Refused as reason:
        reasons.append(str(reason))
print(json.dumps([reasons, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before]))
"""


def jpeg_bomb():
    data = bytearray(encoded(waves(16, 16), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 65_000, 65_000)
    return bytes(data)


def gif_bomb():
    """40 frames of 4000x4000 in 500 kB: TensorFlow allocates all of them for the first."""
    frame = Image.new("P", (4000, 4000), 1)
    frame.putpalette(bytes(range(256)) * 3)
    data = encoded(frame, "GIF", optimize=False)
    picture = data[data.index(b",", 13 + 3 * 2) : -1]
    return data[:-1] + picture * 40 + b";"


def test_bombs_are_refused_before_anything_is_allocated(python, tmp_path):
    bmp = bmp_of((30_000, 30_000, b""), 24)
    files = [
        encoded(waves(), "PNG"),
        png_of(100_000, 100_000),
        png_of(9000, 9000),
        jpeg_bomb(),
        bmp,
        gif_bomb(),
    ]
    paths = [tmp_path / str(number) for number in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)
    done = python(BOMBS, *map(str, paths))
    assert done.returncode == 0, done.stderr
    reasons, grown_kib = json.loads(done.stdout)
    assert reasons == [
        "larger than 67,108,864 pixels",
        "9000x9000 is larger than 67,108,864 pixels",
        "larger than 67,108,864 pixels",
        "larger than 67,108,864 pixels",
        "its frames together are larger than 67,108,864 pixels",
    ]
    assert grown_kib < 20_000


# Kinds of pixels


def test_more_than_eight_bits_are_refused():
    expected = "more than 8 bits per channel; save it with 8, scaled as it should be"
    grey = Image.fromarray(np.arange(600, dtype=np.uint16).reshape(20, 30) * 100)
    assert reason(encoded(grey, "PNG")) == expected
    rows = b"".join(b"\0" + bytes(30 * 6) for _ in range(20))
    assert reason(png_of(20, 30, depth=16, rows=rows)) == expected
    assert look(png_of(20, 30, rows=b"".join(b"\0" + bytes(90) for _ in range(20))), 3)


def test_cmyk_is_refused():
    expected = "its pixels are of the kind 'CMYK'; save it as grey or RGB"
    assert reason(encoded(waves().convert("CMYK"), "JPEG")) == expected


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_is_resolved(bits):
    accepted(encoded(noise().quantize(2**bits), "PNG", bits=bits))


def test_a_palette_with_an_unused_transparent_colour_is_resolved():
    accepted(encoded(noise().quantize(8), "GIF", transparency=200))
    data = encoded(noise().quantize(8), "PNG", transparency=b"\xff" * 8)
    facts = look(data, 3)
    np.testing.assert_array_equal(decode_image(data, 3), pillow_quietly(data))
    assert facts.height == 24


@pytest.mark.parametrize(
    "data",
    [
        encoded(noise().quantize(8), "PNG", transparency=3),
        encoded(noise().quantize(8), "GIF", transparency=3),
        encoded(noise(), "PNG", transparency=noise().getpixel((0, 0))),
        encoded(noise().convert("L"), "PNG", transparency=noise().convert("L").getpixel((0, 0))),
    ],
    ids=["palette", "gif", "rgb", "grey"],
)
def test_a_transparent_colour_that_occurs_is_refused(data):
    assert reason(data) == "it has transparent pixels; put it on a background first"


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_alpha_is_dropped_where_it_is_opaque_and_refused_where_not(mode):
    image = noise().convert(mode)
    image.putalpha(255)
    accepted(encoded(image, "PNG"))
    image.putpixel((3, 4), (*image.getpixel((3, 4))[:-1], 254))
    assert reason(encoded(image, "PNG")) == (
        "it has transparent pixels; put it on a background first"
    )


def test_one_bit():
    data = encoded(noise().convert("1"), "PNG")
    accepted(data)
    assert set(np.unique(decode_image(data, 1))) == {0, 255}


def test_interlaced_png():
    # Pillow writes none. Adam7's seven passes are seven small images.
    pixels = np.asarray(noise(16, 16))
    starts = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2)]
    passes = [pixels[y::dy, x::dx] for y, x, dy, dx in [*starts, (1, 0, 2, 1)]]
    rows = b"".join(b"\0" + row.tobytes() for part in passes for row in part)
    data = png_of(16, 16, rows=rows, interlace=1)
    accepted(data)
    np.testing.assert_array_equal(decode_image(data, 3), pixels)


def test_interlaced_gif():
    accepted(encoded(noise().quantize(64), "GIF", interlace=1))


def test_the_first_frame_of_an_animation_counts():
    frames = [noise(seed=n) for n in range(3)]
    accepted(encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]))
    palettes = [frame.quantize(32) for frame in frames]
    accepted(encoded(palettes[0], "GIF", save_all=True, append_images=palettes[1:]))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg(mode, options):
    accepted(encoded(waves().convert(mode), "JPEG", quality=95, **options), tolerance=JPEG_GREYS)


def test_mpo_gives_its_first_picture():
    data = encoded(waves(), "MPO", save_all=True, append_images=[noise(24, 40)])
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.n_frames) == ("MPO", 2)
    accepted(data, tolerance=JPEG_GREYS)


def test_bmp_of_24_and_32_bits_and_of_greys():
    accepted(encoded(noise(), "BMP"))
    accepted(encoded(noise().convert("L"), "BMP"))
    rgba = noise()
    rgba.putalpha(255)
    accepted(encoded(rgba, "BMP"))
    rows = np.random.default_rng(0).integers(0, 256, (20, 32 * 3), np.uint8).tobytes()
    accepted(bmp_of((20, 32, rows), 24, top_down=True))


GREYS_INVERTED = b"".join(bytes([255 - n] * 3 + [0]) for n in range(256))
ROWS_8 = np.random.default_rng(0).integers(0, 256, (20, 32), np.uint8).tobytes()


@pytest.mark.parametrize(
    "data",
    [
        encoded(noise().quantize(16), "BMP"),
        bmp_of((20, 32, ROWS_8), 8, palette=GREYS_INVERTED),
    ],
    ids=["colours", "inverted greys"],
)
def test_a_bmp_with_a_palette_is_refused_because_tensorflow_ignores_it(data):
    assert reason(data) == "a kind of BMP that TensorFlow misreads; save it as PNG"


@pytest.mark.parametrize(
    "data",
    [
        encoded(noise().convert("1"), "BMP"),
        bmp_of((20, 32, bytes(20 * 64)), 16),
        bmp_of((20, 32, b"\x20\x05\0\0" * 20 + b"\0\1"), 8, palette=GREYS_INVERTED, compression=1),
    ],
    ids=["1 bit", "16 bits", "compressed"],
)
def test_other_kinds_of_bmp_are_refused(data):
    assert reason(data).startswith("truncated or corrupt (")


def test_a_header_that_lies_about_the_size_is_refused():
    assert reason(png_of(20, 30, rows=b"".join(b"\0" + bytes(90) for _ in range(19))))
    data = encoded(noise(20, 30))
    for found in ((20, 31), (30, 20)):  # of as many pixels, too
        with pytest.raises(Refused) as refusal:
            finish_look(
                (data, read_header(data, MAX_PIXELS)), content_of(np.asarray(noise(*found)))
            )
        says = f"its header says 20x30 pixels, and it decodes to {found[0]}x{found[1]}"
        assert str(refusal.value) == says


# EXIF


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "MPO"])
def test_orientation_is_found_and_undone_as_pillow_does(kind, orientation):
    data = encoded(waves(), kind, exif=with_exif(orientation))
    facts = look(data, 3)
    assert (facts.height, facts.width, facts.orientation) == (24, 40, orientation)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    pixels = decode_image(data, 3, facts.orientation).numpy()
    assert np.abs(pixels.astype(int) - expected).max() <= (0 if kind == "PNG" else JPEG_GREYS)


def test_orientation_after_the_pixels_of_a_png_is_found():
    data = encoded(waves(), "PNG")
    end = data.index(b"IEND") - 4
    exif = chunk(b"eXIf", with_exif(6).tobytes().removeprefix(b"Exif\0\0"))
    assert look(data[:end] + exif + data[end:], 3).orientation == 6


def test_orientation_in_xmp_is_found():
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    assert look(encoded(waves(), "JPEG", xmp=xmp), 3).orientation == 6


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_none(value):
    assert look(encoded(waves(), "JPEG", exif=with_exif(value)), 3).orientation == 1


@pytest.mark.parametrize(
    "exif",
    [b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0nonsense" * 9, b"Exif\0\0MM\0*\xff\xff\xff\xff"],
    ids=["empty", "cut", "nonsense", "points nowhere"],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_broken_exif_leaves_the_image_as_it_is(kind, exif):
    data = encoded(waves(), "PNG")
    if kind == "PNG":
        place = data.index(b"IDAT") - 4
        data = data[:place] + chunk(b"eXIf", exif.removeprefix(b"Exif\0\0")) + data[place:]
    else:
        data = encoded(waves(), "JPEG", exif=exif)
    assert look(data, 3).orientation == 1


# Digest


def test_the_digest_is_that_of_the_pixels():
    image = noise()
    png, bmp = look(encoded(image, "PNG"), 3), look(encoded(image, "BMP"), 3)
    assert png.digest == bmp.digest
    image.putpixel((0, 0), (1, 2, 3))
    assert look(encoded(image, "PNG"), 3).digest != png.digest
    black = [look(encoded(Image.new("L", size), "PNG"), 1).digest for size in ((2, 3), (3, 2))]
    assert black[0] != black[1]


SOUND = {
    "JPEG": encoded(waves(), "JPEG", exif=with_exif(6)),
    "PNG": encoded(noise(8, 9), "PNG", exif=with_exif(6)),
    "GIF": encoded(noise(8, 9).quantize(8), "GIF"),
    "BMP": encoded(noise(8, 9).convert("L"), "BMP"),
}
