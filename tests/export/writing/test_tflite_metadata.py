"""TFLite's metadata, read by the fields' places in its schema: what task libraries look for."""

import io
import zipfile

import keras
import numpy as np
import pytest
from ai_edge_litert.tools.flatbuffer_utils import read_model_from_bytearray
from flatbuffers import encode
from flatbuffers.number_types import Int8Flags, Uint32Flags, UOffsetTFlags
from flatbuffers.table import Table

from tfpipe import export
from tfpipe.export.writing.tflite_metadata import read_files, with_files


def plain(shape, tmp_path):
    x = keras.Input(shape)
    model = keras.Model(x, keras.layers.Dense(2)(keras.layers.Flatten()(x)))
    return export.to_tflite(model, tmp_path / "a.tflite").read_bytes()


def described(data):
    """The root table of ModelMetadata."""
    model = read_model_from_bytearray(bytearray(data))
    (entry,) = (entry for entry in model.metadata if entry.name == b"TFLITE_METADATA")
    buffer = bytes(model.buffers[entry.buffer].data)
    assert buffer[4:8] == b"M001"
    return Table(buffer, encode.Get(UOffsetTFlags.packer_type, buffer, 0))


def offset(table, number):
    return table.Offset(4 + 2 * number)


def tables(table, number):
    place = offset(table, number)
    if not place:
        return []
    start = table.Vector(place)
    return [
        Table(table.Bytes, table.Indirect(start + 4 * n)) for n in range(table.VectorLen(place))
    ]


def child(table, number):
    return Table(table.Bytes, table.Indirect(table.Pos + offset(table, number)))


def text(table, number):
    return table.String(table.Pos + offset(table, number)).decode()


def number_at(table, number, flags):
    place = offset(table, number)
    return table.Get(flags, table.Pos + place) if place else 0


def test_the_labels_are_at_the_scores_and_the_rest_at_the_model(tmp_path):
    data = with_files(plain((8, 6, 3), tmp_path), {"note.md": "x", "labels.txt": "a\nb\n"})
    root = described(data)
    ((graph,), (note,)) = tables(root, 3), tables(root, 6)
    (takes,), (gives,) = tables(graph, 2), tables(graph, 3)
    assert (text(takes, 0), text(gives, 0)) == ("images", "scores")
    (labels,) = tables(gives, 6)
    assert (text(labels, 0), number_at(labels, 2, Int8Flags)) == ("labels.txt", 2)
    assert (text(note, 0), number_at(note, 2, Int8Flags)) == ("note.md", 1)
    assert text(root, 7) == "1.0.0"


@pytest.mark.parametrize(("channels", "colours"), [(3, 1), (1, 2)])
def test_an_image_has_its_colours_and_size(tmp_path, channels, colours):
    root = described(plain((8, 6, channels), tmp_path))
    content = child(tables(tables(root, 3)[0], 2)[0], 3)
    assert number_at(content, 0, Int8Flags) == 2
    image = child(content, 1)
    assert number_at(image, 0, Int8Flags) == colours
    size = child(image, 1)
    assert [number_at(size, n, Uint32Flags) for n in (0, 1)] == [6, 8]


def test_what_is_no_image_is_features(tmp_path):
    root = described(plain((8, 6), tmp_path))
    takes = tables(tables(root, 3)[0], 2)[0]
    assert text(takes, 0) == "sequences"
    assert number_at(child(takes, 3), 0, Int8Flags) == 1


def test_the_archive_is_stored_and_replaces_the_one_before(tmp_path):
    first = with_files(plain((8,), tmp_path), {"a.txt": "a" * 1000})
    second = with_files(first, {"b.txt": "b"})
    assert len(second) < len(first)
    assert read_files(second) == {"b.txt": "b"}
    with zipfile.ZipFile(io.BytesIO(second)) as archive:
        assert [entry.compress_type for entry in archive.infolist()] == [zipfile.ZIP_STORED]
    model = read_model_from_bytearray(bytearray(second))
    assert [entry.name for entry in model.metadata].count(b"TFLITE_METADATA") == 1


def test_a_file_without_an_archive_has_no_texts(tmp_path):
    data = plain((8,), tmp_path)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = min(entry.header_offset for entry in archive.infolist())
    assert read_files(data[:start]) == {}
    assert np.frombuffer(data[4:8], "S4") == b"TFL3"
