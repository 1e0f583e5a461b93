"""`records.image_folder`: one folder per class, with or without folders for the splits."""

import collections
import os

import pytest

from tfpipe import records
from tfpipe.errors import RequestError
from tfpipe.records.sources.splits import split_of


def by_id(source):
    return {example["id"]: example for example in source}


def test_every_file_below_a_class_is_an_example(tmp_path, make_files):
    names = ["cat/1.png", "cat/deep/2.JPG", "dog/a b.txt", "dog/ü.png", "dog/line\nbreak.png"]
    make_files(tmp_path, {**dict.fromkeys(names, "x"), "README.md": "x", "dog/.DS_Store": "x"})
    (tmp_path / "dog" / os.fsdecode(b"\xff.png")).write_bytes(b"x")
    source = records.image_folder(tmp_path)
    examples = by_id(source)
    assert examples.keys() == {*names, os.fsdecode(b"dog/\xff.png")}
    for key, example in examples.items():
        assert example["image"] == tmp_path / key
        assert example["image"].read_bytes() == b"x"
        assert example["label"] == ("cat", "dog").index(key.split("/")[0])
    assert source.class_names == ("cat", "dog")
    assert source.features["image"].shape == (None, None, 3)


def test_the_source_can_be_iterated_over_again_in_the_same_order(tmp_path, make_files):
    make_files(tmp_path, {f"{c}/{n}.png": "x" for c in "ab" for n in range(20)})
    source = records.image_folder(tmp_path, seed=3)
    first = [example["id"] for example in source]
    assert first == [example["id"] for example in source]
    assert first != sorted(first)
    assert first != [example["id"] for example in records.image_folder(tmp_path, seed=4)]


def test_the_split_depends_on_the_id_alone(tmp_path, make_files):
    make_files(tmp_path, {f"{c}/{n}.png": "x" for c in "ab" for n in range(50)})
    fractions = {"train": 0.7, "val": 0.2, "test": 0.1}
    source = records.image_folder(tmp_path, seed=3)
    before = {key: example["split"] for key, example in by_id(source).items()}
    assert before == {key: split_of(key, fractions, 3) for key in before}
    make_files(tmp_path, {"a/new.png": "x"})
    after = by_id(records.image_folder(tmp_path, seed=3))
    assert {key: after[key]["split"] for key in before} == before


def test_groups_and_strata(tmp_path, make_files):
    make_files(tmp_path, {f"{c}/p{n // 4}_{n}.png": "x" for c in "ab" for n in range(80)})

    def patient(key):
        return key.split("/")[1].split("_")[0]

    source = records.image_folder(tmp_path, split=(0.5, 0.5), group=patient, stratify=True)
    sides = collections.defaultdict(set)
    counts = collections.Counter()
    for example in source:
        sides[patient(example["id"])].add(example["split"])
        counts[example["label"], example["split"]] += 1
    assert len(sides) == 20
    assert all(len(side) == 1 for side in sides.values())
    assert set(counts.values()) == {40}
    assert source.rule == {
        "by": "fractions",
        "given_by": None,
        "fractions": {"train": 0.5, "val": 0.5},
        "seed": 0,
        "grouped_by": "the function 'test_groups_and_strata.<locals>.patient'",
        "stratified": True,
    }


def test_folders_of_splits_are_recognised(tmp_path, make_files):
    make_files(
        tmp_path,
        {"Train/a/1.png": "x", "Train/b/1.png": "x", "valid/a/1.png": "x", "testing/b/1.png": "x"},
    )
    source = records.image_folder(tmp_path)
    assert {key: (e["split"], e["label"]) for key, e in by_id(source).items()} == {
        "Train/a/1.png": ("train", 0),
        "Train/b/1.png": ("train", 1),
        "valid/a/1.png": ("val", 0),
        "testing/b/1.png": ("test", 1),
    }
    assert source.rule == {"by": "given", "given_by": "folders", "grouped_by": None}


