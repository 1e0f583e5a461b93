"""The same content in two splits is found by its pixels, and named."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tests import pictures
from tfpipe.decode import decode_image
from tfpipe.records import load, write
from tfpipe.records.contents import jpeg_content
from tfpipe.records.sources.base import Entry, Feature, from_entries
from tfpipe.records.writing.duplicates import SHOWN

NONE = {"num_contents": 0, "examples": []}


def encoded(seed, kind="PNG"):
    pixels = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def source_of(*rows):
    """Rows of (id, split, encoded image)."""
    return from_entries(
        "pairs",
        [Entry(*row) for row in rows],
        lambda image: {"image": image, "label": 0},
        features={"image": Feature("image", (None, None, 3)), "label": Feature("label")},
        class_names=("a",),
        rule={},
        seed=0,
    )


def warned(path, *rows, **options):
    with pytest.warns(UserWarning, match="make scores too good") as caught:
        manifest = write(source_of(*rows), path, **options)
    assert load(path).duplicates == manifest.duplicates
    ours = [warning for warning in caught if "make scores" in str(warning.message)]
    assert [warning.filename for warning in ours] == [__file__]
    return manifest.duplicates, str(ours[0].message)


def test_a_duplicate_across_splits_is_a_warning_and_in_the_manifest(tmp_path):
    duplicates, text = warned(
        tmp_path / "r",
        ("a.png", "train", encoded(1)),
        ("b.png", "train", encoded(2)),
        ("c.png", "val", encoded(1)),
        ("d.png", "test", encoded(3)),
    )
    assert duplicates == {"num_contents": 1, "examples": [["train: a.png", "val: c.png"]]}
    assert text == (
        "Contents that stand in more than one split make scores too good. Found 1: "
        "train: a.png = val: c.png. Split by `group`, or remove them."
    )


def test_the_same_pixels_in_another_encoding_are_the_same(tmp_path):
    rows = [("a.png", "train", encoded(1)), ("a.bmp", "val", encoded(1, "BMP"))]
    assert warned(tmp_path / "r", *rows)[0]["examples"] == [["train: a.png", "val: a.bmp"]]


def a_jpeg(seed, **options):
    smooth = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(smooth).resize((40, 24), Image.Resampling.BICUBIC).save(file, "JPEG", **options)
    return file.getvalue()


def test_jpegs_of_the_same_pixels_are_the_same_however_they_are_packed(tmp_path):
    rows = [
        ("a.jpg", "train", a_jpeg(1)),
        ("b.jpg", "train", a_jpeg(2)),
        ("c.jpg", "val", a_jpeg(1, progressive=True)),
        ("d.jpg", "val", a_jpeg(1, quality=50)),
    ]
    assert warned(tmp_path / "r", *rows)[0] == {
        "num_contents": 1,
        "examples": [["train: a.jpg", "val: c.jpg"]],
    }


@pytest.mark.parametrize("shard_bytes", [1, 2**20])
def test_a_jpeg_and_the_png_of_its_pixels_are_the_same(tmp_path, shard_bytes):
    png = pictures.encoded(decode_image(a_jpeg(3), 3).numpy())
    rows = [(f"{n}.jpg", "train" if n % 2 else "test", a_jpeg(n)) for n in range(6)]
    rows += [("bad.jpg", "train", b"bad"), ("small.png", "val", encoded(1)), ("3.png", "val", png)]
    duplicates, _ = warned(tmp_path / "r", *rows, max_refused=0.5, shard_bytes=shard_bytes)
    assert duplicates == {"num_contents": 1, "examples": [["train: 3.jpg", "val: 3.png"]]}


def test_jpegs_that_agree_in_an_8th_of_their_size_only_are_not_the_same(tmp_path):
    pixels = np.full((8, 8, 3), 128, np.uint8)
    pixels[:4], pixels[4:] = 100, 156  # in the mean of the block, as grey as the other
    jpegs = [pictures.encoded(array, "JPEG", quality=100) for array in (pixels, pixels[::-1])]
    assert jpeg_content(jpegs[0], 3) == jpeg_content(jpegs[1], 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = [("a.jpg", "train", jpegs[0]), ("b.jpg", "val", jpegs[1])]
        assert write(source_of(*rows), tmp_path / "r").duplicates == NONE


def a_png(seed, last=0, **options):
    pixels = np.random.default_rng(seed).integers(0, 256, (130, 140, 3), np.uint8)
    pixels[-1] = last
    return pictures.encoded(pixels, **options)


def test_pngs_of_the_same_pixels_are_the_same_however_they_are_packed(tmp_path):
    rows = [
        ("a.png", "train", a_png(1)),
        ("b.png", "train", a_png(2)),
        ("c.png", "val", a_png(1, compress_level=0)),
        ("d.png", "val", a_png(1, last=1)),  # its sketch is that of the first
    ]
    assert warned(tmp_path / "r", *rows)[0] == {
        "num_contents": 1,
        "examples": [["train: a.png", "val: c.png"]],
    }


@pytest.mark.parametrize("kind", ["BMP", "PNG"])
def test_a_sketched_png_and_another_file_of_its_pixels_are_the_same(tmp_path, kind):
    options = {} if kind == "BMP" else {"dpi": (72, 72), "pnginfo": a_text()}
    other = pictures.encoded(Image.open(io.BytesIO(a_png(3))), kind, **options)
    rows = [(f"{n}.png", "train" if n % 2 else "test", a_png(n)) for n in range(6)]
    rows += [("small.png", "val", encoded(1)), ("other", "val", other)]
    duplicates, _ = warned(tmp_path / "r", *rows)
    assert duplicates == {"num_contents": 1, "examples": [["train: 3.png", "val: other"]]}


def test_a_large_jpeg_and_the_png_of_its_pixels_are_the_same(tmp_path):
    jpeg = pictures.encoded(pictures.waves(130, 140), "JPEG")
    png = pictures.encoded(decode_image(jpeg, 3).numpy())
    rows = [("a.jpg", "train", jpeg), ("b.png", "val", png), ("c.png", "val", a_png(1))]
    duplicates, _ = warned(tmp_path / "r", *rows)
    assert duplicates == {"num_contents": 1, "examples": [["train: a.jpg", "val: b.png"]]}


def a_text():
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "a")
    return info


def test_within_one_split_they_are_no_matter(tmp_path):
    rows = [
        ("a.png", "train", encoded(1)),
        ("b.png", "train", encoded(1)),
        ("c.png", "val", encoded(2)),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        manifest = write(source_of(*rows), tmp_path / "r")
    assert manifest.duplicates == NONE


def test_all_places_of_one_content_are_named_in_any_shard(tmp_path):
    rows = [(f"{split}{n}", split, encoded(n)) for split in ("train", "val") for n in range(3)]
    rows += [("again", "train", encoded(0)), ("other", "test", encoded(9))]
    duplicates, text = warned(tmp_path / "r", *rows, shard_bytes=1)  # one example in each shard
    assert duplicates["num_contents"] == 3
    assert {frozenset(places) for places in duplicates["examples"]} == {
        frozenset(["train: train0", "train: again", "val: val0"]),
        frozenset(["train: train1", "val: val1"]),
        frozenset(["train: train2", "val: val2"]),
    }
    assert text.count("; ") == 2


def test_of_many_the_first_are_named(tmp_path):
    rows = [(f"{split}{n}", split, encoded(n)) for split in ("train", "val") for n in range(30)]
    duplicates, text = warned(tmp_path / "r", *rows)
    assert duplicates["num_contents"] == 30
    assert len(duplicates["examples"]) == SHOWN
    assert " Found 30: train: " in text
    assert text.endswith(" and 27 more. Split by `group`, or remove them.")


def test_what_was_refused_does_not_shift_the_names(tmp_path):
    rows = [(f"bad{n}", "train", b"bad") for n in range(4)]
    rows += [(f"t{n}", "train", encoded(n)) for n in range(6)] + [("v", "val", encoded(4))]
    duplicates, _ = warned(tmp_path / "r", *rows, max_refused=0.5, shard_bytes=400)
    assert duplicates["examples"] == [["train: t4", "val: v"]]


def test_a_name_of_undecodable_bytes(tmp_path):
    name = b"a\xff.png".decode("utf-8", "surrogateescape")
    rows = [(name, "train", encoded(1)), ("b", "val", encoded(1))]
    assert warned(tmp_path / "r", *rows)[0]["examples"] == [[f"train: {name}", "val: b"]]


def test_of_a_content_that_stands_often_some_places_are_told(tmp_path):
    rows = [(f"{n}.png", "train" if n < 8 else "val", encoded(1)) for n in range(10)]
    duplicates, text = warned(tmp_path / "r", *rows)
    assert len(duplicates["examples"][0]) == 10
    told = text.split("Found 1: ")[1].split(". Split by")[0]
    assert told.endswith(" and 6 more")
    assert len(told.split(" = ")) == 4
    assert {place.split(":")[0] for place in told.split(" = ")} == {"train", "val"}
