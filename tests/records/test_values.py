"""What is stored of each value; whatever cannot be read, or does not fit, is refused by name."""

import os

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfpipe.records.sources.base import Feature, Refused
from tfpipe.records.values import stored, to_png

FEATURES = {
    "text": Feature("text"),
    "image": Feature("image", (None, None, 3)),
    "mask": Feature("mask", table=tuple(range(256))),
    "label": Feature("label"),
    "labels": Feature("labels", (3,)),
    "boxes": Feature("boxes"),
    "classes": Feature("classes"),
    "sequence": Feature("sequence", (4, 2)),
    "target": Feature("target", (2,)),
    "number": Feature("target"),
}


def value(key, given):
    return stored({key: given}, {key: FEATURES[key]})[key]


def reason(key, given):
    with pytest.raises(Refused) as refusal:
        value(key, given)
    return str(refusal.value)


@pytest.mark.parametrize(
    "name",
    ["a b.jpg", " .png", "größe 犬 🐕.jpg", "line\nbreak.jpg", "-rf", os.fsdecode(b"\xff\xfe.png")],
)
@pytest.mark.parametrize("key", ["image", "text"])
def test_a_file_is_stored_as_its_bytes_whatever_its_name(tmp_path, name, key):
    (tmp_path / name).write_bytes(b"\0bytes\xff")
    assert value(key, tmp_path / name) == b"\0bytes\xff"


def test_a_link_is_followed(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link.jpg").symlink_to("file")
    assert value("image", tmp_path / "link.jpg") == b"content"


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "dangling.jpg").symlink_to("nowhere")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")  # reading it would wait for ever
    (tmp_path / "zeros.jpg").symlink_to("/dev/zero")  # and this has no end
    no_file = "not a file, but a folder or a device"
    assert reason("image", tmp_path / "folder.jpg") == no_file
    assert reason("image", tmp_path / "pipe.jpg") == no_file
    assert reason("image", tmp_path / "zeros.jpg") == no_file
    assert reason("image", tmp_path / "missing.jpg") == "there is no such file"
    assert reason("image", tmp_path / "dangling.jpg") == "there is no such file"
    looped = "the file cannot be read (Too many levels of symbolic links)"
    assert reason("image", tmp_path / "loop.jpg") == looped
    below_a_file = "the file cannot be read (Not a directory)"
    assert reason("image", tmp_path / "zeros.jpg" / "a.jpg") == below_a_file
    too_long = "the file cannot be read (File name too long)"
    assert reason("image", tmp_path / ("a" * 300)) == too_long
    assert reason("image", tmp_path / "a\0b").startswith("the file cannot be read (")


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_stored_as_png_without_loss(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), np.uint8)
    data = value("image", pixels)
    assert data == to_png(pixels)
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read.reshape(pixels.shape)[..., ::-1], pixels)


@pytest.mark.parametrize(
    ("pixels", "found"),
    [
        (np.zeros((5, 7, 3), np.float32), "float32 of shape (5, 7, 3)"),
        (np.zeros((5, 7), np.uint8), "uint8 of shape (5, 7)"),
        (np.zeros((5, 7, 4), np.uint8), "uint8 of shape (5, 7, 4)"),
        (np.zeros((0, 7, 3), np.uint8), "uint8 of shape (0, 7, 3)"),
    ],
)
def test_other_pixels_are_refused(pixels, found):
    expected = f"expected pixels as uint8 of shape (H, W, 1) or (H, W, 3), found {found}"
    assert reason("image", pixels) == expected
    assert reason("mask", pixels) == f"the mask: {expected}"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_is_stored_as_utf8(text):
    assert value("text", text).decode() == text


def test_text_that_is_no_unicode_is_refused():
    expected = "the text cannot be stored as UTF-8 (surrogates not allowed)"
    assert reason("text", "a\ud800") == expected


@pytest.mark.parametrize(
    ("key", "given", "sentence"),
    [
        ("label", [1], "expected 'label' of shape (), found (1,)"),
        ("labels", [1, 0], "expected 'labels' of shape (3,), found (2,)"),
        ("classes", 1, "expected 'classes' of shape (None,), found ()"),
        ("boxes", [0, 0, 1, 1], "expected 'boxes' of shape (None, 4), found (4,)"),
        ("boxes", [[0, 0, 1]], "expected 'boxes' of shape (None, 4), found (1, 3)"),
        ("sequence", np.zeros((2, 4)), "expected 'sequence' of shape (4, 2), found (2, 4)"),
        ("sequence", np.zeros(8), "expected 'sequence' of shape (4, 2), found (8,)"),
        ("target", [0.5], "expected 'target' of shape (2,), found (1,)"),
        ("number", [0.5], "expected 'number' of shape (), found (1,)"),
    ],
)
def test_a_wrong_shape_is_refused(key, given, sentence):
    assert reason(key, given) == sentence


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("key", "given", "sentence"),
    [
        ("target", [1, NAN], "expected 'target' to be finite numbers of float32, found nan"),
        ("target", [-INF, 0], "expected 'target' to be finite numbers of float32, found -inf"),
        ("number", 1e39, "expected 'number' to be finite numbers of float32, found 1e+39"),
        ("number", "1.5", "expected 'number' to be numbers, found '1.5'"),
        ("number", True, "expected 'number' to be numbers, found True"),
        ("target", [[1], [2, 3]], "expected 'target' to be numbers, found lists that differ in "
         "length"),
        ("label", "cat", "expected 'label' to be whole numbers, found 'cat'"),
        ("label", 1.0, "expected 'label' to be whole numbers, found 1.0"),
        ("label", None, "expected 'label' to be whole numbers, found None"),
        ("labels", [True, False, True],
         "expected 'labels' to be whole numbers, found [True, False, True]"),
        ("sequence", np.full((4, 2), 1e39),
         "expected 'sequence' to be finite numbers of float32, found 1e+39"),
    ],
)  # fmt: skip
def test_what_is_no_such_number_is_refused(key, given, sentence):
    assert reason(key, given) == sentence


@pytest.mark.parametrize("given", [2, 2.5, np.float64(-0.0), np.int8(3), np.float32(3.4e38)])
def test_any_finite_number_is_a_target(given):
    assert value("number", given) is given


def test_a_sequence_may_have_gaps():
    gaps = np.full((4, 2), NAN)
    assert value("sequence", gaps) is gaps


@pytest.mark.parametrize("boxes", [[], np.zeros((0, 4)), [[0, 0, 1, 1]]])
def test_any_number_of_boxes_is_stored(boxes):
    assert value("boxes", boxes) is boxes


def test_every_box_needs_a_class():
    features = {key: FEATURES[key] for key in ("boxes", "classes")}
    with pytest.raises(Refused, match=r"^found 1 boxes and 2 classes$"):
        stored({"boxes": [[0, 0, 1, 1]], "classes": [1, 2]}, features)


def test_a_missing_value_is_refused():
    with pytest.raises(Refused, match=r"^it has no 'label'$"):
        stored({"id": "a"}, {"label": Feature("label")})


def test_what_is_wrong_with_a_mask_is_said_of_the_mask(tmp_path):
    assert reason("mask", tmp_path / "a.png") == "the mask: there is no such file"
