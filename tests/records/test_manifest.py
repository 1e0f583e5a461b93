"""A manifest comes back as it was saved; a damaged one is named, with what to do."""

import dataclasses
import json

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfpipe.errors import DataError, RequestError
from tfpipe.records.manifest import FILE, Manifest, Shard, SplitInfo, load, save
from tfpipe.records.sources.base import KINDS, Feature

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
COUNTS = st.integers(0, 2**40)
SPLITS = st.builds(
    SplitInfo,
    st.lists(st.builds(Shard, NAMES, COUNTS, COUNTS, NAMES), max_size=3).map(tuple),
    st.lists(COUNTS, max_size=3).map(tuple),
)
SHAPES = st.lists(st.none() | COUNTS, max_size=3).map(tuple)
FEATURES = st.builds(
    Feature, st.sampled_from(KINDS), SHAPES, st.lists(st.integers(-1, 9), max_size=4).map(tuple)
)


def small(path):
    shards = (Shard("a-0", 3, 40, "ab"), Shard("a-1", 2, 20, "cd"))
    return Manifest(
        path=str(path),
        name="pets",
        features={"image": Feature("image", (None, None, 3)), "label": Feature("label")},
        class_names=("cat", "größe\n"),
        rule={"by": "fractions", "seed": 0},
        splits={"train": SplitInfo(shards, (4, 1)), "val": SplitInfo((), (0, 0))},
        num_refused=1,
        num_notes=2,
        image_sizes={"distinct": 1, "smallest": [2, 3]},
        duplicates={"num_contents": 0, "examples": []},
        fingerprint="f",
    )


def test_a_saved_manifest_is_loaded_as_it_was(tmp_path):
    manifest = small(tmp_path)
    assert save(manifest) == tmp_path / FILE
    assert load(tmp_path) == load(str(tmp_path)) == load(f"{tmp_path}/") == manifest


@given(
    st.builds(
        Manifest,
        path=st.just(""),
        name=NAMES,
        features=st.dictionaries(NAMES, FEATURES, max_size=3),
        class_names=st.lists(NAMES, max_size=3).map(tuple),
        rule=st.dictionaries(NAMES, NAMES | COUNTS | st.floats(allow_nan=False), max_size=3),
        splits=st.dictionaries(NAMES, SPLITS, max_size=3),
        num_refused=COUNTS,
        num_notes=COUNTS,
        image_sizes=st.dictionaries(NAMES, st.lists(COUNTS), max_size=2),
        duplicates=st.dictionaries(NAMES, st.lists(st.lists(NAMES)), max_size=2),
        fingerprint=NAMES,
    )
)
@settings(max_examples=25)  # each is synced to the disk
def test_any_manifest_is_loaded_as_it_was(tmp_path_factory, manifest):
    manifest = dataclasses.replace(manifest, path=str(tmp_path_factory.getbasetemp()))
    save(manifest)
    assert load(manifest.path) == manifest


def test_names_of_undecodable_bytes_come_back_as_they_were(tmp_path):
    manifest = dataclasses.replace(small(tmp_path), duplicates={"examples": [["train: a\udcff"]]})
    save(manifest)
    assert load(tmp_path) == manifest


def test_the_folder_may_be_moved(tmp_path):
    save(small(tmp_path))
    (tmp_path / FILE).rename((tmp_path / "moved").mkdir() or tmp_path / "moved" / FILE)
    assert load(tmp_path / "moved") == small(tmp_path / "moved")


def test_a_folder_that_tensorflow_alone_can_reach(tmp_path):
    path = save(small(tmp_path))
    tf.io.gfile.copy(str(path), f"ram://records/{FILE}", overwrite=True)
    found = load("ram://records")
    assert found == small("ram://records")
    assert found.files("train") == ["ram://records/a-0", "ram://records/a-1"]


def test_what_it_counts(tmp_path):
    manifest = small(tmp_path)
    assert manifest.num_classes == 2
    assert manifest.split("train").num_examples == 5
    assert manifest.split("train").num_bytes == 60
    assert manifest.files("train") == [f"{tmp_path}/a-0", f"{tmp_path}/a-1"]


def test_an_unknown_split_is_an_error(tmp_path):
    with pytest.raises(RequestError) as error:
        small(tmp_path).split("vale")
    assert str(error.value) == (
        "Expected `split` to be one of 'train', 'val'. Received: split='vale'. Did you mean 'val'?"
    )


@pytest.mark.parametrize("name", ["missing", "file"])
def test_where_there_is_no_manifest_it_is_said(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(RequestError) as error:
        load(tmp_path / name)
    assert str(error.value) == (
        f"Expected a records folder, as `records.write` makes them. There is no "
        f"'{tmp_path}/{name}/manifest.json'."
    )


def damaged(tmp_path, change):
    text = change(save(small(tmp_path)).read_bytes())
    (tmp_path / FILE).write_bytes(text)
    with pytest.raises(DataError) as error:
        load(tmp_path)
    assert error.value.path == f"{tmp_path}/{FILE}"
    assert error.value.record is None
    return error.value.problem


def without(key):
    def change(text):
        value = json.loads(text)
        del value[key]
        return json.dumps(value).encode()

    return change


def with_value(key, new):
    return lambda text: json.dumps({**json.loads(text), key: new}).encode()


@pytest.mark.parametrize("fraction", range(10))
def test_a_cut_manifest_is_damaged(tmp_path, fraction):
    problem = damaged(tmp_path, lambda text: text[: len(text) * fraction // 10])
    assert problem.startswith("not a manifest that `records.write` wrote (JSONDecodeError(")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda text: b"[1, 2]", "TypeError"),
        (lambda text: b"3", "AttributeError"),
        (lambda text: b"null", "AttributeError"),
        (lambda text: text.replace(b"pets", b"\xff\xfe"), "UnicodeDecodeError"),
        (lambda text: bytes(len(text)), "UnicodeDecodeError|JSONDecodeError"),
        (with_value("splits", []), "AttributeError"),
        (with_value("splits", {"train": {}}), "KeyError"),
        (with_value("splits", {"train": {"shards": [{"file": "a"}]}}), "TypeError"),
        (with_value("class_names", 3), "TypeError"),
        (with_value("features", {"image": None}), "TypeError"),
        (with_value("surprise", 1), "TypeError"),
    ],
)
def test_another_content_is_damaged(tmp_path, change, error):
    problem = damaged(tmp_path, change)
    assert problem.startswith("not a manifest that `records.write` wrote (")
    assert any(problem.split("(")[1].startswith(name) for name in error.split("|"))


@pytest.mark.parametrize(
    "key",
    ["format", *sorted({f.name for f in dataclasses.fields(Manifest)} - {"path", "vocabulary"})],
)
def test_a_manifest_without_any_of_its_keys_is_damaged(tmp_path, key):
    problem = damaged(tmp_path, without(key))
    assert key in problem
    assert problem.startswith("not a manifest that `records.write` wrote (")


def test_an_older_manifest_has_no_vocabulary(tmp_path):
    file = save(small(tmp_path))
    file.write_bytes(without("vocabulary")(file.read_bytes()))
    assert load(tmp_path).vocabulary == ()


def test_the_whole_sentence(tmp_path):
    damaged(tmp_path, without("class_names"))
    with pytest.raises(DataError) as error:
        load(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}/manifest.json: not a manifest that `records.write` wrote "
        "(KeyError('class_names'))"
    )


@pytest.mark.parametrize("number", [0, 2, "1", None])
def test_another_format_is_foreign(tmp_path, number):
    problem = damaged(tmp_path, with_value("format", number))
    assert problem == "expected a manifest of format 1; write the records again"
