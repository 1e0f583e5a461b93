"""Which example goes into which shard; a shard's key changes with anything that goes into it."""

import os
import pathlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfpipe.errors import RequestError
from tfpipe.records.sources.base import Feature, Source
from tfpipe.records.writing.plan import PlannedShard, fingerprint, make_plan, numbered


def source_of(*examples):
    return Source("s", {"text": Feature("text")}, (), {}, lambda: iter(examples))


def example(number, split="train", text="x", **more):
    return {"id": str(number), "split": split, "text": text, **more}


def plan_of(*examples, salt="", shard_bytes=2**20):
    return make_plan(source_of(*examples), salt=salt, shard_bytes=shard_bytes)


def key_of(*examples, salt=""):
    return plan_of(*examples, salt=salt)["train"][0].key


EXAMPLES = st.lists(st.tuples(st.sampled_from(["train", "val", "test"]), st.text("ab", max_size=9)))


@given(EXAMPLES.filter(bool), st.integers(0, 200))
def test_every_example_has_its_place_in_order_and_full_shards_are_closed(drawn, shard_bytes):
    examples = [example(n, split, text) for n, (split, text) in enumerate(drawn)]
    plan = plan_of(*examples, shard_bytes=shard_bytes)
    placed = list(numbered(source_of(*examples), plan))
    assert [{k: v for k, v in e.items() if k != "shard"} for e in placed] == examples
    assert list(plan) == sorted({split for split, _ in drawn})
    for split, shards in plan.items():
        numbers = [e["shard"] for e in placed if e["split"] == split]
        assert numbers == sorted(numbers)
        assert [numbers.count(n) for n in range(len(shards))] == [s.num_inputs for s in shards]


def test_a_shard_is_closed_when_its_size_is_reached(tmp_path):
    for name in "abcde":
        (tmp_path / name).write_bytes(bytes(1000))
    examples = [example(n, text=tmp_path / name) for n, name in enumerate("abcde")]
    sizes = [shard.num_inputs for shard in plan_of(*examples, shard_bytes=2000)["train"]]
    assert sizes == [2, 2, 1]
    pixels = [example(n, text=np.zeros((10, 10), np.uint8)) for n in range(5)]
    sizes = [shard.num_inputs for shard in plan_of(*pixels, shard_bytes=300)["train"]]
    assert sizes == [3, 2]


def test_the_key_is_the_same_for_the_same_examples():
    assert key_of(example(1), example(2)) == key_of(example(1), example(2))


@pytest.mark.parametrize(
    "other",
    [
        [example(2), example(1)],
        [example(1)],
        [example(1), example(2, text="y")],
        [example(1), example(3)],
        [example(1), example(2, notes=["a note"])],
        [example(1), example(2, text=b"x")],
        [example(1), example(2, text=np.frombuffer(b"x", np.uint8))],
    ],
    ids=["order", "fewer", "text", "id", "note", "bytes", "array"],
)
def test_the_key_is_another_for_other_examples(other):
    assert key_of(example(1), example(2)) != key_of(*other)


def test_the_key_depends_on_the_salt():
    assert key_of(example(1), salt="a") != key_of(example(1), salt="b")


def test_arrays_of_the_same_bytes_and_other_shapes_have_other_keys():
    shapes = [(2, 6), (6, 2), (12,)]
    keys = {key_of(example(1, text=np.zeros(shape, np.uint8))) for shape in shapes}
    assert len(keys) == len(shapes)


def test_the_key_of_a_file_changes_with_its_size_and_time(tmp_path):
    path = tmp_path / os.fsdecode(b"a\xff")
    keys = [key_of(example(1, text=path))]  # it is not there yet
    path.write_bytes(b"one")
    os.utime(path, ns=(0, 10**9))
    keys.append(key_of(example(1, text=path)))
    assert keys[-1] == key_of(example(1, text=path))
    os.utime(path, ns=(0, 10**9 + 1))
    keys.append(key_of(example(1, text=path)))
    path.write_bytes(b"three")
    os.utime(path, ns=(0, 10**9))
    keys.append(key_of(example(1, text=path)))
    assert len(set(keys)) == 4


def test_files_of_two_folders_have_other_keys_and_moved_ones_the_same_by_a_relative_path(
    tmp_path, monkeypatch
):
    absolute, relative = set(), set()
    for folder in (tmp_path / "old", tmp_path / "new"):
        folder.mkdir()
        (folder / "a.png").write_text(folder.name)
        os.utime(folder / "a.png", ns=(0, 10**9))
        absolute.add(key_of(example(1, text=folder / "a.png")))
        monkeypatch.chdir(folder)
        relative.add(key_of(example(1, text=pathlib.Path("a.png"))))
    assert (len(absolute), len(relative)) == (2, 1)


def test_a_path_that_cannot_exist_is_planned_and_refused_later():
    assert key_of(example(1, text=pathlib.Path("a\0b")))


def test_the_fingerprint_is_that_of_all_shards():
    one = {"train": [PlannedShard(2, "a"), PlannedShard(1, "b")]}
    assert fingerprint(one) == fingerprint(dict(one))
    others = [
        {"train": [PlannedShard(2, "a")]},
        {"val": [PlannedShard(2, "a"), PlannedShard(1, "b")]},
        {"train": [PlannedShard(1, "b"), PlannedShard(2, "a")]},
        {"train": [PlannedShard(2, "a")], "val": [PlannedShard(1, "b")]},
    ]
    assert len({fingerprint(plan) for plan in [one, *others]}) == 5


def test_an_empty_source_is_an_error():
    with pytest.raises(RequestError) as error:
        plan_of()
    assert str(error.value) == "The source 's' holds no example; nothing was written."


def test_two_equal_ids_are_an_error():
    with pytest.raises(RequestError) as error:
        plan_of(example(1), example(2), example(1, "val"), example(2), example(2))
    assert str(error.value) == (
        "Expected every example of 's' to have an id of its own. Received: 3 examples with id='2'"
    )


@pytest.mark.parametrize("split", ["a/b", "train.x", "", "../x"])
def test_a_split_that_cannot_be_part_of_a_file_name_is_an_error(split):
    with pytest.raises(RequestError) as error:
        plan_of(example(1, split))
    assert str(error.value) == (
        f"Expected a split's name to be a letter, then letters, digits or _. "
        f"Received: split={split!r}"
    )


@pytest.mark.parametrize(
    "second",
    [
        [example(1)],
        [],
        [example(1), example(2), example(3)],
        [example(1), example(2, "val")],
    ],
)
def test_a_source_that_changes_is_an_error(second):
    plan = plan_of(example(1), example(2))
    with pytest.raises(RequestError) as error:
        list(numbered(source_of(*second), plan))
    assert str(error.value) == (
        "The source 's' gave other examples when it was iterated over again. It must give the "
        "same ones, in the same order, every time."
    )
