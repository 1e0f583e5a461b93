"""The whole folder: the files' names, what the manifest counts, and shards that are linked."""

import hashlib
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from tfpipe.records import arrays, load, write
from tfpipe.records.sources.base import Entry, Feature, Source, from_entries
from tfpipe.records.writing.assemble import assemble
from tfpipe.records.writing.encode import Encoded
from tfpipe.records.writing.plan import PlannedShard
from tfpipe.records.writing.shards import ShardWriter, load_finished, shard_path

IMAGE = {"image": Feature("image", (None, None, 1)), "label": Feature("label")}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_files_and_what_the_manifest_says_of_them(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (50, 4, 5), np.uint8)
    y = np.arange(50) % 3
    source = arrays(x, y, name="dots", class_names=["a", "b", "c"])
    manifest = write(source, tmp_path / "r", shard_bytes=400)
    files = [shard.file for split in manifest.splits.values() for shard in split.shards]
    tfds = ["dataset_info.json", "features.json", "label.labels.txt"]
    others = [*tfds, "manifest.json", "refused.csv"]
    assert names(tmp_path / "r") == sorted([*files, *others])
    assert load(tmp_path / "r") == manifest
    assert manifest.path == str(tmp_path / "r")
    for split, info in manifest.splits.items():
        count = len(info.shards)
        expected = [f"dots-{split}.tfrecord-{n:05d}-of-{count:05d}" for n in range(count)]
        assert [shard.file for shard in info.shards] == expected
        examples = [example for example in source if example["split"] == split]
        counts = Counter(example["label"] for example in examples)
        assert info.class_counts == tuple(counts[label] for label in range(3))
        for shard, path in zip(info.shards, manifest.files(split), strict=True):
            with open(path, "rb") as file:
                data = file.read()
            assert shard.sha256 == hashlib.sha256(data).hexdigest()
            assert shard.num_bytes == len(data)
            assert shard.num_examples == sum(1 for _ in tf.data.TFRecordDataset(path))
    assert sum(info.num_examples for info in manifest.splits.values()) == 50
    assert len(manifest.splits["train"].shards) > 1
    assert manifest.image_sizes == {
        "distinct": 1,
        "smallest": [4, 5],
        "largest": [4, 5],
        "most_common": [[4, 5, 50]],
    }
    assert manifest.num_refused == 0


def half_done(folder):
    """A source of two shards of which the first lost all its examples, and its plan, written."""
    plan = {"train": [PlannedShard(1, "a"), PlannedShard(3, "b")], "val": [PlannedShard(1, "c")]}
    lost = Encoded(refused="empty")
    results = {
        ("train", 0): [lost],
        ("train", 1): [
            Encoded(record=b"x", classes=(1, 1), size_px=(9, 1), digest=4, notes=("a box",)),
            lost,
            Encoded(record=b"y", classes=(0,), size_px=(2, 3), digest=2),
        ],
        ("val", 0): [Encoded(record=b"z", size_px=(3, 2), digest=6)],
    }
    for (split, number), examples in results.items():
        writer = ShardWriter(shard_path(folder, split, number), plan[split][number])
        for n, encoded in enumerate(examples):
            writer.add(f"{split}{number}{n}", encoded)
    return Source("x y", IMAGE, ("a", "b"), {"by": "hand"}, lambda: iter(())), plan


def test_a_shard_that_lost_all_its_examples_is_left_out(tmp_path):
    source, plan = half_done(tmp_path)
    manifest = assemble(source, plan, load_finished(plan, tmp_path), tmp_path)
    train, val = manifest.splits["train"], manifest.splits["val"]
    assert [shard.file for shard in train.shards] == ["x_y-train.tfrecord-00000-of-00001"]
    assert (train.num_examples, val.num_examples) == (2, 1)
    assert (train.class_counts, val.class_counts) == ((1, 2), (0, 0))
    assert manifest.num_refused == 2
    assert manifest.image_sizes == {
        "distinct": 3,
        "smallest": [2, 3],
        "largest": [9, 1],
        "most_common": [[2, 3, 1], [9, 1, 1], [3, 2, 1]],
    }
    assert (tmp_path / "whole" / "refused.csv").read_text().splitlines() == [
        "file,refused,reason",
        "train00,example,empty",
        "train10,part,a box",
        "train11,example,empty",
    ]


def test_the_shards_are_linked_and_stay_where_they_were(tmp_path):
    source, plan = half_done(tmp_path)
    finished = load_finished(plan, tmp_path)
    for _ in range(2):  # the second call starts anew, as after a kill
        manifest = assemble(source, plan, finished, tmp_path)
        assert (tmp_path / "train-00001").samefile(manifest.files("train")[0])
    assert load_finished(plan, tmp_path) == finished


def test_where_there_are_no_links_the_shards_are_copied(tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError("Operation not supported")

    monkeypatch.setattr("os.link", no_links)
    source, plan = half_done(tmp_path)
    manifest = assemble(source, plan, load_finished(plan, tmp_path), tmp_path)
    copied = tmp_path / "whole" / manifest.splits["train"].shards[0].file
    assert copied.read_bytes() == (tmp_path / "train-00001").read_bytes()
    assert not copied.samefile(tmp_path / "train-00001")


@pytest.mark.parametrize("name", ["a b", "a.b", "a-b"])
def test_the_name_becomes_part_of_file_names(tmp_path, name):
    source = from_entries(
        name,
        [Entry("a", "train", None)],
        lambda _: {"text": "x"},
        features={"text": Feature("text")},
        class_names=(),
        rule={},
        seed=0,
    )
    manifest = write(source, tmp_path / "r")
    assert manifest.name == "a_b"
    assert (tmp_path / "r" / "a_b-train.tfrecord-00000-of-00001").is_file()
    assert manifest.image_sizes == {}
