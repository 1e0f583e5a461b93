"""`records.check`: every kind of damage, made by the test, is found at the record that has it."""

import bisect
import contextlib
import hashlib
import importlib
import os
import shutil
import struct
import types

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records.reading.shards import offsets, shards
from tfpipe import records
from tfpipe.errors import RequestError

checks = importlib.import_module(
    "tfpipe.records.reading.check"
)  # the package has a function of that name


def flip(path, place, bits=0x10):
    data = bytearray(path.read_bytes())
    data[place] ^= bits
    path.write_bytes(data)


def sentences(folder):
    return [str(problem) for problem in records.check(folder)]


def test_a_sound_folder_has_no_problems(sound):
    assert records.check(sound) == []


@pytest.mark.parametrize(
    "place",
    [0, 7, 8, 11, 12, 20, -4, -1],
    ids=["length", "length's end", "length's sum", "its end", "data", "more data", "sum", "end"],
)
def test_a_flipped_byte_is_found_at_its_record(folder, place):
    shard = shards(folder)[1]
    start = offsets(shard)
    flip(shard, start[2] + place if place >= 0 else start[3] + place)
    assert sentences(folder) == [f"{shard}, record 2: the record is damaged"]


def test_several_damaged_records_are_all_named(folder):
    first, second = shards(folder)[:2]
    validation = shards(folder, "val")[0]
    flip(first, offsets(first)[0] + 15)
    flip(first, offsets(first)[3] + 15)
    flip(second, offsets(second)[1] + 15)
    flip(validation, offsets(validation)[2] + 15)
    assert sentences(folder) == [
        f"{first}, record 0: the record is damaged",
        f"{first}, record 3: the record is damaged",
        f"{second}, record 1: the record is damaged",
        f"{validation}, record 2: the record is damaged",
    ]


@given(data=st.data())
@settings(max_examples=60)
def test_any_flipped_bit_is_found(sound, tmp_path_factory, data):
    original = shards(sound)[0]
    start = offsets(original)
    place = data.draw(st.integers(0, start[-1] - 1))
    copy = tmp_path_factory.mktemp("flipped") / "shard"
    shutil.copy(original, copy)
    flip(copy, place, 1 << data.draw(st.integers(0, 7)))
    found = list(checks.records_of(str(copy)))
    hit = bisect.bisect_right(start, place) - 1
    assert [record.number for record in found if record.data is None] == [hit]
    assert [record.number for record in found] == list(range(len(found)))
    # After a damaged length nothing can be told apart.
    assert len(found) == (hit + 1 if place - start[hit] < 12 else len(start) - 1)
    bytes_ = original.read_bytes()
    for record in found:
        if record.data is not None:
            begin, end = start[record.number], start[record.number + 1]
            assert record.data == bytes_[begin + 12 : end - 4]


@pytest.mark.parametrize("rest", [1, 8, 11, 12, 13, 30, -1])
def test_a_shard_cut_inside_a_record(folder, rest):
    shard = shards(folder)[1]
    start = offsets(shard)
    os.truncate(shard, start[2] + rest if rest > 0 else start[3] + rest)
    assert sentences(folder) == [f"{shard}, record 2: the record is damaged"]


@pytest.mark.parametrize("kept", [0, 2])
def test_a_shard_cut_between_records(folder, kept):
    shard = shards(folder)[1]
    start = offsets(shard)
    os.truncate(shard, start[kept])
    expected = f"expected {len(start) - 1} records by the manifest, found {kept}"
    assert sentences(folder) == [f"{shard}: {expected}"]


def test_a_record_too_many(folder):
    shard = shards(folder)[1]
    start = offsets(shard)
    shard.write_bytes(shard.read_bytes() + shard.read_bytes()[: start[1]])
    expected = f"expected {len(start) - 1} records by the manifest, found {len(start)}"
    assert sentences(folder) == [f"{shard}: {expected}"]


