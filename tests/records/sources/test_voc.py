"""`records.voc_boxes`: a folder in the layout of Pascal VOC."""

import collections
import re

import pytest

from tfpipe import records
from tfpipe.errors import DataError, RequestError


def xml(*names):
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax>"
        "<ymax>5</ymax></bndbox></object>"
        for name in names
    )
    return f"<annotation><size><width>10</width><height>20</height></size>{objects}</annotation>"


def voc(number):
    names = [f"{n:03d}" for n in range(number)]
    return {
        **{f"JPEGImages/{name}.jpg": "x" for name in names},
        **{f"Annotations/{name}.xml": xml("cat", "dog") for name in names},
    }


def by_id(source):
    return {example["id"]: example for example in source}


def test_images_and_xml_files_are_paired_by_stem(tmp_path, make_files):
    root = make_files(tmp_path, {"JPEGImages/a.jpg": "x", "Annotations/a.xml": xml("dog", "cat")})
    source = records.voc_boxes(root, split={"train": 1.0}, name="pets")
    (example,) = source
    assert (example["id"], example["split"]) == ("a", "train")
    assert example["image"] == root / "JPEGImages/a.jpg"
    assert example["classes"].tolist() == [1, 0]
    assert example["size_px"] == (20, 10)
    assert source.class_names == ("cat", "dog")
    assert {key: feature.kind for key, feature in source.features.items()} == {
        "image": "image", "boxes": "boxes", "classes": "classes",
    }  # fmt: skip


def test_folders_may_have_other_names(tmp_path, make_files):
    make_files(tmp_path, {"img/sub/a.png": "x", "ann/sub/a.xml": xml("cat")})
    source = records.voc_boxes(tmp_path, images="img", annotations=tmp_path / "ann")
    assert [e["image"] for e in source] == [tmp_path / "img/sub/a.png"]


def test_lists_give_the_splits_and_the_examples(tmp_path, make_files):
    lists = {"train": "000\n001", "val": "002\n", "test": "003", "trainval": "000\n001\n002"}
    main = {f"ImageSets/Main/{part}.txt": text for part, text in lists.items()}
    make_files(tmp_path, {**voc(6), **main, "ImageSets/Main/cat_train.txt": "000 -1\n"})
    source = records.voc_boxes(tmp_path)
    assert {key: e["split"] for key, e in by_id(source).items()} == {
        "000": "train", "001": "train", "002": "val", "003": "test",
    }  # fmt: skip
    assert source.rule == {"by": "given", "given_by": "lists", "grouped_by": None}
    everything = records.voc_boxes(tmp_path, lists=None)
    assert len(list(everything)) == 6
    assert everything.rule["by"] == "fractions"


def test_trainval_stands_for_train_and_may_be_divided(tmp_path, make_files):
    names = [f"{n:03d}" for n in range(60)]
    lists = {"trainval": "\n".join(names[:40]), "test": "\n".join(names[40:])}
    main = {f"ImageSets/Main/{part}.txt": text for part, text in lists.items()}
    make_files(tmp_path, {**voc(60), **main})
    counts = collections.Counter(
        e["split"] for e in records.voc_boxes(tmp_path, split=(0.75, 0.25), stratify=True)
    )
    assert counts == {"train": 30, "val": 10, "test": 20}


def test_groups_and_classes_decide_the_split(tmp_path, make_files):
    files = voc(40)
    for n in range(20):
        files[f"Annotations/{n:03d}.xml"] = xml("bird")
    files["Annotations/003.xml"] = "<broken"
    make_files(tmp_path, files)
    source = records.voc_boxes(
        tmp_path, split=(0.5, 0.5), group=lambda stem: int(stem) // 2, stratify=True
    )
    parts = {key: e["split"] for key, e in by_id(source).items()}
    assert all(parts[f"{n:03d}"] == parts[f"{n + 1:03d}"] for n in range(0, 40, 2))
    assert sum(parts[f"{n:03d}"] == "val" for n in range(20, 40)) == 10
    assert source.class_names == ("bird", "cat", "dog")


def test_what_lacks_its_partner_or_is_broken_is_refused(tmp_path, make_files):
    files = {"JPEGImages/a.jpg": "x", "Annotations/b.xml": xml("cat"), "JPEGImages/c.jpg": "x",
             "Annotations/c.xml": xml("cow"), "JPEGImages/d.jpg": "x",
             "Annotations/d.xml": "<a>"}  # fmt: skip
    make_files(tmp_path, files)
    source = records.voc_boxes(tmp_path, class_names=["cat", "dog"])
    assert {key: e["refused"] for key, e in by_id(source).items()} == {
        "a": "there is no XML file of this stem",
        "b": "there is no image of this stem",
        "c": "object 1 of its XML file: Expected `name` to be one of 'cat', 'dog'. "
             "Received: name='cow'",
        "d": "its XML file is broken: no element found: line 1, column 3",
    }  # fmt: skip


