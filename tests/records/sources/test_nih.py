"""`records.chestxray14`: the set as NIH published it."""

import collections
import csv

import pytest

from tfpipe import records
from tfpipe.errors import RequestError


def test_the_sample(shared_data):
    folder = shared_data("chestxray14_sample")
    source = records.chestxray14(folder, split=(0.8, 0.2))  # two tables have NIH's columns
    with open(folder / "sample_labels.csv", newline="") as file:
        rows = {row["Image Index"]: row for row in csv.DictReader(file)}
    examples = {example["id"]: example for example in source}
    assert examples.keys() == rows.keys()
    sides = collections.defaultdict(set)
    for key, example in examples.items():
        found = [name for name, there in zip(source.class_names, example["labels"], strict=True)
                 if there]  # fmt: skip
        assert sorted(found or ["No Finding"]) == sorted(rows[key]["Finding Labels"].split("|"))
        sides[rows[key]["Patient ID"]].add(example["split"])
    assert all(len(side) == 1 for side in sides.values())
    test = (folder / "test_list.txt").read_text().split()
    assert {key for key, e in examples.items() if e["split"] == "test"} == set(test)
    assert {e["split"] for e in examples.values()} == {"train", "val", "test"}
    counts = collections.Counter()
    for example in examples.values():
        counts.update(
            {name: int(n) for name, n in zip(source.class_names, example["labels"], strict=True)}
        )
    assert dict(counts) == {
        "Pneumonia": 37, "Infiltration": 14, "Edema": 10, "Atelectasis": 7, "Effusion": 7,
        "Cardiomegaly": 5, "Consolidation": 5, "Emphysema": 5, "Fibrosis": 5, "Mass": 5,
        "Nodule": 5, "Pleural_Thickening": 5, "Pneumothorax": 5, "Hernia": 3,
    }  # fmt: skip


def test_the_images_may_lie_in_the_twelve_folders_of_the_download(tmp_path, make_files):
    table = (
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,"
        "View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
        "1.png,Hernia|Mass,0,1,57,M,PA,2682,2749,0.143,0.143,\n"
        "2.png,No Finding,0,2,58,M,PA,2894,2729,0.143,0.143,\n"
    )
    make_files(
        tmp_path,
        {"Data_Entry_2017_v2020.csv": table, "train_val_list.txt": "1.png\n",
         "test_list.txt": "2.png\n", "images_001/images/1.png": "x",
         "images_002/images/2.png": "x"},
    )  # fmt: skip
    source = records.chestxray14(tmp_path, split={"train": 1.0})
    assert {e["id"]: (e["split"], e["image"], e["labels"].sum()) for e in source} == {
        "1.png": ("train", tmp_path / "images_001/images/1.png", 2),
        "2.png": ("test", tmp_path / "images_002/images/2.png", 0),
    }
    assert (source.class_names[0], source.class_names[-1]) == ("Atelectasis", "Hernia")


def table(*rows):
    lines = [f"{image},{labels},{patient}" for image, labels, patient in rows]
    return "\n".join(["Image Index,Finding Labels,Patient ID", *lines, ""])


def small(root, make_files, **more):
    """Forty images of twenty patients."""
    rows = [(f"{n}.png", "Mass", n // 2) for n in range(40)]
    images = {f"images/{image}": "x" for image, _, _ in rows}
    return make_files(root, {"Data_Entry_2017.csv": table(*rows), **images, **more})


@pytest.mark.parametrize(
    "place", ["images_{}", "images/images_{}", "images-224/images-224", "sample/images", ""]
)
def test_the_images_may_lie_as_copies_of_the_set_have_them(tmp_path, make_files, place):
    names = [f"{n}.png" for n in range(40)]
    images = {f"{place.format(n % 3)}/{name}".lstrip("/"): "x" for n, name in enumerate(names)}
    lists = {
        "train_val_list_NIH.txt": "\n".join(names[:30]),
        "test_list_NIH.txt": "\n".join(names[30:]),
    }
    rows = [(name, "Mass", n // 2) for n, name in enumerate(names)]
    make_files(tmp_path, {"sample_labels.csv": table(*rows), **images, **lists})
    examples = list(records.chestxray14(tmp_path))
    assert {str(e["image"].relative_to(tmp_path)) for e in examples} == set(images)
    assert {e["id"] for e in examples if e["split"] == "test"} == set(names[30:])


def test_without_the_official_lists_patients_are_drawn(tmp_path, make_files):
    source = records.chestxray14(small(tmp_path, make_files), official=False)
    part_of = {int(e["id"].split(".")[0]): e["split"] for e in source}
    assert set(part_of.values()) == {"train", "val", "test"}
    assert all(part_of[n] == part_of[n + 1] for n in range(0, 40, 2))
    assert source.rule["fractions"] == {"train": 0.7, "val": 0.2, "test": 0.1}


def test_lists_that_are_missing_are_an_error_with_the_way_out(tmp_path, make_files):
    small(tmp_path, make_files, **{"test_list.txt": "0.png\n"})
    with pytest.raises(RequestError) as caught:
        records.chestxray14(tmp_path)
    assert str(caught.value) == (
        f"Expected the official lists in {str(tmp_path)!r}. There is no train_val_list.txt; pass "
        "`official=False` to draw the splits by patient."
    )


def test_of_two_tables_the_one_whose_images_are_there_counts(tmp_path, make_files):
    more = {"slice.csv": table(("0.png", "Mass", 0), ("gone.png", "Mass", 9))}
    small(tmp_path, make_files, **more, **{"boxes.csv": "Image Index,Bbox\n0.png,1\n"})
    assert len(list(records.chestxray14(tmp_path, official=False))) == 40
    assert len(list(records.chestxray14(tmp_path, official=False, csv="slice.csv"))) == 2


def test_two_tables_that_both_fit_are_an_error(tmp_path, make_files):
    small(tmp_path, make_files, **{"part.csv": table(("0.png", "Mass", 0))})
    with pytest.raises(RequestError) as caught:
        records.chestxray14(tmp_path)
    assert str(caught.value) == (
        f"Expected one .csv file in {str(tmp_path)!r} whose images are all there, or `csv` to say "
        "which is meant. Found: 'Data_Entry_2017.csv', 'part.csv'"
    )


def test_a_table_of_the_same_format_may_have_other_findings(tmp_path, make_files):
    table = "Image Index,Finding Labels,Patient ID\n1.png,Fracture|TB,1\n2.png,No Finding,2\n"
    make_files(tmp_path, {"t.csv": table, "images/1.png": "x", "images/2.png": "x"})
    source = records.chestxray14(tmp_path, official=False, class_names=("TB", "Fracture"))
    assert {e["id"]: e["labels"].tolist() for e in source} == {"1.png": [1, 1], "2.png": [0, 0]}
