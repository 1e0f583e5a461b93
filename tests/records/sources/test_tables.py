"""`records.image_csv`: images with their labels in a table."""

import collections
import csv

import numpy as np
import pytest

from tfpipe import records
from tfpipe.errors import DataError, RequestError
from tfpipe.records.sources.tables import multi_hot


@pytest.fixture
def root(tmp_path, make_files):
    table = "file,kind,who,fold\n1.png,cat,p,train\nsub/2 é.png,dog,q,valid\n3.png,cat,p,train\n"
    return make_files(tmp_path, {"t.csv": table, "1.png": "x", "sub/2 é.png": "x", "3.png": "x"})


def source_of(root, **arguments):
    given = {"image_column": "file", "label_column": "kind", **arguments}
    return records.image_csv(str(root / "t.csv"), root, **given)


def by_id(source):
    return {example["id"]: example for example in source}


def test_a_row_is_an_example(root):
    source = source_of(root)
    examples = by_id(source)
    assert {key: (e["image"], e["label"]) for key, e in examples.items()} == {
        "1.png": (root / "1.png", 0),
        "sub/2 é.png": (root / "sub/2 é.png", 1),
        "3.png": (root / "3.png", 0),
    }
    assert (source.name, source.class_names) == ("t", ("cat", "dog"))
    assert {k: (f.kind, f.shape) for k, f in source.features.items()} == {
        "image": ("image", (None, None, 3)), "label": ("label", ()),
    }  # fmt: skip


def test_functions_of_the_row_may_stand_for_columns(root):
    source = source_of(
        root,
        image_column=lambda row: row["file"].removesuffix(".png") + ".png",
        label_column=lambda row: row["kind"].upper(),
        split=lambda row: row["fold"],
        group=lambda row: row["who"],
    )
    assert source.class_names == ("CAT", "DOG")
    assert {e["id"]: e["split"] for e in source} == {
        "1.png": "train", "sub/2 é.png": "val", "3.png": "train",
    }  # fmt: skip


def test_a_column_may_give_the_splits(root):
    source = source_of(root, split="fold", group="who")
    assert {e["id"]: e["split"] for e in source} == {
        "1.png": "train", "sub/2 é.png": "val", "3.png": "train",
    }  # fmt: skip
    assert source.rule["given_by"] == "the column 'fold'"
    mapping = {"1.png": "train", "sub/2 é.png": "test", "3.png": "train"}
    assert {e["id"]: e["split"] for e in source_of(root, split=mapping)} == mapping


def test_lists_give_the_splits_and_groups_divide_train(tmp_path, make_files):
    names = [f"{n:03d}.png" for n in range(120)]
    table = "file,kind,who\n" + "".join(f"{n},{int(n[:3]) % 2},{int(n[:3]) // 4}\n" for n in names)
    make_files(tmp_path, {"t.csv": table, **dict.fromkeys(names, "x")})
    make_files(tmp_path, {"train.txt": "\n".join(names[:80]), "test.txt": "\n".join(names[80:])})
    source = source_of(
        tmp_path,
        split=(0.5, 0.5),
        lists={part: tmp_path / f"{part}.txt" for part in ("train", "test")},
        group="who",
        stratify=True,
    )
    parts = {e["id"]: e["split"] for e in source}
    assert collections.Counter(parts.values()) == {"train": 40, "val": 40, "test": 40}
    assert {parts[name] for name in names[80:]} == {"test"}
    assert all(parts[names[n]] == parts[names[n - n % 4]] for n in range(120))
    assert source.rule == {
        "by": "fractions of train",
        "given_by": "lists",
        "fractions": {"train": 0.5, "val": 0.5},
        "seed": 0,
        "grouped_by": "the column 'who'",
        "stratified": True,
    }


def test_several_labels_become_zeros_and_ones(tmp_path, make_files):
    make_files(tmp_path, {"t.csv": 'file,kind\na,"x;z"\nb,none\nc,y\n', "a": "", "b": "", "c": ""})
    source = source_of(tmp_path, separator=";", empty="none", class_names=("z", "y", "x"))
    labels = {e["id"]: e["labels"].tolist() for e in source}
    assert labels == {"a": [1, 0, 1], "b": [0, 0, 0], "c": [0, 1, 0]}
    assert source.features["labels"].shape == (3,)
    assert "label" not in source.features
    assert multi_hot([], 2).dtype == np.int64


