"""The files of folders of classes; masks beside images are none."""

from tfpipe.records.sources.class_files import Item, class_files


def test_masks_beside_images_are_no_examples(tmp_path, make_files):
    names = ["COVID/images/1.png", "Normal/images/1.png", "Normal/images/deep/masks/2.png"]
    masks = ["COVID/masks/1.png", "Normal/Masks/1.png"]
    make_files(tmp_path, dict.fromkeys([*names, *masks, "Normal.metadata.xlsx"], "x"))
    assert list(class_files(tmp_path, {})) == [
        Item(name, name.split("/")[0], None, None) for name in names
    ]


def test_a_folder_of_masks_alone_is_one_like_any_other(tmp_path, make_files):
    make_files(tmp_path, {"with/masks/1.png": "x", "without/1.png": "x", "2.png": "x"})
    assert [(item.id, item.problem is None) for item in class_files(tmp_path, {})] == [
        ("with/masks/1.png", True),
        ("without/1.png", True),
        ("2.png", False),
    ]
