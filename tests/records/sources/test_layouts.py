"""`records.layouts`: what a folder resembles, and what the sources say of a wrong one."""

import pytest

from tfpipe import records
from tfpipe.errors import RequestError
from tfpipe.records.sources.layouts import ADVICE, explain, resembles

NIH = "Image Index,Finding Labels,Patient ID\n1.png,Mass,1\n"


@pytest.mark.parametrize(
    ("inside", "loose", "layout"),
    [
        (["Annotations", "JPEGImages"], [], "voc_boxes"),
        ([], ["a.jpg", "a.xml"], "voc_boxes"),
        (["images", "labels"], ["x.csv"], "yolo_boxes"),
        (["train"], ["data.yaml"], "yolo_boxes"),
        (["images", "masks"], ["index.csv"], "mask_folder"),
        (["GT", "img"], [], "mask_folder"),
        ([], ["train-images-idx3-ubyte.gz"], "idx"),
        (["images"], ["labels.csv"], "image_csv"),
        (["images"], ["Data_Entry_2017_v2020.csv"], "chestxray14"),
        (["images"], ["labels.csv", "test_list.txt", "train_val_list.txt"], "chestxray14"),
        ([], ["README", "rt-polarity.neg", "rt-polarity.pos"], "text_lines"),
        ([], ["neg.png", "pos.png"], "loose images"),
        (["cat", "dog"], ["README.md"], None),
    ],
)
def test_a_known_layout_has_its_function(inside, loose, layout):
    assert resembles(inside, loose) == layout


def test_the_functions_that_are_named_exist():
    assert all(callable(getattr(records, name)) for name in ADVICE if name != "loose images")


def test_what_is_there_is_listed_in_part(tmp_path, make_files):
    make_files(tmp_path, {**{f"{n}.md": "x" for n in range(9)}, "sub/x": "x"})
    assert explain(tmp_path) == (
        "Found: 'sub/', '0.md', '1.md', '2.md', '3.md', '4.md' and 4 more."
    )


CLASSES = {"cat/1.png": "x", "dog/1.png": "x"}
DIVIDED = {f"{part}/{name}": "x" for part in ("train", "valid") for name in CLASSES}
ADVISED = " For a folder of images for each class use `image_folder`."


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (CLASSES, f"Found: 'cat/', 'dog/'.{ADVISED}"),
        (DIVIDED, f"Found: 'train/', 'valid/'.{ADVISED}"),
        ({"cat/1.png": "x"}, "Found: 'cat/'."),
        (
            {"train/img/1.png": "x", "train/label/1.png": "x", "train/mask/1": "x"},
            "Found: 'train/'.",
        ),
        ({**CLASSES, "docs/a.txt": "x"}, "Found: 'cat/', 'docs/', 'dog/'."),
    ],
)
def test_folders_of_images_are_classes(tmp_path, make_files, files, said):
    assert explain(make_files(tmp_path, files)) == said


VOC = {"Annotations/a.xml": "x", "JPEGImages/a.jpg": "x"}
FOUND_VOC = "Found: 'Annotations/', 'JPEGImages/'. For Pascal VOC annotations use `voc_boxes`."
FOUND_CLASSES = f"Found: 'cat/', 'dog/'.{ADVISED}"


@pytest.mark.parametrize(
    ("read", "files", "sentence"),
    [
        (
            records.voc_boxes,
            CLASSES,
            f"Expected a folder 'JPEGImages' (`images`) in {{root!r}}. {FOUND_CLASSES}",
        ),
        (
            records.voc_boxes,
            {"Annotations/a.xml": "x"},  # it does resemble what was asked for
            "Expected a folder 'JPEGImages' (`images`) in {root!r}. Found: 'Annotations/'.",
        ),
        (
            lambda root: records.mask_folder(root / "images", root / "masks", classes=127),
            VOC,
            f"Expected a folder 'images' (`images`) in {{root!r}}. {FOUND_VOC}",
        ),
        (
            lambda root: records.mask_folder(root / "images", root / "masks", classes=127),
            {"images/a.png": "x", "gt/a.png": "x"},
            "Expected a folder 'masks' (`masks`) in {root!r}. Found: 'gt/', 'images/'.",
        ),
        (
            records.chestxray14,
            VOC,
            "Expected ChestX-ray14 in {root!r}: a .csv file with the columns 'Image Index', "
            "'Finding Labels' and 'Patient ID', and images in 'images/' or 'images_001/images/'. "
            f"{FOUND_VOC}",
        ),
        (
            records.chestxray14,
            {"Data_Entry_2017.csv": NIH},
            "Expected a folder 'images' (`images`) in {root!r}. Found: 'Data_Entry_2017.csv'.",
        ),
        (
            records.idx,
            CLASSES,
            "Expected train-images-idx3-ubyte.gz (or train-images-idx3-ubyte) in {root!r}. "
            f"{FOUND_CLASSES}",
        ),
        (
            records.image_folder,
            VOC,
            f"Expected a folder for each of two or more classes in {{root!r}}. {FOUND_VOC}",
        ),
    ],
)
def test_a_folder_of_another_layout_is_answered_with_its_function(
    tmp_path, make_files, read, files, sentence
):
    root = make_files(tmp_path, files)
    with pytest.raises(RequestError) as caught:
        read(root)
    assert str(caught.value) == sentence.format(root=str(root))


def test_a_folder_in_no_folder_is_not_there():
    with pytest.raises(RequestError) as caught:
        records.mask_folder("none/images", "none/masks", classes=127)
    assert str(caught.value) == (
        "Expected `images` to be a folder. There is nothing: 'none/images'"
    )
