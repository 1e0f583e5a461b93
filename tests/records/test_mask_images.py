"""What a mask must be: grey, upright, of its classes' greys."""

import numpy as np
import pytest
from PIL import Image

from tests.pictures import encoded, waves
from tests.records.test_images import noise, with_exif
from tfpipe.decode import decode_image
from tfpipe.records.mask_images import look_at_mask
from tfpipe.records.sources.base import Refused


def mask_reason(data, table):
    with pytest.raises(Refused) as refusal:
        look_at_mask(data, table)
    return str(refusal.value)


TABLE = tuple(0 if grey == 0 else 1 if grey == 255 else -2 for grey in range(256))


def test_a_mask_of_known_greys_is_accepted():
    data = encoded(noise().convert("1"), "PNG")
    assert look_at_mask(data, TABLE) == (24, 31, (0, 1))
    assert look_at_mask(encoded(noise().convert("1").convert("L"), "PNG"), TABLE)
    ignored = tuple(-1 if grey == 255 else value for grey, value in enumerate(TABLE))
    assert look_at_mask(data, ignored) == (24, 31, (0,))


def test_a_mask_with_other_greys_is_refused_with_the_first_of_them():
    image = Image.fromarray(np.arange(100, 112, dtype=np.uint8).reshape(3, 4))
    expected = "the mask holds greys without a class: 100, 101, 102, 103, 104, 105, 106, 107"
    assert mask_reason(encoded(image, "PNG"), TABLE) == expected


@pytest.mark.parametrize(
    ("mode", "format", "options"),
    [("RGB", "PNG", {}), ("RGBA", "PNG", {}), ("LA", "PNG", {}), ("P", "PNG", {}), ("P", "GIF", {}),
     ("RGB", "BMP", {}), ("RGB", "JPEG", {"quality": 100})],
)  # fmt: skip
def test_a_mask_whose_colours_are_greys_is_accepted(mode, format, options):
    greys = np.zeros((16, 24), np.uint8)
    greys[:8, 8:16] = 255
    threshold = tuple(int(grey > 127) for grey in range(256))
    data = encoded(Image.fromarray(greys).convert(mode), format, **options)
    assert look_at_mask(data, threshold) == (16, 24, (0, 1))
    assert (decode_image(data, 1).numpy()[..., 0] == greys).all() or format == "JPEG"


def test_a_jpeg_mask_with_other_greys_is_told_of_thresholds():
    data = encoded(waves().convert("L"), "JPEG")
    assert mask_reason(data, TABLE).endswith("; a JPEG blurs them: pass a threshold")


def test_a_mask_of_colours_or_with_a_palette_of_them_is_refused():
    red = Image.new("RGB", (4, 3), (128, 0, 0))
    assert mask_reason(encoded(red, "PNG"), TABLE) == (
        "the mask has colours; save its classes as grey values"
    )
    assert mask_reason(encoded(red.quantize(2), "PNG"), TABLE) == (
        "the mask has a palette of colours; save their numbers as greys, as "
        "`Image.fromarray(np.asarray(Image.open(file)))` of Pillow makes them"
    )


def test_a_turned_mask_is_refused():
    data = encoded(Image.new("L", (4, 3)), "PNG", exif=with_exif(6))
    assert mask_reason(data, TABLE) == "the mask's EXIF orientation is 6; save it upright"


def test_what_is_wrong_with_a_mask_is_said_of_the_mask():
    assert mask_reason(b"", TABLE) == "the mask: the file is empty"
