"""How much may be refused: a share, and never all of a class or of a split."""

import cv2
import numpy as np

from tests.records.writing.small import (
    contents,
    names,
    picture,
    pictures,
    refusal,
    source_of,
    texts,
)
from tfpipe.records import mask_folder, write
from tfpipe.records.sources.base import Feature, Source
from tfpipe.records.values import to_png


def test_as_many_as_max_refused_may_be_refused(tmp_path):
    source = source_of(pictures(tmp_path / "pictures"))  # 2 of 60
    assert write(source, tmp_path / "r", max_refused=2 / 60).num_refused == 2


def test_more_than_max_refused_are_an_error_and_the_next_call_may_allow_them(tmp_path):
    source = source_of(pictures(tmp_path / "pictures"))
    write(source, tmp_path / "allowed", shard_bytes=2000)
    listing = tmp_path / "r.refused.csv"
    sentence = refusal(source, tmp_path / "r", max_refused=0.033, shard_bytes=2000)
    assert sentence == (
        f"2 of 60 examples were refused, more than max_refused=0.033; {str(listing)!r} lists "
        "them. The first: 007.png: not an image; it begins with b'no image'"
    )
    assert listing.read_bytes() == (tmp_path / "allowed" / "refused.csv").read_bytes()
    write(source, tmp_path / "r", shard_bytes=2000)
    assert contents(tmp_path / "r") == contents(tmp_path / "allowed")
    assert names(tmp_path) == ["allowed", "pictures", "r"]


def test_mended_files_are_taken_up(tmp_path):
    folder = pictures(tmp_path / "pictures")
    refusal(source_of(folder), tmp_path / "r", max_refused=0, shard_bytes=2000)
    for number in (7, 30):
        (folder / f"{number:03d}.png").write_bytes(picture(number))
    manifest = write(source_of(folder), tmp_path / "r", max_refused=0, shard_bytes=2000)
    assert (manifest.num_refused, names(tmp_path)) == (0, ["pictures", "r"])


def test_a_setting_that_is_taken_back_after_a_stop_gives_the_same_bytes(tmp_path):
    source = source_of(pictures(tmp_path / "pictures"))
    write(source, tmp_path / "expected", shard_bytes=2000)
    for shard_bytes in (2000, 1500, 2000):  # each leaves its shards in the workshop
        refusal(source, tmp_path / "r", max_refused=0, shard_bytes=shard_bytes)
    write(source, tmp_path / "r", shard_bytes=2000)
    assert contents(tmp_path / "r") == contents(tmp_path / "expected")


def test_a_class_without_examples_is_an_error(tmp_path):
    rows = [("train", 0)] * 30 + [("train", "no annotation")]
    assert refusal(texts(*rows), tmp_path / "r") == (
        "No example is left of 'b'. 1 were refused; the first: id30: no annotation"
    )
    assert refusal(texts(*rows[:30], class_names=("a", "b", "c")), tmp_path / "s") == (
        "No example is left of 'b', 'c'. None was refused: the source has none."
    )


def boxes(*examples, declared=False):
    features = {"boxes": Feature("boxes"), "classes": Feature("classes")}
    rows = [
        {"id": f"{n}", "split": "train", "boxes": [(0, 0, 1, 1)] * len(found), "classes": found,
         "notes": notes}
        for n, (found, notes) in enumerate(examples)
    ]  # fmt: skip
    return Source("boxes", features, ("a", "b"), {}, lambda: iter(rows), declared)


FLAT = ("box 1, 'b', has no area: [1, 1, 1, 1]",)


def test_a_class_without_boxes_is_an_error_unless_nothing_said_that_there_are_any(tmp_path):
    assert write(boxes(([0], ()), declared=True), tmp_path / "r").num_classes == 2
    assert refusal(boxes(([0], ())), tmp_path / "s") == (
        "No example is left of 'b'. None was refused: the source has none."
    )
    for declared in (False, True):
        source = boxes(([0], ()), ([], FLAT), declared=declared)
        assert refusal(source, tmp_path / "s") == (
            f"No example is left of 'b'. 1 parts were left out; the first: 1: {FLAT[0]}"
        )
    assert refusal(boxes(([], ()), declared=True), tmp_path / "s") == (
        "No example is left of 'a', 'b'. None was refused: the source has none."
    )


def masks(root, greys):
    for n in range(4):
        for folder, pixels in (("images", picture(n)), ("masks", to_png(greys))):
            (root / folder).mkdir(parents=True, exist_ok=True)
            (root / folder / f"{n}.png").write_bytes(pixels)
    return root / "images", root / "masks"


def test_masks_of_one_class_are_an_error(tmp_path):
    height, width = cv2.imdecode(np.frombuffer(picture(0), np.uint8), 0).shape
    greys = np.zeros((height, width, 1), np.uint8)
    greys[0] = 1
    parts = masks(tmp_path / "data", greys)
    source = mask_folder(*parts, classes=127, class_names=("free", "defect"), name="masks")
    assert refusal(source, tmp_path / "r") == (
        "Every pixel of every mask is of the class 'free'. Give `classes` that tell the masks' "
        "greys apart."
    )
    ignored = mask_folder(*parts, classes={0: -1, 1: -1, 2: 0, 3: 1}, name="masks")
    assert refusal(ignored, tmp_path / "r") == (
        "Every pixel of every mask is ignored. Give `classes` that tell the masks' greys apart."
    )
    manifest = write(mask_folder(*parts, classes=0, name="masks"), tmp_path / "r")
    assert sum(part.class_counts[1] for part in manifest.splits.values()) == 4


def test_a_split_without_examples_is_an_error(tmp_path):
    rows = [("train", 0), ("train", 1)] * 20 + [("val", "too dark")]
    assert refusal(texts(*rows), tmp_path / "r") == (
        "Every example of the split 'val' was refused. 1 were refused; the first: id40: too dark"
    )


def test_notes_are_listed_and_do_not_count(tmp_path):
    source = texts(("train", 0), ("train", 1))
    noted = Source(
        source.name,
        source.features,
        source.class_names,
        source.rule,
        lambda: ({**example, "notes": ("left out",)} for example in source),
    )
    assert write(noted, tmp_path / "r", max_refused=0).num_refused == 0
    assert (tmp_path / "r" / "refused.csv").read_text().splitlines()[1:] == [
        "id0,part,left out",
        "id1,part,left out",
    ]


def test_masks_of_one_class_in_train_are_an_error(tmp_path):
    height, width = cv2.imdecode(np.frombuffer(picture(0), np.uint8), 0).shape
    parts = masks(tmp_path / "data", np.zeros((height, width, 1), np.uint8))
    defect = np.full((height, width, 1), 255, np.uint8)
    (tmp_path / "data" / "masks" / "3.png").write_bytes(to_png(defect))
    split = {"0": "train", "1": "train", "2": "val", "3": "test"}
    names = ("free", "defect")
    source = mask_folder(*parts, classes=127, class_names=names, name="masks", split=split)
    assert refusal(source, tmp_path / "r") == (
        "Every pixel of every mask of 'train' is of the class 'free'. Divide the images in "
        "another way."
    )
