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


def test_a_mask_is_told_by_the_name_of_the_image_beside_it(tmp_path, make_files):
    images = ["benign/benign (1).png", "benign/opera_mask.png", "normal/b-mask.jpg", "normal/a.png"]
    masks = [
        "benign/benign (1)_mask.png",  # the names of the Breast Ultrasound Images dataset
        "benign/benign (1)_mask_1.png",
        "normal/a_Segmentation.jpg",
        "normal/a-mask2.gif",
    ]
    make_files(tmp_path, dict.fromkeys([*images, *masks], "x"))
    assert sorted(item.id for item in class_files(tmp_path, {})) == sorted(images)


def test_a_mask_belongs_to_an_image_of_its_own_folder(tmp_path, make_files):
    names = ["benign/1/a.png", "benign/2/a_mask.png", "normal/1.png"]
    make_files(tmp_path, dict.fromkeys(names, "x"))
    assert [item.id for item in class_files(tmp_path, {})] == names
