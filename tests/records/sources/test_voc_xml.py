"""`records.voc_xml`: one Pascal VOC file, whole or broken."""

import numpy as np
import pytest

from tfpipe.records.sources.base import Refused
from tfpipe.records.sources.voc_xml import classes_in, parse

CLASSES = {"cat": 0, "dog": 1}


def xml(*objects, size="<size><width>200</width><height>100</height><depth>3</depth></size>"):
    return f"<annotation>{size}{''.join(objects)}</annotation>"


def thing(name, xmin, ymin, xmax, ymax, rest=""):
    numbers = {"xmin": xmin, "ymin": ymin, "xmax": xmax, "ymax": ymax}
    corners = "".join(f"<{key}>{value}</{key}>" for key, value in numbers.items())
    return f"<object><name>{name}</name>{rest}<bndbox>{corners}</bndbox></object>"


@pytest.fixture
def parsed(tmp_path):
    def parse_text(text, **arguments):
        path = tmp_path / "a.xml"
        path.write_text(text)
        return parse(path, CLASSES, **arguments)

    return parse_text


def test_a_box_from_the_first_to_the_last_pixel_covers_the_image(parsed):
    part = "<part><name>head</name><bndbox><xmin>5</xmin></bndbox></part>"
    example = parsed(xml(thing("dog", 1, 1, 200, 100, part), thing(" cat ", 51, 11, 100, 20)))
    np.testing.assert_allclose(example["boxes"], [[0, 0, 1, 1], [0.1, 0.25, 0.2, 0.5]], rtol=1e-6)
    assert example["classes"].tolist() == [1, 0]
    assert (example["notes"], example["size_px"]) == ((), (100, 200))


def test_tools_that_count_from_zero_give_edges(parsed):
    example = parsed(xml(thing("cat", 0, 0, 200, 100), thing("cat", 50.5, 10, 100, 20)),
                     one_based=False)  # fmt: skip
    expected = [[0, 0, 1, 1], [0.1, 0.2525, 0.2, 0.5]]
    np.testing.assert_allclose(example["boxes"], expected, rtol=1e-6)
    assert example["notes"] == ()


def test_boxes_without_area_or_beyond_the_image_are_noted(parsed):
    example = parsed(
        xml(
            thing("cat", 0, 1, 10, 10),
            thing("cat", 1, 1, 10, 10),
            thing("dog", 50, 40, 50, 40),
            thing("dog", 60, 40, 60, 60),
            thing("dog", 150, 50, 210.5, 60),
            thing("dog", 201, 50, 210, 60),
        )
    )
    assert example["notes"] == (
        "box 1, 'cat', reaches beyond the image and is cut to it: [0, 1, 10, 10]",
        "box 3, 'dog', has no area: [50, 40, 50, 40]",
        "box 4, 'dog', has no area: [60, 40, 60, 60]",
        "box 5, 'dog', reaches beyond the image and is cut to it: [150, 50, 210.5, 60]",
        "box 6, 'dog', lies outside the image: [201, 50, 210, 60]",
    )
    assert example["classes"].tolist() == [0, 0, 1]
    np.testing.assert_allclose(example["boxes"][:, 3], [0.05, 0.05, 1])


def test_an_image_without_objects_has_no_boxes(parsed):
    assert parsed(xml())["boxes"].shape == (0, 4)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (xml()[:-20], "its XML file is broken: no element found: line 1, column 72"),
        ("", "its XML file is broken: no element found: line 1, column 0"),
        (xml(size=""), "its XML file has no number in size/width: None"),
        (xml(size="<size><width>0</width><height>9</height></size>"),
         "its XML file states a size of 0x9 pixels"),
        (xml(thing("cat", 1, 1, 9, 9), thing("dgo", 1, 1, 9, 9)),
         "object 2 of its XML file: Expected `name` to be one of 'cat', 'dog'. "
         "Received: name='dgo'. Did you mean 'dog'?"),
        (xml(thing("cat", "x", 1, 9, 9)),
         "object 1 of its XML file has no number in bndbox/xmin: 'x'"),
        (xml(thing("cat", 1, 1, 9, "nan")),
         "object 1 of its XML file has no number in bndbox/ymax: 'nan'"),
        (xml("<object><name>cat</name></object>"),
         "object 1 of its XML file has no number in bndbox/xmin: None"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused(parsed, text, reason):
    with pytest.raises(Refused) as caught:
        parsed(text)
    assert str(caught.value) == reason


def test_a_file_that_is_gone_is_refused(tmp_path):
    with pytest.raises(Refused) as caught:
        parse(tmp_path / "a.xml", CLASSES)
    assert str(caught.value) == "its XML file cannot be read: No such file or directory"


def test_the_classes_of_a_file_are_found_and_a_broken_one_has_none(tmp_path):
    path = tmp_path / "a.xml"
    path.write_text(xml(thing("b", 1, 1, 9, 9), thing("a", "x", 1, 9, 9), thing("b", 1, 1, 2, 2)))
    assert classes_in(path) == {"a", "b"}
    path.write_text("<annotation>")
    assert classes_in(path) == set()
