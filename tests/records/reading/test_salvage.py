"""What is read of damaged shards: nothing, or exactly what is sound, counted."""

import importlib
import os

import pytest
import tensorflow as tf

from tests.records.reading.shards import offsets, shards
from tfpipe import records
from tfpipe.errors import DataError, RequestError

checks = importlib.import_module(
    "tfpipe.records.reading.check"
)  # the package has a function of that name

NUM_TRAIN = 30


def damage(path, number, place=15):
    """Flips a bit of a record's data, or of its length at place 0."""
    data = bytearray(path.read_bytes())
    data[offsets(path)[number] + place] ^= 4
    path.write_bytes(data)


def read(folder, **options):
    return records.read(records.load(folder), "train", batch_size=4, **options)


def texts(dataset):
    return [text.decode() for inputs, *_ in dataset for text in inputs.numpy()]


def texts_of(path, numbers):
    """The texts of these records of a sound file."""
    wanted = [record for n, record in enumerate(tf.data.TFRecordDataset(str(path))) if n in numbers]
    messages = [tf.train.Example.FromString(record.numpy()) for record in wanted]
    return {m.features.feature["text"].bytes_list.value[0].decode() for m in messages}


def foreign(folder):
    shard = shards(folder)[1]
    with tf.io.TFRecordWriter(str(shard)) as writer:
        writer.write(b"something else")


def cut_between(folder):
    os.truncate(shards(folder)[1], offsets(shards(folder)[1])[2])


def cut_inside(folder):
    os.truncate(shards(folder)[1], offsets(shards(folder)[1])[2] + 5)


def append(folder):
    data = shards(folder)[1].read_bytes()
    shards(folder)[1].write_bytes(data + data)


def swap(folder):
    first, second = (shard.read_bytes() for shard in shards(folder)[:2])
    shards(folder)[0].write_bytes(second)
    shards(folder)[1].write_bytes(first)


DAMAGES = {
    "data": lambda folder: damage(shards(folder)[1], 1),
    "length": lambda folder: damage(shards(folder)[1], 1, place=0),
    "cut inside": cut_inside,
    "cut between": cut_between,
    "appended": append,
    "swapped": swap,
    "foreign": foreign,
    "missing": lambda folder: shards(folder)[1].unlink(),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_reading_refuses_with_the_words_of_check(folder, kind):
    DAMAGES[kind](folder)
    expected = records.check(folder)[0]
    with pytest.raises(DataError) as caught:
        read(folder)
    assert str(caught.value) == str(expected)
    assert (caught.value.path, caught.value.record) == (expected.path, expected.record)


def test_a_file_that_changes_between_two_readings_is_noticed(folder):
    assert len(texts(read(folder))) == NUM_TRAIN
    shard = shards(folder)[1]
    damage(shard, 1)
    os.utime(shard, ns=(0, 1))  # another date than it had, however coarse the clock
    with pytest.raises(DataError) as caught:
        read(folder)
    assert str(caught.value) == f"{shard}, record 1: the record is damaged"


def test_a_file_that_has_not_changed_is_read_for_its_sum_once(folder, monkeypatch):
    read(folder)
    # Reading for the sum again would now fail.
    monkeypatch.setattr(checks, "CHUNK_BYTES", "none")
    assert len(texts(read(folder))) == NUM_TRAIN
    os.utime(shards(folder)[0], ns=(0, 1))
    with pytest.raises(TypeError):
        read(folder)


def test_the_other_splits_may_be_damaged(folder):
    damage(shards(folder)[1], 1)
    manifest = records.load(folder)
    assert len(texts(records.read(manifest, "val", batch_size=4))) == 10


@pytest.mark.parametrize("cache", [False, True])
@pytest.mark.parametrize("seed", [None, 0])
def test_skipping_leaves_out_exactly_the_damaged_records(folder, sound, cache, seed):
    first, second, *_, last = shards(folder)
    damage(first, 0)
    damage(first, 2)
    damage(second, 1, place=0)  # what comes after a damaged length is lost
    os.truncate(last, offsets(last)[-1] - 1)
    counts = [len(offsets(shard)) - 1 for shard in shards(sound)]
    with pytest.warns(UserWarning, match="left out") as caught:
        dataset = read(folder, damaged="skip", cache=cache, shuffle_seed=seed)
    lost = texts_of(shards(sound)[0], {0, 2}) | texts_of(shards(sound)[1], range(1, counts[1]))
    lost |= texts_of(shards(sound)[-1], {counts[-1] - 1})
    everything = texts(read(sound))
    assert sorted(texts(dataset)) == sorted(set(everything) - lost)
    assert len(lost) == 2 + counts[1] - 1 + 1
    assert len(dataset) == -(-(NUM_TRAIN - len(lost)) // 4) == len(list(dataset))
    sentence = "{}: {} of {} records are damaged and left out."
    assert [str(warning.message) for warning in caught] == [
        sentence.format(first, 2, counts[0]),
        sentence.format(second, counts[1] - 1, counts[1]),
        sentence.format(last, 1, counts[-1]),
    ]
    assert {warning.filename for warning in caught} == {__file__}


def test_skipping_keeps_the_order_of_the_others(folder, sound):
    damage(shards(folder)[1], 1)
    with pytest.warns(UserWarning, match="1 of . records are damaged"):
        dataset = read(folder, damaged="skip", shuffle_seed=None)
    lost = texts_of(shards(sound)[1], {1})
    # Interleaving takes a record of each shard in turn, so compare within the shards.
    for shard in shards(sound):
        members = texts_of(shard, range(99))
        kept = [text for text in texts(read(sound)) if text in members - lost]
        assert [text for text in texts(dataset) if text in members] == kept


@pytest.mark.parametrize("cache", [False, True])
def test_skipping_and_balance_go_together(folder, cache):
    damage(shards(folder)[0], 0)
    with pytest.warns(UserWarning, match="1 of . records are damaged"):
        dataset = read(folder, damaged="skip", shuffle_seed=0, balance=True, cache=cache)
    assert len(texts(dataset)) == NUM_TRAIN - 1


def test_skipping_where_nothing_is_damaged_does_not_warn(folder):
    assert texts(read(folder, damaged="skip")) == texts(read(folder))


@pytest.mark.parametrize("kind", ["cut between", "appended", "swapped", "foreign", "missing"])
def test_what_is_not_a_damaged_record_cannot_be_skipped(folder, kind):
    DAMAGES[kind](folder)
    expected = records.check(folder)[0]
    with pytest.raises(DataError) as caught:
        read(folder, damaged="skip")
    assert str(caught.value) == str(expected)


def test_the_refusal_names_what_cannot_be_skipped(folder):
    damage(shards(folder)[0], 0)
    shards(folder)[1].unlink()
    with pytest.raises(DataError) as caught:
        read(folder, damaged="skip")
    assert str(caught.value) == (
        f"{shards(folder)[1]}: the manifest names this shard, and it is not there"
    )


def test_nothing_is_left(folder):
    for shard in shards(folder):
        damage(shard, 0, place=0)
    with pytest.warns(UserWarning, match="left out"), pytest.raises(DataError) as caught:
        read(folder, damaged="skip")
    assert str(caught.value) == f"{folder}: every record of the split 'train' is damaged"


def test_an_unknown_choice(folder):
    with pytest.raises(RequestError) as caught:
        read(folder, damaged="skp")
    assert str(caught.value) == (
        "Expected `damaged` to be one of 'refuse', 'skip'. Received: damaged='skp'. "
        "Did you mean 'skip'?"
    )
