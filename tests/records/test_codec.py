"""Every kind of feature goes into a record and comes back as it was, in bytes that never change."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from tests.pictures import encoded
from tfpipe.records.codec import Encoded, decoder, encode, parse
from tfpipe.records.sources.base import Feature

TABLE = tuple(0 if grey < 100 else 1 if grey == 200 else -1 for grey in range(256))
FLOATS = st.floats(width=32, allow_nan=False)
INT64 = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def images(*channels):
    shape = st.tuples(st.integers(1, 9), st.integers(1, 9), *map(st.just, channels))
    return shape.flatmap(lambda found: arrays.arrays(np.uint8, found))


def rounded(example, features):
    """The example as it comes back from its record."""
    done = encode({"id": "a", **example}, features)
    assert done == encode({"id": "a", **example}, features)
    assert not done.refused
    return {key: value.numpy() for key, value in parse(done.record, features).items()}


def refused(example, features, **options):
    done = encode({"id": "a", **example}, features, **options)
    assert done == Encoded(refused=done.refused)
    assert done.refused
    return done.refused


@given(TEXTS, TEXTS)
def test_text_and_id(example_id, text):
    features = {"text": Feature("text")}
    done = encode({"id": example_id, "text": text}, features)
    parsed = parse(done.record, features)
    assert parsed["text"].numpy().decode() == text
    assert parsed["id"].numpy().decode() == example_id


def test_an_id_of_undecodable_bytes():
    name = b"a\xff\xfe.png"
    done = encode({"id": name.decode("utf-8", "surrogateescape"), "label": 0}, LABEL)
    assert parse(done.record, LABEL)["id"].numpy() == name


LABEL = {"label": Feature("label")}


@given(INT64)
def test_label(label):
    assert rounded({"label": label}, LABEL)["label"] == label


@given(arrays.arrays(np.int64, st.integers(1, 20), elements=st.integers(0, 1)))
def test_labels(labels):
    features = {"labels": Feature("labels", labels.shape)}
    found = rounded({"labels": labels}, features)["labels"]
    np.testing.assert_array_equal(found, labels)
    assert encode({"id": "a", "labels": labels}, features).classes == tuple(np.flatnonzero(labels))


@given(arrays.arrays(np.float32, st.tuples(st.integers(0, 6), st.just(4)), elements=FLOATS))
def test_boxes_and_classes(boxes):
    features = {"boxes": Feature("boxes"), "classes": Feature("classes")}
    classes = np.arange(len(boxes)) % 3
    found = rounded({"boxes": boxes.tolist(), "classes": classes.tolist()}, features)
    np.testing.assert_array_equal(found["boxes"], boxes)
    assert found["boxes"].shape == (len(boxes), 4)
    np.testing.assert_array_equal(found["classes"], classes)


@given(
    arrays.arrays(
        np.float32, arrays.array_shapes(min_dims=2, max_dims=2), elements=st.floats(width=32)
    )
)
def test_sequence(sequence):
    features = {"sequence": Feature("sequence", sequence.shape)}
    found = rounded({"sequence": sequence}, features)["sequence"]
    np.testing.assert_array_equal(found, sequence)


@given(
    arrays.arrays(
        np.float32,
        arrays.array_shapes(min_dims=0, max_dims=1),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    )
)
def test_target(target):
    features = {"target": Feature("target", target.shape)}
    found = rounded({"target": target}, features)["target"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, target)


@given(st.one_of(images(1), images(3)))
@settings(deadline=None)
def test_pixels(pixels):
    features = {"image": Feature("image", (None, None, pixels.shape[2])), **LABEL}
    found = rounded({"image": pixels, "label": 3}, features)
    assert found["orientation"] == 1
    assert found["label"] == 3
    decoded = decoder(features)({key: tf.constant(value) for key, value in found.items()})
    np.testing.assert_array_equal(decoded["image"], pixels)
    assert "orientation" not in decoded


@given(images(3), st.sampled_from(["PNG", "BMP", "JPEG"]))
@settings(deadline=None)
def test_bytes_are_stored_as_they_came(pixels, kind):
    features = {"image": Feature("image", (None, None, 3))}
    data = encoded(pixels, kind)
    assert rounded({"image": data}, features)["image"] == data


@given(images().map(lambda greys: np.where(greys < 128, greys % 100, 200).astype(np.uint8)))
@settings(deadline=None)
def test_mask(greys):
    features = {"image": Feature("image", (None, None, 1)), "mask": Feature("mask", table=TABLE)}
    example = {"image": greys[..., None], "mask": encoded(greys)}
    found = rounded(example, features)
    decoded = decoder(features)({key: tf.constant(value) for key, value in found.items()})
    np.testing.assert_array_equal(decoded["mask"][..., 0], greys == 200)
    assert decoded["mask"].dtype == tf.int32


def test_the_decoder_turns_what_exif_says():
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    features = {"image": Feature("image", (None, None, 3))}
    found = rounded({"image": encoded(pixels, exif=exif)}, features)
    assert found["orientation"] == 6
    decoded = decoder(features)({key: tf.constant(value) for key, value in found.items()})
    np.testing.assert_array_equal(decoded["image"], np.rot90(pixels, -1))


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
    assert rounded({"image": BLACK}, {"image": Feature("image", (None, 5, 1))})


def test_an_image_that_is_too_large_is_refused():
    assert refused({"image": BLACK}, GREY, max_pixels=19) == "4x5 is larger than 19 pixels"


def test_an_annotation_for_another_size_is_refused():
    assert refused({"image": BLACK, "size_px": (5, 4)}, GREY) == (
        "the annotation is for 5x4 pixels, the image has 4x5"
    )
    assert rounded({"image": BLACK, "size_px": [4, 5]}, GREY)


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
        "the image has 4x5 pixels, the mask 5x4"
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
