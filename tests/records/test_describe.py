"""What a person reads about records, word by word."""

import dataclasses

from tfpipe.records.describe import describe
from tfpipe.records.manifest import Manifest, Shard, SplitInfo
from tfpipe.records.sources.base import Feature

SMALL = Manifest(
    path="records/pets",
    name="pets",
    features={"image": Feature("image", (None, None, 3)), "label": Feature("label")},
    class_names=("cat", "dog"),
    rule={"by": "fractions", "fractions": {"train": 0.9, "val": 0.1}, "seed": 0},
    splits={
        "train": SplitInfo((Shard("a", 1200, 61_234, ""), Shard("b", 34, 10, "")), (1000, 234)),
        "val": SplitInfo((Shard("c", 5, 2_500_000, ""),), (5, 0)),
    },
    num_refused=0,
    num_notes=0,
    image_sizes={"distinct": 1, "smallest": [20, 30], "largest": [20, 30]},
    duplicates={"num_contents": 0, "examples": []},
    fingerprint="",
)


def test_a_small_dataset():
    assert describe(SMALL).splitlines() == [
        "pets: image (image), label (label); in records/pets",
        "            train     val",
        "--------  -------  ------",
        "examples    1,234       5",
        "size      61.2 kB  2.5 MB",
        "cat         1,000       5",
        "dog           234       0",
        "image sizes: all 20x30 pixels",
        "split: by fractions (train 0.9, val 0.1), seed 0",
        "refused: 0 examples",
        "in more than one split: 0 contents",
    ]


def test_what_was_refused_and_what_stands_twice():
    manifest = dataclasses.replace(
        SMALL, num_refused=1234, num_notes=2, duplicates={"num_contents": 4321, "examples": []}
    )
    assert describe(manifest).splitlines()[-2:] == [
        "refused: 1,234 examples and 2 parts of others (refused.csv lists them)",
        "in more than one split: 4,321 contents",
    ]


def test_how_the_split_was_made():
    rule = {"by": "given", "given_by": "folders", "grouped_by": "patient", "stratified": True}
    text = describe(dataclasses.replace(SMALL, rule=rule))
    assert "split: as given by folders; grouped by patient; stratified by class" in text
    assert "split: by hand" in describe(dataclasses.replace(SMALL, rule={"by": "hand"}))


def test_classes_that_are_not_counted_are_not_listed():
    splits = {"train": SplitInfo((Shard("a", 3, 10, ""),), (0, 0))}
    assert "cat" not in describe(dataclasses.replace(SMALL, splits=splits))


def test_sizes_that_differ():
    sizes = {
        "distinct": 1200,
        "smallest": [1, 2],
        "largest": [30, 40],
        "most_common": [[20, 30, 1000], [1, 2, 1]],
    }
    text = describe(dataclasses.replace(SMALL, image_sizes=sizes))
    expected = "image sizes: 1,200 different, from 1x2 to 30x40 pixels; 1,000 are 20x30"
    assert expected in text.splitlines()


def test_only_the_first_classes_are_listed():
    names = tuple(f"class {n}" for n in range(50))
    splits = {"train": SplitInfo((), (1,) * 50)}
    manifest = dataclasses.replace(SMALL, class_names=names, splits=splits)
    lines = describe(manifest).splitlines()
    assert sum(line.startswith("class ") for line in lines) == 30
    assert any(line.startswith("and 20 more classes") for line in lines)


def test_without_images_no_sizes_are_listed():
    manifest = dataclasses.replace(SMALL, features={"text": Feature("text")}, image_sizes={})
    assert "image sizes" not in describe(manifest)


def test_numbers_are_described_by_how_many_they_are():
    features = {"sequence": Feature("sequence", (48, 2)), "target": Feature("target", (3,))}
    splits = {"train": SplitInfo((Shard("a", 5, 10, ""),), ())}
    manifest = dataclasses.replace(SMALL, features=features, class_names=(), splits=splits)
    assert describe(manifest).splitlines()[:5] == [
        "pets: sequence (sequence, float32 48x2), target (target, float32 3); in records/pets",
        "          train",
        "--------  -----",
        "examples      5",
        "size       10 B",
    ]
    single = dataclasses.replace(manifest, features={"target": Feature("target")})
    assert describe(single).startswith("pets: target (target, float32); in")
