"""The scales of an int8 LSTM's state, which TensorFlow's converter sets so that it computes wrong.

What an LSTM gives is its hidden state, step by step: TFLite's int8 kernel copies the bytes from
one to the other. So both, and the intermediate result that the kernel makes, must have one scale.
The converter takes the output's from what comes next, where that wants the same scale on both
sides (a Concatenate: every Bidirectional), and the state's from calibration. Nothing says so: the
file runs, and its scores are off by a tenth.

Source: `lstm_eval.cc` and `unidirectional_sequence_lstm.cc` of TensorFlow Lite.
"""

import copy
from typing import Any

import numpy as np

from tfpipe.export.writing.joining import packed

_HIDDEN = 4  # of the kernel's intermediate tensors: what becomes the hidden state
_STATE = 18  # of its inputs: the hidden state


def with_one_scale(data: bytes) -> bytes:
    """A TFLite file whose int8 LSTMs have one scale for what they give, keep and compute.

    It is symmetric around 0, so that the state, which begins with bytes of 0, begins at 0; a
    QUANTIZE behind the LSTM gives what comes next the scale that it has had. A file without int8
    LSTMs stays as it is.
    """
    from ai_edge_litert.tools.flatbuffer_utils import read_model_from_bytearray

    model = read_model_from_bytearray(bytearray(data))
    graph = model.subgraphs[0]
    found = [op for op in graph.operators if _is_int8_lstm(graph, op)]
    for op in found:
        computed, kept = graph.tensors[op.intermediates[_HIDDEN]], graph.tensors[op.inputs[_STATE]]
        scale = _hidden_scale(computed.quantization)
        given = copy.deepcopy(graph.tensors[op.outputs[0]])
        given.name += b"/lstm"
        for tensor in (given, kept, computed):
            tensor.quantization = copy.deepcopy(given.quantization)
            tensor.quantization.scale = np.array([scale], np.float32)
            tensor.quantization.zeroPoint = np.array([0], np.int64)
        graph.tensors.append(given)
        insert_quantize(model, graph, op, len(graph.tensors) - 1)
    return packed(model) if found else data


def _is_int8_lstm(graph: Any, op: Any) -> bool:
    from ai_edge_litert import schema_py_generated as schema

    kind = type(op.builtinOptions).__name__
    output = graph.tensors[op.outputs[0]]
    return kind == "UnidirectionalSequenceLSTMOptionsT" and output.type == schema.TensorType.INT8


def _hidden_scale(found: Any) -> float:
    """The symmetric scale that holds the range of the hidden state, as it was calibrated."""
    lowest, highest = (found.scale[0] * (end - found.zeroPoint[0]) for end in (-128, 127))
    return float(max(-lowest, highest)) / 127


def insert_quantize(model: Any, graph: Any, lstm: Any, given: int) -> None:
    """Lets the LSTM give another tensor, and a new operator after it what it gave."""
    from ai_edge_litert import schema_py_generated as schema

    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.QUANTIZE
    code.version = 2
    model.operatorCodes.append(code)
    op = schema.OperatorT()
    op.opcodeIndex = len(model.operatorCodes) - 1
    op.inputs, op.outputs, lstm.outputs = [given], lstm.outputs, [given]
    graph.operators.insert(graph.operators.index(lstm) + 1, op)
