"""`records.yolo_layout`: where a data.yaml says that images and labels are."""

import pytest

from tfpipe.errors import DataError, RequestError
from tfpipe.records.sources.yolo_layout import label_path, read_layout

YAML = "path: .\ntrain: images/train\nval: images/val\nnames: [cat, dog]\n"
FILES = {"images/train/a.jpg": "x", "images/val/b.png": "x"}


@pytest.fixture
def layout(tmp_path, make_files):
    def read(yaml, files=FILES):
        make_files(tmp_path, {"data.yaml": yaml, **files})
        return read_layout(tmp_path / "data.yaml")

    return read


def parts(layout):
    return {key: part for key, (part, _) in layout.images.items()}


def test_folders_are_relative_to_the_path(layout, tmp_path, make_files):
    found = layout(YAML)
    assert parts(found) == {"images/train/a.jpg": "train", "images/val/b.png": "val"}
    assert (found.root, found.names) == (tmp_path, ("cat", "dog"))
    make_files(tmp_path / "set", FILES)
    moved = layout(YAML.replace("path: .", "path: set"))
    assert parts(moved) == parts(found)
    assert moved.root == tmp_path / "set"
    assert parts(layout(YAML.replace("path: .", ""))) == parts(found)


def test_names_may_be_a_mapping_from_numbers(layout):
    yaml = YAML.replace("[cat, dog]", "\n  1: dog\n  0: cat\nnc: 2")
    assert layout(yaml).names == ("cat", "dog")
    assert layout(yaml.replace("1:", "'1':").replace("0:", '"0":')).names == ("cat", "dog")
    assert layout(YAML.replace("[cat, dog]", "[1, 'yes']")).names == ("1", "yes")


def test_a_part_may_be_a_list_of_folders_and_of_files_that_list_images(layout):
    yaml = YAML.replace("images/train", "[images/train, more.txt]") + "test:\n"
    found = layout(yaml, {**FILES, "more.txt": "./images/c.jpg\n\nimages/gone.jpg\n",
                          "images/c.jpg": "x"})  # fmt: skip
    assert {key: value for key, value in found.images.items() if value[0] == "train"} == {
        "images/train/a.jpg": ("train", None),
        "images/c.jpg": ("train", None),
        "images/gone.jpg": ("train", "there is no such file"),
    }


def test_a_part_may_have_another_of_its_names(layout):
    assert parts(layout(YAML.replace("val:", "valid:"))) == parts(layout(YAML))


def test_what_tools_write_beside_images_is_no_image(layout):
    beside = ["images/train/a.txt", "images/train/a.npy", "images/train.cache"]
    assert set(layout(YAML, {**FILES, **dict.fromkeys(beside, "x")}).images) == set(FILES)


def test_a_way_up_that_leads_nowhere_does_not_count(layout):
    yaml = "train: ../train/images\nval: ../valid/images\nnames: [cat]\n"
    found = layout(yaml, {"train/images/a.jpg": "x", "valid/images/b.jpg": "x"})
    assert parts(found) == {"train/images/a.jpg": "train", "valid/images/b.jpg": "val"}


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("images/train/a.b.jpg", "labels/train/a.b.txt"),
        ("images/x/images/a.jpg", "images/x/labels/a.txt"),
        ("train/a.jpg", "train/a.txt"),
        ("images.jpg", "images.txt"),
    ],
)
def test_labels_lie_beside_the_images(key, path):
    assert label_path("root", key).as_posix() == f"root/{path}"


@pytest.mark.parametrize(
    ("yaml", "problem"),
    [
        ("names: [a]\n", "expected the keys `names`, `train` and `val`"),
        ("just text", "expected the keys `names`, `train` and `val`"),
        (YAML.replace("[cat, dog]", ""), "expected `names` to be a list or a mapping, found None"),
        (YAML.replace("[cat, dog]", "{1: cat}"),
         "expected `names` to number the classes from 0, found {1: 'cat'}"),
        (YAML.replace("[cat, dog]", "[cat, yes]"),
         "expected `names` to be different texts, found True (`yes` needs quotes)"),
        (YAML.replace("[cat, dog]", "[cat, cat]"),
         "expected `names` to be different texts, found 'cat' (`yes` needs quotes)"),
        (YAML + "kpt_shape: [17, 3]\n",
         "its `kpt_shape` says that it is of poses; boxes were expected"),
        (YAML + "nc: 3\n", "expected `nc` to count the 2 `names`, found 3"),
        (YAML.replace("images/val", "images/none"),
         "its `val` leads to '{root}/images/none', and there is no such file or folder (correct or "
         "delete that key)"),
        (YAML.replace("path: .", "path: none"),
         "its `path` leads to '{root}/none', and there is no such folder (correct `path`, or "
         "delete it: then it is the data.yaml's own)"),
        ("a: [", "not a YAML file (while parsing a flow node expected the node content, but found "
                 "'<stream end>' in \"<byte string>\", line 1, column 5: a: [ ^)"),
    ],
)  # fmt: skip
def test_a_wrong_data_yaml_is_an_error(layout, tmp_path, yaml, problem):
    with pytest.raises(DataError) as caught:
        layout(yaml)
    expected = problem.replace("{root}", str(tmp_path))
    assert str(caught.value) == f"{tmp_path / 'data.yaml'}: {expected}"


def test_an_image_in_two_splits_is_an_error(layout, tmp_path):
    with pytest.raises(RequestError) as caught:
        layout(YAML.replace("images/val", "images"))
    assert str(caught.value) == (
        f"{tmp_path / 'data.yaml'}: Expected every image to be in one split. "
        "'images/train/a.jpg' is in 'train' and 'val'. Delete the key `val`, and divide `train` by "
        "`split=(0.9, 0.1)`."
    )


def test_no_images_or_no_file_are_an_error(layout, tmp_path):
    (tmp_path / "images/train").mkdir(parents=True)
    with pytest.raises(RequestError) as caught:
        layout("train: images/train\nnames: [a]\n", {})
    assert str(caught.value) == (
        f"{tmp_path / 'data.yaml'}: Expected images in `train` and `val`. Found none."
    )
    with pytest.raises(RequestError) as caught:
        read_layout(tmp_path / "none.yaml")
    expected = f"Expected a data.yaml. There is no file {str(tmp_path / 'none.yaml')!r}."
    assert str(caught.value) == expected
    with pytest.raises(RequestError) as caught:
        read_layout(tmp_path)
    assert str(caught.value) == (
        f"Expected a data.yaml. There is no file {str(tmp_path)!r}. In that folder there is "
        "'data.yaml'."
    )
