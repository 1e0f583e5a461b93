"""Operators that TFLite has in floats only, as others that it has in integers too.

TFLite's NEG and SQUARE have no integer form; MUL and SQUARED_DIFFERENCE have one of 8 bits. Keras'
LayerNormalization and UnitNormalization, and with them transformers, are made of the former.

Example:

    substitute("out/saved_model")
"""

import pathlib
from typing import Any

import tensorflow as tf

from tfpipe.files import Path

_ONLY_FLOATS = ("Neg", "Square")


def substitute(folder: Path) -> None:
    """Writes -x as x * -1, and the square of x as (x - 0)^2, in a SavedModel's functions.

    A product of x and x would not do: the converter makes a square of it again.
    """
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    path = pathlib.Path(folder) / "saved_model.pb"
    saved = SavedModel.FromString(path.read_bytes())
    functions = saved.meta_graphs[0].graph_def.library.function
    if sum([_replaced(function) for function in functions]):
        path.write_bytes(saved.SerializeToString())


def _replaced(function: Any) -> int:
    """Replaces the operators of one function in place, and returns how many."""
    gelu = _before_erfc(function)
    found = [
        node
        for node in function.node_def
        if node.op in _ONLY_FLOATS
        and node.attr["T"].type == tf.float32.as_datatype_enum
        and node.name not in gelu
    ]
    for node in found:
        other = function.node_def.add(name=f"{node.name}/other", op="Const")
        other.attr["dtype"].type = node.attr["T"].type
        number = -1.0 if node.op == "Neg" else 0.0
        other.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(number, tf.float32))
        node.input.insert(1, f"{other.name}:output:0")  # before those that only order
        node.op = "Mul" if node.op == "Neg" else "SquaredDifference"
    _rename_ends(function, {f"{node.name}:y:0": f"{node.name}:z:0" for node in found})
    return len(found)


def _before_erfc(function: Any) -> set[str]:
    """What goes into an Erfc, and what into that: of erfc(-x / sqrt(2)) the converter makes GELU,
    which has an integer form, and of nothing else."""
    nodes = {node.name: node for node in function.node_def}
    found = {name for name, node in nodes.items() if node.op == "Erfc"}
    for _ in range(2):
        found |= {end.split(":")[0] for name in found for end in nodes[name].input} & set(nodes)
    return found


def _rename_ends(function: Any, names: dict[str, str]) -> None:
    """What Neg and Square call y is called z by what takes their place."""
    for node in function.node_def:
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)
    for key, name in function.ret.items():
        function.ret[key] = names.get(name, name)