def test_a_record_too_many_and_a_damaged_one(folder):
    shard = shards(folder)[1]
    start = offsets(shard)
    shard.write_bytes(shard.read_bytes() + shard.read_bytes()[: start[1]])
    flip(shard, start[2] + 15)
    expected = f"expected {len(start) - 1} records by the manifest, found {len(start)}"
    assert sentences(folder) == [
        f"{shard}, record 2: the record is damaged",
        f"{shard}: {expected}",
    ]


def test_two_shards_that_were_swapped(folder):
    first, second = shards(folder)[:2]
    counts = [len(offsets(shard)) - 1 for shard in (first, second)]
    assert counts[0] == counts[1]
    contents = first.read_bytes(), second.read_bytes()
    second.write_bytes(contents[0])
    first.write_bytes(contents[1])
    foreign = "its records are sound, but not the ones that the manifest describes"
    assert sentences(folder) == [f"{first}: {foreign}", f"{second}: {foreign}"]


def test_a_foreign_tfrecord(folder):
    shard = shards(folder)[1]
    num_records = len(offsets(shard)) - 1
    with tf.io.TFRecordWriter(str(shard)) as writer:
        for _ in range(num_records):
            writer.write(b"something else")
    foreign = "its records are sound, but not the ones that the manifest describes"
    assert sentences(folder) == [f"{shard}: {foreign}"]


def test_a_file_that_is_no_tfrecord(folder):
    shard = shards(folder)[1]
    shard.write_text("<html>not found</html>" * 20)
    assert sentences(folder) == [f"{shard}, record 0: the record is damaged"]


def test_a_missing_shard(folder):
    shard = shards(folder)[1]
    shard.unlink()
    assert sentences(folder) == [f"{shard}: the manifest names this shard, and it is not there"]


def test_what_is_damaged_without_a_new_date_is_found(folder):
    shard = shards(folder)[1]
    assert records.check(folder) == []
    facts = shard.stat()
    flip(shard, offsets(shard)[0] + 15)
    os.utime(shard, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert sentences(folder) == [f"{shard}, record 0: the record is damaged"]


def test_a_folder_without_a_manifest(tmp_path):
    with pytest.raises(RequestError) as caught:
        records.check(tmp_path)
    assert str(caught.value) == (
        "Expected a records folder, as `records.write` makes them. "
        f"There is no '{tmp_path}/manifest.json'."
    )


@pytest.mark.parametrize("long", [1, 2**30])
def test_only_large_splits_get_a_bar(sound, monkeypatch, long):
    bars = []

    @contextlib.contextmanager
    def progress(description, total, *, unit):
        steps = []
        yield types.SimpleNamespace(advance=lambda: steps.append(1))
        bars.append((description, total, unit, len(steps)))

    monkeypatch.setattr(checks, "LONG_BYTES", long)
    monkeypatch.setattr(checks, "progress", progress)
    records.check(sound)
    numbers = [len(shards(sound, split)) for split in ("train", "val")]
    expected = [
        (f"checking {split}", number, "shards", number)
        for split, number in zip(("train", "val"), numbers, strict=True)
    ]
    assert sorted(bars) == (expected if long == 1 else [])


def test_the_sum_of_a_large_file_is_taken_in_parts(folder, monkeypatch):
    monkeypatch.setattr(checks, "CHUNK_BYTES", 7)
    shard = shards(folder)[0]
    expected = hashlib.sha256(shard.read_bytes()).hexdigest()
    assert (
        checks._sha256(str(shard))
        == expected
        == records.load(folder).splits["train"].shards[0].sha256
    )


@pytest.mark.parametrize("size", [0, 1, 8, 300])
def test_the_checksum_is_tensorflows(tmp_path, size):
    data = np.random.default_rng(size).bytes(size)
    with tf.io.TFRecordWriter(str(tmp_path / "one")) as writer:
        writer.write(data)
    stored = struct.unpack("<I", (tmp_path / "one").read_bytes()[-4:])[0]
    assert checks._masked_crc32c(data) == stored
