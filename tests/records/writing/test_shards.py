"""A shard is finished with its last example, found again by its key, and by no other."""

import array
import errno
import hashlib
import json
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfpipe.records.sources.base import Source
from tfpipe.records.writing import shards
from tfpipe.records.writing.encode import Encoded
from tfpipe.records.writing.plan import PlannedShard
from tfpipe.records.writing.shards import (
    Facts,
    ShardWriter,
    all_facts,
    load_facts,
    load_finished,
    pending,
    save_facts,
    shard_path,
)

KEPT = Encoded(record=b"one", classes=(2, 2, 0), size_px=(4, 5), digest=7, notes=("a box",))
REFUSED = Encoded(refused="truncated")


def written(path, *results, key="k"):
    writer = ShardWriter(path, PlannedShard(len(results), key))
    ends = [writer.add(f"id{n}", result) for n, result in enumerate(results)]
    assert ends == [False] * (len(results) - 1) + [True]
    return writer.facts


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_shard_holds_the_records_and_its_facts_say_what_is_in_it(tmp_path):
    path = shard_path(tmp_path, "train", 3)
    facts = written(path, KEPT, REFUSED, Encoded(record=b"two", digest=2**64 - 2))
    assert [r.numpy() for r in tf.data.TFRecordDataset(str(path))] == [b"one", b"two"]
    assert facts == Facts(
        key="k",
        num_examples=2,
        num_bytes=path.stat().st_size,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        class_counts=Counter({2: 2, 0: 1}),
        sizes_px=Counter({(4, 5): 1, (0, 0): 1}),
        kinds_px={(3, 4, 5), (0, 0, 0)},
        refused=[("id0", "part", "a box"), ("id1", "example", "truncated")],
        digests=array.array("Q", [7, 2**64 - 2]),
    )
    assert names(tmp_path) == ["train-00003", "train-00003.digests", "train-00003.json"]


def test_the_sum_is_that_of_the_file_however_often_it_is_taken_on_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "SETTLE_BYTES", 7)
    path = shard_path(tmp_path, "train", 0)
    results = [Encoded(record=bytes([n]) * n) for n in range(20)]
    facts = written(path, *results)
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts.num_bytes == path.stat().st_size
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
    assert records == [result.record for result in results]


def test_the_facts_come_back_as_they_were(tmp_path):
    path = shard_path(tmp_path, "train", 0)
    facts = written(path, KEPT, REFUSED)
    assert load_facts(path, PlannedShard(2, "k")) == facts


@given(
    st.builds(
        Facts,
        key=st.just("k"),
        num_examples=st.integers(0),
        class_counts=st.dictionaries(st.integers(0), st.integers(1)).map(Counter),
        sizes_px=st.dictionaries(st.tuples(st.integers(0), st.integers(0)), st.integers(1)).map(
            Counter
        ),
        kinds_px=st.sets(st.tuples(*[st.integers(0)] * 3)),
        refused=st.lists(
            st.tuples(st.text(st.characters(codec="utf-8")), st.just("part"), st.just("\n\x00"))
        ),
        digests=st.lists(st.integers(0, 2**64 - 1)).map(lambda numbers: array.array("Q", numbers)),
    )
)
@settings(max_examples=20)  # each is synced to the disk
def test_any_facts_come_back_as_they_were(tmp_path_factory, facts):
    path = tmp_path_factory.getbasetemp() / "shard"
    path.touch()
    save_facts(facts, path)
    assert load_facts(path, PlannedShard(1, "k")) == facts


def test_names_of_undecodable_bytes_come_back_as_they_were(tmp_path):
    path = shard_path(tmp_path, "train", 0)
    writer = ShardWriter(path, PlannedShard(1, "k"))
    writer.add(b"a\xff".decode("utf-8", "surrogateescape"), REFUSED)
    assert load_facts(path, PlannedShard(1, "k")) == writer.facts


def test_an_unfinished_shard_is_not_there(tmp_path):
    path = shard_path(tmp_path, "train", 0)
    writer = ShardWriter(path, PlannedShard(2, "k"))
    assert not writer.add("a", KEPT)
    assert load_facts(path, PlannedShard(2, "k")) is None
    assert not path.exists()
    written(path, KEPT, KEPT)  # what was begun is written over
    assert load_facts(path, PlannedShard(2, "k")).num_examples == 2