def test_a_file_that_is_missing_is_refused_and_not_counted(tmp_path, make_files):
    table = "file,kind\n" + "".join(f"{n}.png,{n % 2}\n" for n in range(80))
    make_files(tmp_path, {"t.csv": table, **{f"{n}.png": "x" for n in range(40)}})
    source = source_of(tmp_path, split=(0.5, 0.5), stratify=True)
    refused = {e["id"]: e["refused"] for e in source if "refused" in e}
    assert refused == {f"{n}.png": "there is no such file" for n in range(40, 80)}
    counts = collections.Counter((e["label"], e["split"]) for e in source if "label" in e)
    assert set(counts.values()) == {10}


def test_files_are_looked_for_in_several_folders(tmp_path, make_files):
    make_files(
        tmp_path, {"t.csv": "file,kind\na,x\nb,y\nc,y\n", "one/a": "", "two/b": "", "two/c": ""}
    )
    source = records.image_csv(
        tmp_path / "t.csv",
        [tmp_path / "one", tmp_path / "two"],
        image_column="file",
        label_column="kind",
    )
    assert {e["id"]: e["image"] for e in source} == {
        "a": tmp_path / "one/a", "b": tmp_path / "two/b", "c": tmp_path / "two/c",
    }  # fmt: skip


def test_a_file_in_two_folders_is_an_error_if_a_row_names_it(tmp_path, make_files):
    make_files(tmp_path, {f"{part}/{n}.png": "x" for part in "ab" for n in (1, 2)})
    make_files(tmp_path, {"t.csv": "file,kind\n1.png,cat\n3.png,dog\n", "a/3.png": "x"})
    with pytest.raises(RequestError) as caught:
        records.image_csv(
            tmp_path / "t.csv",
            [tmp_path / "a", tmp_path / "b"],
            image_column="file",
            label_column="kind",
        )
    assert str(caught.value) == (
        f"Expected each file in one folder. '1.png' is in {str(tmp_path / 'a')!r} and in "
        f"{str(tmp_path / 'b')!r}; move the ones that are not meant elsewhere."
    )


def test_no_file_at_all_is_an_error(root, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError) as caught:
        records.image_csv(root / "t.csv", root / "empty", image_column="file", label_column="kind")
    assert str(caught.value) == (
        f"None of the 3 files that {str(root / 't.csv')!r} names is in {str(root / 'empty')!r}; "
        "the first: '1.png'"
    )


@pytest.mark.parametrize("named", ["1", "deep\\1.PNG", "images/1.png", "1.jpg"])
def test_a_file_of_almost_that_name_is_named(tmp_path, make_files, named):
    make_files(tmp_path, {"t.csv": f"file,kind\n{named},a\nx,b\n", "images/deep/1.png": "x"})
    with pytest.raises(RequestError) as caught:
        records.image_csv(
            tmp_path / "t.csv", tmp_path / "images", image_column="file", label_column="kind"
        )
    assert str(caught.value) == (
        f"None of the 2 files that {str(tmp_path / 't.csv')!r} names is in "
        f"{str(tmp_path / 'images')!r}; the first: {named!r}. There is "
        f"{str(tmp_path / 'images/deep/1.png')!r}: let `images` and `image_column`, which may be a "
        "function of the row, lead there."
    )


def test_two_rows_of_one_image_are_an_error(root):
    with pytest.raises(DataError) as caught:
        source_of(root, image_column=lambda row: row["who"])
    assert str(caught.value) == f"{root / 't.csv'}: line 4: 'p' stands in line 2 too"


def test_an_unknown_label_is_an_error(root):
    with pytest.raises(DataError) as caught:
        source_of(root, class_names=["cats", "dog"])
    assert str(caught.value) == (
        f"{root / 't.csv'}: line 2: Expected `label` to be one of 'cats', 'dog'. "
        "Received: label='cat'. Did you mean 'cats'?"
    )


def test_chestxray14_rows_whose_images_are_absent(shared_data):
    folder = shared_data("chestxray14_sample")
    path = folder / "Data_Entry_2017_v2020_first2000.csv"
    source = records.image_csv(
        path,
        folder / "images",
        image_column="Image Index",
        label_column="Finding Labels",
        separator="|",
        empty="No Finding",
        class_names=records.NIH_CLASSES,
        group="Patient ID",
    )
    with open(path, newline="") as file:
        listed = [row["Image Index"] for row in csv.DictReader(file)]
    there = {image.name for image in (folder / "images").iterdir()}
    examples = by_id(source)
    assert len(listed) == 2000
    assert examples.keys() == set(listed)
    assert {key for key, e in examples.items() if "refused" not in e} == set(listed) & there
