"""Formats by name: each is written under its name, and runs."""

import pytest

from tfpipe import export
from tfpipe.errors import RequestError
from tfpipe.export.bundling import formats


@pytest.mark.parametrize(
    ("format", "name"),
    [
        *(("float16", "float16.tflite"), ("onnx", "model.onnx")),
        *(("saved_model", "saved_model"), ("keras", "model.keras")),
    ],
)
def test_each_is_what_it_is_called(trained, prepare, calibration, digits, tmp_path, format, name):
    path = formats.write(format, trained, tmp_path, prepare=prepare, calibration=calibration)
    assert path == tmp_path / name
    assert formats.file_name(format) == name
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
