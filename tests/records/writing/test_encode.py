"""What cannot become a record is refused with the reason; the rest says what a record holds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.pictures import encoded
from tfpipe.records import images
from tfpipe.records.sources.base import Feature
from tfpipe.records.writing.encode import Encoded, encode, encode_batch

TABLE = tuple(0 if grey < 100 else 1 if grey == 200 else -2 for grey in range(256))
LABEL = {"label": Feature("label")}


def refused(example, features, **options):
    done = encode({"id": "a", **example}, features, **options)
    assert done == Encoded(refused=done.refused)
    assert done.refused
    return done.refused


def test_what_the_source_refused_is_refused():
    assert refused({"refused": "no annotation"}, LABEL) == "no annotation"


def test_notes_sizes_and_classes_are_handed_on():
    features = {"image": Feature("image", (None, None, 1)), "classes": Feature("classes")}
    example = {"image": np.zeros((4, 5, 1), np.uint8), "classes": [2, 2, 0], "notes": ["one box"]}
    done = encode({"id": "a", **example}, features)
    assert done.notes == ("one box",)
    assert done.classes == (2, 2, 0)
    assert done.size_px == (4, 5)


GREY = {"image": Feature("image", (None, None, 1))}
BLACK = np.zeros((4, 5, 1), np.uint8)


def test_an_image_of_another_size_than_all_is_refused():
    features = {"image": Feature("image", (4, 6, 1))}
    assert refused({"image": BLACK}, features) == "expected an image of 4x6 pixels, found 4x5"
    assert encode({"id": "a", "image": BLACK}, {"image": Feature("image", (None, 5, 1))}).record


def test_an_image_that_is_too_large_is_refused():
    assert refused({"image": BLACK}, GREY, max_pixels=19) == "4x5 is larger than 19 pixels"


def test_an_annotation_for_another_size_is_refused():
    assert refused({"image": BLACK, "size_px": (5, 4)}, GREY) == (
        "the annotation is for 5x4 pixels, the image has 4x5"
    )
    assert encode({"id": "a", "image": BLACK, "size_px": [4, 5]}, GREY).record


@pytest.mark.parametrize(
    ("key", "feature", "value"),
    [
        ("boxes", Feature("boxes"), [[0, 0, 1, 1]]),
        ("mask", Feature("mask", table=TABLE), encoded(BLACK[..., 0])),
    ],
)
def test_a_turned_image_with_places_in_it_is_refused(key, feature, value):
    exif = Image.Exif()
    exif[0x0112] = 3
    image = encoded(BLACK[..., 0], exif=exif)
    assert refused({"image": image, key: value}, {**GREY, key: feature}) == (
        "its EXIF orientation is 3, and nothing says whether the boxes or the mask are for the "
        "turned image; save the image upright"
    )


def test_a_mask_of_another_size_is_refused():
    features = {**GREY, "mask": Feature("mask", table=TABLE)}
    mask = encoded(np.zeros((5, 4), np.uint8))
    assert refused({"image": BLACK, "mask": mask}, features) == (
        "the image has 4x5 pixels, the mask 5x4; make them of one size"
    )


def digest(example, features):
    return encode({"id": "a", **example}, features).digest


def test_the_digest_is_that_of_the_content():
    one, two = np.zeros((1000, 2)), np.zeros((1000, 2))
    two[500, 1] = 1e-3  # in the part that NumPy does not print
    features = {"sequence": Feature("sequence", (1000, 2))}
    assert digest({"sequence": one}, features) == digest({"sequence": one.tolist()}, features)
    assert digest({"sequence": one}, features) != digest({"sequence": two}, features)
    text = {"text": Feature("text"), **LABEL}
    assert digest({"text": "a", "label": 0}, text) == digest({"text": "a", "label": 1}, text)
    assert digest({"text": "a", "label": 0}, text) != digest({"text": "b", "label": 0}, text)


@pytest.mark.parametrize(("shape", "fits"), [((3, 2, 3), True), ((2, 3, 3), False)])
def test_a_fixed_size_is_that_of_the_upright_image(shape, fits):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(np.zeros((2, 3, 3), np.uint8), "JPEG", exif=exif)
    done = encode({"id": "a", "image": data}, {"image": Feature("image", shape)})
    expected = "" if fits else "expected an image of 2x3 pixels, found 3x2"
    assert done.refused == expected


# Many at a time

SOUND = np.random.default_rng(0).integers(0, 256, (6, 7, 3), np.uint8)


def clear(greys):
    """A PNG with transparent pixels."""
    return encoded(np.dstack([greys, np.full(greys.shape[:2], 7, np.uint8)]))


KINDS = {
    "png": {"image": encoded(SOUND)},
    "jpeg": {"image": encoded(SOUND, "JPEG")},
    "progressive": {"image": encoded(SOUND[..., 0], "JPEG", progressive=True)},
    "gif": {"image": encoded(SOUND[..., 0], "GIF")},
    "bmp": {"image": encoded(SOUND, "BMP")},
    "pixels": {"image": SOUND},
    "cut jpeg": {"image": encoded(SOUND, "JPEG")[:-30]},
    "cut png": {"image": encoded(SOUND)[:-30]},
    "nothing": {"image": b""},
    "transparent": {"image": clear(SOUND)},
    "too large": {"image": encoded(np.zeros((30, 40), np.uint8))},
    "refused": {"refused": "no annotation"},
    "annotated for another": {"image": encoded(SOUND), "size_px": (7, 6)},
}


@given(st.lists(st.sampled_from(sorted(KINDS)), max_size=80))
@settings(max_examples=30)
def test_many_at_a_time_are_as_one_by_one(names):
    features = {"image": Feature("image", (None, None, 3)), "label": Feature("label")}
    examples = [{"id": f"{n}", "label": 1, **KINDS[name]} for n, name in enumerate(names)]
    expected = [encode(example, features, max_pixels=100) for example in examples]
    assert encode_batch(examples, features, max_pixels=100) == expected


def test_the_kinds_are_what_they_are_called():
    features = {"image": Feature("image", (None, None, 3))}
    done = {
        name: encode({"id": "a", **kind}, features, max_pixels=100) for name, kind in KINDS.items()
    }
    assert [name for name, one in done.items() if not one.refused] == list(KINDS)[:6]
    assert len({one.refused for one in done.values()}) == 8
    assert done["png"].digest == done["bmp"].digest == done["pixels"].digest


def test_large_images_are_decoded_a_few_at_a_time(monkeypatch):
    together = []
    png_contents = images.png_contents

    def watched(group, channels):
        together.append(len(group))
        return png_contents(group, channels)

    monkeypatch.setattr(images, "png_contents", watched)
    monkeypatch.setattr(images, "GROUP_PIXELS", 500)
    sizes = (20, 10, 10, 30, 10, 20, 10)
    examples = [{"id": str(n), "image": np.zeros((n, 10, 1), np.uint8)} for n in sizes]
    encode_batch(examples, GREY)
    assert together == [3, 2, 2]
    monkeypatch.setattr(images, "GROUP_PIXELS", 50)
    encode_batch(examples, GREY)
    assert together == [3, 2, 2]