def test_fractions_divide_the_train_folder(tmp_path, make_files):
    names = [f"{part}/{c}/{n}.png" for part in ("train", "test") for c in "ab" for n in range(20)]
    make_files(tmp_path, dict.fromkeys(names, "x"))
    source = records.image_folder(tmp_path, split=(0.8, 0.2), stratify=True)
    counts = collections.Counter((e["id"].split("/")[0], e["split"]) for e in source)
    assert counts == {("train", "train"): 32, ("train", "val"): 8, ("test", "test"): 40}
    assert source.rule["by"] == "fractions of train"
    with pytest.raises(RequestError) as caught:
        records.image_folder(tmp_path, split=(0.7, 0.2, 0.1))
    assert str(caught.value) == (
        "Expected `split` to hold fractions of the given 'train', for parts that are not given "
        "(given: test, train). Received: split=(0.7, 0.2, 0.1)"
    )


def test_what_is_no_file_or_in_no_class_is_refused(tmp_path, make_files):
    make_files(
        tmp_path,
        {"train/a/1.png": "x", "train/b/x.jpg/1.png": "x", "train/2.png": "x", "0.png": "x",
         "train/notes.txt": "x", "train/b/1.png": "x"},
    )  # fmt: skip
    (tmp_path / "train" / "a" / "loop").symlink_to(tmp_path / "train" / "a")
    source = records.image_folder(tmp_path)
    refused = {key: e["refused"] for key, e in by_id(source).items() if "refused" in e}
    assert refused == {
        "train/b/x.jpg": "a folder, not a file",
        "train/a/loop": "a link back to a folder that it is in",
        "train/2.png": "it lies beside the classes' folders, in none of them",
        "0.png": "it lies beside the classes' folders, in none of them",
    }
    assert len(list(source)) == 6


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["a.png", "b.png"], "Found: 'a.png', 'b.png'. For images without folders, put their "
                             "labels in a table and use `image_csv`."),
        (["a.png", "b.csv"], "Found: 'a.png', 'b.csv'. For a table beside the images use "
                             "`image_csv`."),
        (["images/a.png", "masks/a.png"], "Found: 'images/', 'masks/'. For images and their masks "
                                          "use `mask_folder`."),
        (["Annotations/a.xml", "JPEGImages/a.jpg"], "Found: 'Annotations/', 'JPEGImages/'. For "
                                                    "Pascal VOC annotations use `voc_boxes`."),
        (["images/a.png", "labels/a.txt", "data.yaml"], "Found: 'images/', 'labels/', 'data.yaml'. "
                                                        "For a data.yaml with images/ and labels/ "
                                                        "use `yolo_boxes`."),
        (["t10k-images-idx3-ubyte.gz"], "Found: 't10k-images-idx3-ubyte.gz'. For idx files use "
                                        "`idx`."),
        (["xray/a/1.txt", "xray/b/1.txt"], "Found: 'xray/'."),

        ([], "Found: nothing."),
        (["images_001/images/1.png", "images_002/images/2.png", "Data_Entry_2017.csv"],
         "Found: 'images_001/', 'images_002/', 'Data_Entry_2017.csv'. For NIH's ChestX-ray14 use "
         "`chestxray14`."),
    ],
)  # fmt: skip
def test_another_layout_is_named_with_its_function(tmp_path, make_files, files, found):
    make_files(tmp_path, dict.fromkeys(files, "x"))
    with pytest.raises(RequestError) as caught:
        records.image_folder(tmp_path)
    assert str(caught.value) == (
        f"Expected a folder for each of two or more classes in {str(tmp_path)!r}. {found}"
    )


def test_a_yolo_export_is_no_folder_of_splits_and_classes(tmp_path, make_files):
    make_files(tmp_path, {"train/images/a.png": "x", "train/labels/a.txt": "x"})
    with pytest.raises(RequestError) as caught:
        records.image_folder(tmp_path)
    assert str(caught.value) == (
        f"Expected a folder for each of two or more classes in {str(tmp_path / 'train')!r}. "
        "Found: 'images/', 'labels/'. For a data.yaml with images/ and labels/ use `yolo_boxes`."
    )


@pytest.mark.parametrize("around", ["xray", "xray/train", "seg_train/xray"])
def test_a_folder_around_the_layout_is_named(tmp_path, make_files, around):
    make_files(tmp_path, {f"{around}/{part}/1.png": "x" for part in ("a", "b")})
    inner, folder = (around, "") if "seg" not in around else ("xray", "seg_train")
    with pytest.raises(RequestError) as caught:
        records.image_folder(tmp_path)
    first = inner.split("/")[0]
    assert str(caught.value) == (
        f"Expected a folder for each of two or more classes in {str(tmp_path / folder)!r}. Found: "
        f"'{first}/'. Folders of classes are in {str(tmp_path / folder / first)!r}."
    )


