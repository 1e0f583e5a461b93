"""What is in a TFLite file: how it computes, its operators, the zeros among its weights.

Example:

    found = contents(pathlib.Path("out/int8.tflite").read_bytes())
    found.mode, found.operators, found.sparsity
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tfpipe.export.reading.predictor import counted, zeros
from tfpipe.export.writing.graph import PREPARE

_FLOATS = ("FLOAT32", "FLOAT16")
_WEIGHTS = {"FLOAT32": "float32", "FLOAT16": "float16", "INT8": "int8", "UINT8": "uint8"}


@dataclasses.dataclass(frozen=True)
class Contents:
    """What a TFLite file says of itself.

    Args:
        mode: "float32", "float16", "dynamic", "int8" or "int16x8".
        operators: how often it has each operator, by TFLite's names.
        sparsity: the share of zeros in its weights.
    """

    mode: str
    operators: Mapping[str, int]
    sparsity: float


def contents(data: bytes) -> Contents:
    """Reads a whole TFLite file, which LiteRT has run before."""
    from ai_edge_litert.tools.flatbuffer_utils import opcode_to_name, read_model_from_bytearray

    model = read_model_from_bytearray(bytearray(data))
    names = [opcode_to_name(model, op.opcodeIndex) for _, op in _operators(model)]
    return Contents(_mode(model), counted(names), zeros(_weights(model)))


def _mode(model: Any) -> str:
    """By the types of the weights, and of what the operators make of them.

    A float16 file has its weights in float16 and makes them float32 before it computes; a dynamic
    one has them in int8 and computes with float32 activations. Without weights, by the operators.
    """
    types: set[str] = set()
    results: set[str] = set()
    for graph, op in _operators(model):
        taken = {_type(graph.tensors[i]) for i in op.inputs if _is_weight(model, graph, i)}
        types |= taken
        if taken and taken != {"FLOAT16"}:
            results |= {_type(graph.tensors[place]) for place in op.outputs}
    if not types:
        results = {_type(g.tensors[i]) for g, op in _operators(model) for i in op.outputs}
        results -= {"FLOAT32"} if results & {"INT8", "INT16"} else set()
    if "FLOAT16" in types:
        return "float16"
    if types and types <= {"FLOAT32"}:
        return "float32"
    if "FLOAT32" in results:
        return "dynamic" if types else "float32"
    if "INT16" in results:
        return "int16x8"
    return "int8" if results & {"INT8", "UINT8"} else "float32"


def _weights(model: Any) -> Iterator[np.ndarray]:
    """The constants of two or more axes: kernels, not biases and shapes; nought is their zero."""
    for graph in model.subgraphs:
        for place, tensor in enumerate(graph.tensors):
            if _is_weight(model, graph, place):
                numbers = np.frombuffer(model.buffers[tensor.buffer].data, _WEIGHTS[_type(tensor)])
                offset = tensor.quantization.zeroPoint if numbers.dtype == np.uint8 else None
                yield numbers if offset is None else numbers != offset[0]


def _is_weight(model: Any, graph: Any, place: int) -> bool:
    if place < 0:
        return False
    tensor = graph.tensors[place]
    return (
        _type(tensor) in _WEIGHTS
        and model.buffers[tensor.buffer].data is not None
        and tensor.shape is not None
        and len(tensor.shape) > 1
        and not tensor.name.startswith(f"{PREPARE}/".encode())
    )


def _operators(model: Any) -> Iterator[tuple[Any, Any]]:
    """Every operator with the graph that it is in."""
    return ((graph, op) for graph in model.subgraphs for op in graph.operators)


def _type(tensor: Any) -> str:
    from ai_edge_litert import schema_py_generated as schema

    names = {value: name for name, value in vars(schema.TensorType).items() if name[0] != "_"}
    return names[tensor.type]
