"""TFLite's metadata: a zip archive after the model, and a table in the model that describes it.

The numbers of the fields are their places in `metadata_schema.fbs`, version 1.1.0, of TensorFlow
Lite Support (https://github.com/tensorflow/tflite-support).
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers
import numpy as np

from tfpipe.export.writing.joining import packed

NAME = b"TFLITE_METADATA"

_DESCRIPTIONS, _AXIS_LABELS = np.int8(1), np.int8(2)  # AssociatedFileType
_FEATURE, _IMAGE = np.int8(1), np.int8(2)  # ContentProperties
_RGB, _GRAYSCALE = np.int8(1), np.int8(2)  # ColorSpaceType

Fields = dict[int, Any]


def with_files(data: bytes, files: Mapping[str, str]) -> bytes:
    """The TFLite file with these texts in it, and no others."""
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools.flatbuffer_utils import read_model_from_bytearray

    model = read_model_from_bytearray(bytearray(_model_only(data)))
    entries = {entry.name: entry for entry in model.metadata or []}
    if NAME not in entries:
        entry = schema.MetadataT()
        entry.name, entry.buffer = NAME, len(model.buffers)
        model.buffers.append(schema.BufferT())
        model.metadata = [*(model.metadata or []), entry]
        entries[NAME] = entry
    model.buffers[entries[NAME].buffer].data = np.frombuffer(_described(model, files), np.uint8)
    buffer = io.BytesIO(packed(model))
    with zipfile.ZipFile(buffer, "a") as archive:  # stored: task libraries read nothing else
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


def read_files(data: bytes) -> dict[str, str]:
    """The texts in a TFLite file."""
    buffer = io.BytesIO(data)
    if not zipfile.is_zipfile(buffer):
        return {}
    with zipfile.ZipFile(buffer) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def _model_only(data: bytes) -> bytes:
    buffer = io.BytesIO(data)
    if not zipfile.is_zipfile(buffer):
        return data
    with zipfile.ZipFile(buffer) as archive:
        return data[: min(entry.header_offset for entry in archive.infolist())]


def _described(model: Any, files: Mapping[str, str]) -> bytes:
    """ModelMetadata: the ends of the model, the labels at its scores, and the other files."""
    graph, signature = model.subgraphs[0], model.signatureDefs[0]
    (taken,), (given,) = signature.inputs, signature.outputs
    labels = [_file(name, _AXIS_LABELS) for name in files if name == "labels.txt"]
    others = [_file(name, _DESCRIPTIONS) for name in files if name != "labels.txt"]
    takes = {0: taken.name.decode(), 3: _content(graph.tensors[taken.tensorIndex].shape)}
    gives = {0: given.name.decode(), 3: {0: _FEATURE, 1: {}}, 6: labels}
    fields = {3: [{2: [takes], 3: [gives]}], 6: others, 7: "1.0.0"}
    builder = flatbuffers.Builder(256)
    builder.Finish(_table(builder, fields), file_identifier=b"M001")
    return bytes(builder.Output())


def _file(name: str, kind: np.int8) -> Fields:
    return {0: name, 2: kind}


def _content(shape: Sequence[int]) -> Fields:
    """Content: an image with its colours and size, or features."""
    if len(shape) != 4 or shape[3] not in (1, 3):
        return {0: _FEATURE, 1: {}}
    size = {0: np.uint32(shape[2]), 1: np.uint32(shape[1])}
    return {0: _IMAGE, 1: {0: _RGB if shape[3] == 3 else _GRAYSCALE, 1: size}}


def _table(builder: flatbuffers.Builder, fields: Fields) -> int:
    """Writes a table, its strings, vectors and tables first, and returns where it is."""
    places = {n: _place(builder, v) for n, v in fields.items() if not isinstance(v, np.integer)}
    builder.StartObject(max(fields, default=-1) + 1)
    for number, value in fields.items():
        if isinstance(value, np.int8):
            builder.PrependInt8Slot(number, int(value), 0)
        elif isinstance(value, np.uint32):
            builder.PrependUint32Slot(number, int(value), 0)
        else:
            builder.PrependUOffsetTRelativeSlot(number, places[number], 0)
    return builder.EndObject()


def _place(builder: flatbuffers.Builder, value: Any) -> int:
    if isinstance(value, str):
        return builder.CreateString(value)
    if isinstance(value, dict):
        return _table(builder, value)
    tables = [_table(builder, fields) for fields in value]
    builder.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        builder.PrependUOffsetTRelative(table)
    return builder.EndVector()