def test_a_class_without_a_file_is_an_error(tmp_path, make_files):
    make_files(tmp_path, {"train/a/1.png": "x", "train/b/1.png": "x", "val/c/1.png": "x"})
    (tmp_path / "train" / "c").mkdir()
    with pytest.raises(RequestError) as caught:
        records.image_folder(tmp_path)
    assert str(caught.value) == (
        f"Expected images of every class in {str(tmp_path)!r}. Found no file for 'c'. Delete these "
        "folders, or fill them."
    )


def test_a_class_must_be_in_train(tmp_path, make_files):
    make_files(tmp_path, {"train/a/1": "x", "train/b/1": "x", "val/A/1": "x"})
    with pytest.raises(RequestError) as caught:
        records.image_folder(tmp_path)
    assert str(caught.value) == (
        f"Expected every class to have a folder in 'train' of {str(tmp_path)!r}. Only in other "
        "splits: 'A'. In train: 'a', 'b'."
    )


def test_a_class_must_have_a_name_that_can_be_printed(tmp_path):
    for name in (b"a", b"\xff"):
        (tmp_path / os.fsdecode(name)).mkdir()
    with pytest.raises(RequestError) as caught:
        records.image_folder(tmp_path)
    assert str(caught.value) == (
        f"Expected the folders in {str(tmp_path)!r} to have names that can be printed, since they "
        "name the classes. Received: '\\udcff'"
    )


def test_folders_of_two_spellings_are_an_error(tmp_path, make_files):
    make_files(tmp_path, {f"{name}/1.png": "x" for name in ("Cat", "cat", "dog")})
    with pytest.raises(RequestError) as caught:
        records.image_folder(tmp_path)
    assert str(caught.value) == (
        "Expected classes with unlike names. Found: 'Cat' and 'cat'. Rename one in "
        f"{str(tmp_path)!r}, or move its images to the other."
    )


def test_folders_of_patients_are_no_classes(tmp_path, make_files):
    """As in CheXpert."""
    keys = [f"train/patient{n:05d}/study1/view{v}.jpg" for n in (1, 2) for v in range(9)]
    make_files(tmp_path, dict.fromkeys(keys, "x"))
    with pytest.raises(RequestError) as caught:
        records.image_folder(tmp_path)
    assert str(caught.value) == (
        f"Expected the folders in {str(tmp_path / 'train')!r} to be classes. Their names are those "
        "of patients: 'patient00001', 'patient00002'. Where a table says what each image shows, "
        "use `image_csv`, with a `group` for each patient."
    )


def test_folders_of_one_image_each_are_no_classes(tmp_path, make_files):
    make_files(tmp_path, {f"{n}/{n}.png": "x" for n in range(20)})
    with pytest.raises(RequestError) as caught:
        records.image_folder(tmp_path)
    assert str(caught.value) == (
        f"Expected images of classes in {str(tmp_path)!r}. Found 20 folders for 20 images: '0', "
        "'1', '2' and 17 more. Where a table says what each image shows, use `image_csv`, with a "
        "`group` for each patient."
    )
    make_files(tmp_path, {f"{n}/{n + 1}.png": "x" for n in range(20)})
    assert len(records.image_folder(tmp_path).class_names) == 20


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(RequestError) as caught:
        records.image_folder(str(tmp_path / "none"))
    assert str(caught.value) == (
        f"Expected `path` to be a folder. There is nothing: {str(tmp_path / 'none')!r}"
    )


def test_covid_xray(shared_data):
    folder = shared_data("covid_xray")
    source = records.image_folder(folder, channels=1)
    counts = collections.Counter((e["split"], source.class_names[e["label"]]) for e in source)
    assert counts == {
        ("train", "covid"): 150,
        ("train", "normal"): 150,
        ("val", "covid"): 50,
        ("val", "normal"): 50,
    }
    listed = {line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    assert {example["id"] for example in source} == {n for n in listed if n.endswith(".png")}
