"""The scale of an int8 file's pixels, which TensorFlow's converter does not always leave at 1.

A file takes pixels as they are: uint8, scale 1, zero point 0. From examples that reach from 0 to
255 the converter finds just that, unless the first operators want one scale for several tensors (a
Concatenate of the pixels, whose result goes with negative constants). Then the input gets their
range, -123.7 to 255 say, and every pixel means something else: the file runs, and is wrong.

Source: the requantisation in `quantize.cc` of TensorFlow Lite, which takes uint8 of any scale.
"""

import numpy as np

from tfpipe.errors import RequestError
from tfpipe.export.writing.joining import packed


def with_pixels(data: bytes) -> bytes:
    """An int8 TFLite file that takes uint8 pixels with a scale of 1 and a zero point of 0.

    Where its input has another scale, that of its first operator's result stays: a QUANTIZE, which
    then goes from the one to the other. Otherwise the file stays as it is.

    Raises:
        RequestError: its input has another scale, and its first operator is no QUANTIZE.
    """
    from ai_edge_litert.tools.flatbuffer_utils import opcode_to_name, read_model_from_bytearray

    model = read_model_from_bytearray(bytearray(data))
    graph = model.subgraphs[0]
    (place,) = graph.inputs
    given = graph.tensors[place].quantization
    if given.scale[0] == 1 and given.zeroPoint[0] == 0:
        return data
    users = [opcode_to_name(model, op.opcodeIndex) for op in graph.operators if place in op.inputs]
    if set(users) != {"QUANTIZE"}:
        raise RequestError(
            "Expected a model that begins with arithmetic on its pixels, so that an int8 file can "
            f"take them. TensorFlow's converter gives them the scale {given.scale[0]:.4g}, before "
            f"{', '.join(users)}. Use mode='float32'."
        )
    given.scale, given.zeroPoint = np.array([1], np.float32), np.array([0], np.int64)
    return packed(model)
