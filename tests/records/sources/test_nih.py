"""`records.chestxray14`: the set as NIH published it."""

import collections
import csv

from tfpipe import records


def test_the_sample(shared_data):
    folder = shared_data("chestxray14_sample")
    source = records.chestxray14(folder, csv="sample_labels.csv", split=(0.8, 0.2))
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
    source = records.chestxray14(tmp_path, split=None)
    assert {e["id"]: (e["split"], e["image"], e["labels"].sum()) for e in source} == {
        "1.png": ("train", tmp_path / "images_001/images/1.png", 2),
        "2.png": ("test", tmp_path / "images_002/images/2.png", 0),
    }
    assert (source.class_names[0], source.class_names[-1]) == ("Atelectasis", "Hernia")
