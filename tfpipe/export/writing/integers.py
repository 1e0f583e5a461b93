"""Whether a file computes in integers throughout: converters fall back in silence."""

from collections.abc import Iterator, Sequence
from typing import Any

from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.export.writing.places import layers_of

_NO_SCALE = 1e30  # what attention leaves out gets float32's least number: -3.4e38 in 255 steps
_NO_16_BITS = ("SQUARED_DIFFERENCE",)  # converted, and then LiteRT cannot run it
_BETWEEN = ("QUANTIZE", "DEQUANTIZE")  # from float32 to integers, and back


def require_integers(model: keras.Model, data: bytes, mode: str) -> None:
    """Refuses a TFLite file in which an operator computes in float32.

    Args:
        model: whose file it is, for the error.
        data: the file.
        mode: "int8" or "int16x8".

    Raises:
        RequestError: there are such operators; they are named, with their layers. LiteRT's
            int16x8 lacks some that the converter makes.
    """
    found = [
        (name, names)
        for name, names, floats, _ in _operators(data)
        if (floats and name not in _BETWEEN) or (mode == "int16x8" and name in _NO_16_BITS)
    ]
    if found:
        raise RequestError(no_integers(model, mode, found))
    masked = [names for _, names, _, scale in _operators(data) if scale > _NO_SCALE]
    if masked:
        raise RequestError(_masked(model, mode, masked))


def operators(data: bytes) -> list[tuple[str, Sequence[str]]]:
    """Each operator of a TFLite file, with the names of what it makes."""
    return [(name, names) for name, names, *_ in _operators(data)]


def no_integers(model: keras.Model, mode: str, found: Sequence[tuple[str, Sequence[str]]]) -> str:
    """The sentence for operators, with the names of what they make, that have no integer form."""
    kinds = ", ".join(sorted({name for name, _ in found}))
    layers = layers_of(model, [place for _, places in found for place in places])
    where = f"{', '.join(map(repr, layers))} in {model.name!r}" if layers else repr(model.name)
    return (
        f"Expected a model whose operators have an {mode} form in TFLite. "
        f"Received: {where} with {kinds}, which would compute in float32. "
        "Replace the layer, or use mode='float32'."
    )


def _masked(model: keras.Model, mode: str, found: Sequence[Sequence[str]]) -> str:
    """The sentence for what is too large for integers: all else would be 0 beside it."""
    layers = layers_of(model, [name for names in found for name in names])
    where = f"{', '.join(map(repr, layers))} in {model.name!r}" if layers else repr(model.name)
    return (
        f"Expected activations that {mode} has a scale for. Received: {where} with numbers near "
        "the largest that float32 has, as masks of attention are. Leave the mask out, or use "
        "mode='float32', 'float16' or 'dynamic'."
    )


def _operators(data: bytes) -> Iterator[tuple[str, Sequence[str], bool, float]]:
    """Each operator's name, the names of what it makes, whether float32 goes in or out, the scale.

    The scale is the largest of what it makes; 0 where there is none.
    """
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools.flatbuffer_utils import opcode_to_name, read_model_from_bytearray

    def is_float(tensor: Any) -> bool:
        return bool(tensor.type == schema.TensorType.FLOAT32)

    def scale_of(tensor: Any) -> float:
        scales = getattr(tensor.quantization, "scale", None)
        return 0.0 if scales is None else float(max(scales, default=0.0))

    model = read_model_from_bytearray(bytearray(data))
    for graph in model.subgraphs:
        for op in graph.operators:
            ends = [graph.tensors[i] for i in (*op.inputs, *op.outputs) if i >= 0]
            made = [graph.tensors[i].name.decode() for i in op.outputs]
            names = [name for joint in made for name in joint.split(";")]
            floats = any(map(is_float, ends))
            scale = max((scale_of(graph.tensors[i]) for i in op.outputs), default=0.0)
            yield opcode_to_name(model, op.opcodeIndex), names, floats, scale
