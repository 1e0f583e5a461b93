"""Two TFLite files as one: what the first gives, the second takes.

Converters treat a graph as a whole: an int8 conversion would round the arithmetic of the
preprocessing too. So it is converted by itself, and joined to the network afterwards.
"""

from typing import Any

import flatbuffers

from tfpipe.export.writing.graph import PREPARE


def joined(first: bytes, second: bytes) -> bytes:
    """A file that takes what `first` takes, and gives what `second` gives.

    Args:
        first: a file of one graph, with one output: the preprocessing.
        second: a file with one input, of the same shape and dtype: the network. Its signature
            and metadata are kept.
    """
    from ai_edge_litert.tools.flatbuffer_utils import read_model_from_bytearray

    head = read_model_from_bytearray(bytearray(first))
    model = read_model_from_bytearray(bytearray(second))
    (ahead,), body = head.subgraphs, model.subgraphs[0]
    (given,), (taken,) = ahead.outputs, body.inputs
    places = {place: place + len(body.tensors) for place in range(len(ahead.tensors))}
    places |= {given: taken, -1: -1}  # -1: an input that an operator can do without
    for tensor in ahead.tensors:
        tensor.buffer += len(model.buffers)
        tensor.name = f"{PREPARE}/".encode() + tensor.name
    for op in ahead.operators:
        op.opcodeIndex += len(model.operatorCodes)
        op.inputs, op.outputs = ([places[i] for i in ends] for ends in (op.inputs, op.outputs))
    body.inputs = [places[place] for place in ahead.inputs]
    for signature in model.signatureDefs:
        signature.inputs[0].tensorIndex = body.inputs[0]
    model.operatorCodes += head.operatorCodes
    model.buffers += head.buffers
    body.tensors += ahead.tensors
    body.operators = ahead.operators + body.operators
    return packed(model)


class _Builder(flatbuffers.Builder):
    """Aligns all data to 16 bytes, as TFLite's schema asks for; its Python code does not."""

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> Any:
        return super().StartVector(elemSize, numElems, max(alignment, 16))


def packed(model: Any) -> bytes:
    """The bytes of a TFLite model from its object."""
    builder = _Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())