def test_a_shard_without_facts_is_not_finished(tmp_path):
    path = shard_path(tmp_path, "train", 0)
    written(path, KEPT)
    path.with_name("train-00000.json").unlink()
    assert load_facts(path, PlannedShard(1, "k")) is None


def test_a_shard_of_another_version_is_written_anew(tmp_path):
    path = shard_path(tmp_path, "train", 0)
    written(path, KEPT)
    file = path.with_name("train-00000.json")
    facts = json.loads(file.read_text())
    facts["unsketched_px"] = facts.pop("kinds_px")
    file.write_text(json.dumps(facts))
    assert load_facts(path, PlannedShard(1, "k")) is None
    assert not file.exists()


def test_facts_without_a_shard_are_not_finished(tmp_path):
    path = shard_path(tmp_path, "train", 0)
    written(path, KEPT)
    path.unlink()
    assert load_facts(path, PlannedShard(1, "k")) is None


def test_old_facts_are_never_taken_for_those_of_a_shard_that_was_written_since(tmp_path):
    path = shard_path(tmp_path, "train", 0)
    written(path, KEPT, key="old")
    assert load_facts(path, PlannedShard(1, "new")) is None
    # Killed between the new shard and its facts.
    path.write_bytes(b"new")
    assert load_facts(path, PlannedShard(1, "old")) is None


def test_a_shard_whose_examples_were_all_refused_is_finished_and_empty(tmp_path):
    path = shard_path(tmp_path, "train", 0)
    facts = written(path, REFUSED)
    assert (facts.num_examples, facts.num_bytes) == (0, 0)
    assert load_facts(path, PlannedShard(1, "k")) == facts


def test_finished_shards_are_not_pending(tmp_path):
    plan = {"train": [PlannedShard(1, "a"), PlannedShard(2, "b")], "val": [PlannedShard(1, "c")]}
    written(shard_path(tmp_path, "train", 0), KEPT, key="a")
    written(shard_path(tmp_path, "val", 0), KEPT, key="c")
    finished = load_finished(plan, tmp_path)
    found = {split: [f and f.key for f in facts] for split, facts in finished.items()}
    assert found == {"train": ["a", None], "val": ["c"]}
    assert [facts.key for facts in all_facts(finished)] == ["a", "c"]
    examples = [{"id": str(n), "split": "val" if n == 1 else "train"} for n in range(4)]
    source = Source("s", {}, (), {}, lambda: iter(examples))
    assert [(e["id"], e["shard"]) for e in pending(source, plan, finished)] == [("2", 1), ("3", 1)]


def test_the_facts_are_json_and_numbers(tmp_path):
    path = shard_path(tmp_path, "train", 0)
    written(path, KEPT, REFUSED)
    assert json.loads(path.with_name("train-00000.json").read_bytes())["sizes_px"] == [[[4, 5], 1]]
    assert np.fromfile(path.with_name("train-00000.digests"), np.uint64).tolist() == [7]


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    path = shard_path(tmp_path, "train", 0)

    class Full:
        def __init__(self, path):
            self.path = path

        def write(self, record):
            message = f"{self.path}; No space left on device"
            raise tf.errors.ResourceExhaustedError(None, None, message)

    monkeypatch.setattr(tf.io, "TFRecordWriter", Full)
    with pytest.raises(OSError, match="No space left on device") as error:
        written(path, KEPT)
    assert (error.value.errno, error.value.filename) == (errno.ENOSPC, f"{path}.aside")
    assert error.value.strerror == (
        f"A shard cannot be written ({path}.aside; No space left on device). Once it can, call "
        "again: finished shards are kept"
    )


def test_a_disk_that_fails_while_records_are_added_is_said_by_the_shards_name(
    tmp_path, monkeypatch
):
    def failing(path):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(shards, "SETTLE_BYTES", 7)
    monkeypatch.setattr(shards, "sync", failing)
    path = shard_path(tmp_path, "train", 0)
    with pytest.raises(OSError, match="A shard cannot be written") as caught:
        written(path, *[Encoded(record=b"a record")] * 5)
    assert caught.value.errno == errno.EIO
    assert caught.value.filename == f"{path}.aside"
