"""`records.layouts`: what a folder resembles."""

import pytest

from tfpipe.records.sources.layouts import explain, resembles


@pytest.mark.parametrize(
    ("inside", "loose", "function"),
    [
        (["Annotations", "JPEGImages"], [], "voc_boxes"),
        ([], ["a.jpg", "a.xml"], "voc_boxes"),
        (["images", "labels"], ["x.csv"], "yolo_boxes"),
        (["train"], ["data.yaml"], "yolo_boxes"),
        (["images", "masks"], ["index.csv"], "mask_folder"),
        ([], ["train-images-idx3-ubyte.gz"], "idx"),
        (["images"], ["labels.csv"], "image_csv"),
        ([], ["a.png"], "image_csv"),
    ],
)
def test_a_known_layout_has_its_function(inside, loose, function):
    assert f"`{function}`" in resembles(inside, loose)


def test_an_unknown_layout_has_none():
    assert resembles(["cat", "dog"], ["README.md"]) is None


def test_what_is_there_is_listed_in_part(tmp_path, make_files):
    make_files(tmp_path, {**{f"{n}.md": "x" for n in range(9)}, "sub/x": "x"})
    assert explain(tmp_path) == (
        "Found: 'sub/', '0.md', '1.md', '2.md', '3.md', '4.md' and 4 more."
    )
