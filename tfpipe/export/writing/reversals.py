"""The scales around an int8 or int16 REVERSE_V2, which TensorFlow's converter sets apart.

TFLite's kernel copies numbers as they are, so what comes out has the scale of what goes in. Unlike
for other operators that copy, the converter takes the scale of what comes out from calibration:
pixels of the "caffe" style, whose channels are reversed, and what a Bidirectional's backward layer
gives then mean something else. Nothing says so: the file runs, and is wrong.

Source: `reverse.cc` of TensorFlow Lite.
"""

import copy
from typing import Any

from tfpipe.export.writing.joining import packed
from tfpipe.export.writing.states import insert_quantize


def with_scales_kept(data: bytes) -> bytes:
    """A TFLite file whose REVERSE_V2s give the scale that they take, and a QUANTIZE what they gave.

    A file where they do already stays as it is.
    """
    from ai_edge_litert.tools.flatbuffer_utils import opcode_to_name, read_model_from_bytearray

    model = read_model_from_bytearray(bytearray(data))
    found = [
        (graph, op)
        for graph in model.subgraphs
        for op in graph.operators
        if opcode_to_name(model, op.opcodeIndex) == "REVERSE_V2" and _is_rescaled(graph, op)
    ]
    for graph, op in found:
        kept = copy.deepcopy(graph.tensors[op.outputs[0]])
        kept.name += b"/reversed"
        kept.quantization = copy.deepcopy(graph.tensors[op.inputs[0]].quantization)
        graph.tensors.append(kept)
        insert_quantize(model, graph, op, len(graph.tensors) - 1)
    return packed(model) if found else data


def _is_rescaled(graph: Any, op: Any) -> bool:
    takes, gives = (_scale(graph.tensors[end]) for end in (op.inputs[0], op.outputs[0]))
    return takes != gives


def _scale(tensor: Any) -> tuple[list[float], list[int]]:
    """The scale and the zero point; nothing of a tensor of floats."""
    found = tensor.quantization
    if found is None or found.scale is None:
        return [], []
    return list(found.scale), list(found.zeroPoint)