def test_an_id_in_two_lists_is_an_error(tmp_path, make_files):
    main = {f"ImageSets/Main/{part}.txt": "000\n" for part in ("train", "test")}
    make_files(tmp_path, {**voc(1), **main})
    with pytest.raises(DataError) as caught:
        records.voc_boxes(tmp_path)
    path = tmp_path / "ImageSets/Main/test.txt"
    assert str(caught.value) == f"{path}: '000' is in the list for 'train' too"


def test_folders_in_lower_case_are_found(tmp_path, make_files):
    make_files(tmp_path, {"images/a.png": "x", "annotations/a.xml": xml("cat")})
    assert by_id(records.voc_boxes(tmp_path))["a"]["image"] == tmp_path / "images/a.png"


def test_files_side_by_side_and_their_folders_are_splits(tmp_path, make_files):
    files = {"README.roboflow.txt": "x"}
    for part in ("train", "valid", "test"):
        files |= {f"{part}/{part}_jpg.rf.1.jpg": "x", f"{part}/{part}_jpg.rf.1.xml": xml("cat")}
    make_files(tmp_path, files)
    source = records.voc_boxes(tmp_path)
    assert {key: (e["split"], e["image"]) for key, e in by_id(source).items()} == {
        f"{part}/{part}_jpg.rf.1": (name, tmp_path / f"{part}/{part}_jpg.rf.1.jpg")
        for part, name in (("train", "train"), ("valid", "val"), ("test", "test"))
    }
    assert source.rule == {"by": "given", "given_by": "folders", "grouped_by": None}
    one = records.voc_boxes(tmp_path / "train", split={"train": 1.0})
    assert list(by_id(one)) == ["train_jpg.rf.1"]


def test_lists_of_names_with_their_endings_are_an_error(tmp_path, make_files):
    make_files(tmp_path, {**voc(1), "ImageSets/Main/train.txt": "000.jpg\n"})
    with pytest.raises(RequestError) as caught:
        records.voc_boxes(tmp_path)
    assert str(caught.value) == (
        f"Expected the lists in {str(tmp_path / 'ImageSets/Main')!r} to name images without what "
        "their names end in. None of 1 is there; the first: '000.jpg'"
    )


def test_the_folder_around_is_told_where_to_look(tmp_path, make_files):
    make_files(tmp_path, {f"VOCdevkit/VOC2007/{name}": text for name, text in voc(1).items()})
    with pytest.raises(RequestError) as caught:
        records.voc_boxes(tmp_path)
    assert str(caught.value) == (
        f"Expected a folder 'JPEGImages' (`images`) in {str(tmp_path)!r}. Found: 'VOCdevkit/'. "
        f"There is one in {str(tmp_path / 'VOCdevkit/VOC2007')!r}."
    )


def test_a_class_that_is_named_may_have_no_box(tmp_path, make_files):
    make_files(tmp_path, voc(1))
    assert records.voc_boxes(tmp_path, class_names=["cat", "dog", "cow"]).declared
    assert not records.voc_boxes(tmp_path).declared


def test_files_without_objects_name_no_classes(tmp_path, make_files):
    make_files(tmp_path, {"JPEGImages/a.jpg": "x", "Annotations/a.xml": xml()})
    with pytest.raises(RequestError) as caught:
        records.voc_boxes(tmp_path)
    assert str(caught.value) == (
        f"Expected objects in the XML files of {str(tmp_path / 'Annotations')!r}. Found none; "
        "pass `class_names=` if that is right."
    )


def test_a_missing_folder_is_an_error(tmp_path, make_files):
    make_files(tmp_path, {"JPEGImages/a.jpg": "x"})
    with pytest.raises(RequestError) as caught:
        records.voc_boxes(tmp_path)
    assert str(caught.value) == (
        f"Expected a folder 'Annotations' (`annotations`) in {str(tmp_path)!r}. "
        "Found: 'JPEGImages/'."
    )


def test_bccd(shared_data):
    folder = shared_data("bccd")
    source = records.voc_boxes(folder)
    examples = by_id(source)
    counts = collections.Counter(e["split"] for e in examples.values())
    assert counts == {"train": 205, "val": 87, "test": 72}
    found = collections.Counter(
        source.class_names[label] for e in examples.values() for label in e["classes"]
    )
    # 4155 RBC are in the files; two of them have no area.
    assert found == {"RBC": 4153, "WBC": 372, "Platelets": 361}
    assert {key: e["notes"] for key, e in examples.items() if e["notes"]} == {
        "BloodImage_00338": ("box 13, 'RBC', has no area: [504, 337, 504, 337]",),
        "BloodImage_00343": ("box 4, 'RBC', has no area: [181, 329, 181, 329]",),
    }
    assert {e["size_px"] for e in examples.values()} == {(480, 640)}
    text = (folder / "Annotations/BloodImage_00001.xml").read_text()
    corners = [list(map(int, re.findall(f"<{c}>([0-9]+)<", text))) for c in
               ("ymin", "xmin", "ymax", "xmax")]  # fmt: skip
    boxes = examples["BloodImage_00001"]["boxes"] * [480, 640, 480, 640] + [1, 1, 0, 0]
    assert boxes.round(3).T.tolist() == corners
