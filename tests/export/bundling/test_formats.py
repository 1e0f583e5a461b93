"""Formats by name: each is written under its name, with the classes inside."""

import pytest

from tfpipe import export
from tfpipe.errors import RequestError
from tfpipe.export.bundling import formats
from tfpipe.export.writing.metadata import attached


@pytest.mark.parametrize(
    ("format", "name"),
    [
        *(("float16", "float16.tflite"), ("onnx", "model.onnx")),
        *(("saved_model", "saved_model"), ("keras", "model.keras")),
    ],
)
def test_each_is_what_it_is_called_with_the_classes_inside(
    trained, prepare, calibration, digits, tmp_path, format, name
):
    options = {"prepare": prepare, "calibration": calibration, "class_names": ["a", "b"]}
    path = formats.write(format, trained, tmp_path, **options)
    assert path == tmp_path / name
    assert formats.file_name(format) == name
    assert attached(path)["labels.txt"] == "a\nb\n"
    assert export.load(path).predict(digits[0][:2]).shape == (2, 10)


def test_each_format_is_written_once():
    assert formats.check_formats(["int8", "onnx", "int8"]) == ("int8", "onnx")


def test_no_and_unknown_formats_are_refused():
    with pytest.raises(RequestError) as caught:
        formats.check_formats(["tflite"])
    assert str(caught.value) == (
        "Expected `formats` to be one of 'float32', 'float16', 'dynamic', 'int8', 'int16x8', "
        "'onnx', 'saved_model', 'keras'. Received: formats='tflite'"
    )
