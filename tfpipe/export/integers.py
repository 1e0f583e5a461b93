"""Whether an int8 file computes in integers throughout: converters fall back in silence."""

from tfpipe.errors import RequestError

_BETWEEN = ("QUANTIZE", "DEQUANTIZE")  # from float32 to int8, and back


def require_integers(name: str, data: bytes) -> None:
    """Refuses a TFLite file in which an operator computes in float32.

    Args:
        name: the model's, for the error.
        data: the file.

    Raises:
        RequestError: there are such operators; they are named.
    """
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools.flatbuffer_utils import opcode_to_name, read_model_from_bytearray

    model = read_model_from_bytearray(bytearray(data))
    found = {
        opcode_to_name(model, op.opcodeIndex)
        for graph in model.subgraphs
        for op in graph.operators
        for place in (*op.inputs, *op.outputs)
        if place >= 0 and graph.tensors[place].type == schema.TensorType.FLOAT32
    }
    floats = sorted(found.difference(_BETWEEN))
    if floats:
        raise RequestError(
            "Expected a model whose operators have an int8 form in TFLite. "
            f"Received: {name!r} with {', '.join(floats)}, which would compute in float32. "
            "Replace the layer, or use mode='float32'."
        )
