"""Operators that TFLite's converter does not put into integers as they are, as others that it does.

NEG and SQUARE have no integer form; MUL and SQUARED_DIFFERENCE have one of 8 bits. Keras'
LayerNormalization and UnitNormalization, and with them transformers, are made of the former.
MINIMUM, MAXIMUM and SELECT give the range of what they make to what goes into them: where that goes
into something else as well, it is cut off there in silence. A copy of its own has its own range.

Example:

    substitute("out/saved_model")
"""

import pathlib
from collections import Counter
from collections.abc import Collection
from typing import Any

import tensorflow as tf

from tfpipe.files import Path

_ONLY_FLOATS = ("Neg", "Square")
_NARROWING = {"Minimum": 0, "Maximum": 0, "SelectV2": 1}  # and from which input on
_BEND = 2**-24  # float32's least below 1: what does not bend, or bends as another, is left out


def substitute(folder: Path) -> None:
    """Writes others for such operators in a SavedModel's functions.

    -x becomes x * -1, and the square of x (x - 0)^2: of x * x the converter makes a square again.
    A copy is a leaky ReLU that bends too little for any number to change.
    """
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    path = pathlib.Path(folder) / "saved_model.pb"
    saved = SavedModel.FromString(path.read_bytes())
    for function in saved.meta_graphs[0].graph_def.library.function:
        _replace_floats(function)
        _give_copies(function)
    path.write_bytes(saved.SerializeToString())


def _replace_floats(function: Any) -> None:
    gelu = _before_erfc(function)
    chosen = [node for node in _of_float32(function, _ONLY_FLOATS) if node.name not in gelu]
    for node in chosen:
        other = function.node_def.add(name=f"{node.name}/other", op="Const")
        other.attr["dtype"].type = node.attr["T"].type
        number = -1.0 if node.op == "Neg" else 0.0
        other.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(number, tf.float32))
        node.input.insert(1, f"{other.name}:output:0")  # before those that only order
        node.op = "Mul" if node.op == "Neg" else "SquaredDifference"
    _rename_ends(function, {f"{node.name}:y:0": f"{node.name}:z:0" for node in chosen})


def _give_copies(function: Any) -> None:
    uses = Counter(end for node in function.node_def for end in node.input)
    constants = {f"{node.name}:output:0" for node in function.node_def if node.op == "Const"}
    chosen = [
        (node, place)
        for node in _of_float32(function, _NARROWING)
        for place in range(_NARROWING[node.op], _NARROWING[node.op] + 2)
        if uses[node.input[place]] > 1 and node.input[place] not in constants
    ]
    for number, (node, place) in enumerate(chosen, start=1):
        x, name = node.input[place], f"{node.name}/copy{place}"
        copy = function.node_def.add(name=name, op="LeakyRelu", input=[x])
        copy.attr["T"].CopyFrom(node.attr["T"])
        copy.attr["alpha"].f = 1 - number * _BEND
        node.input[place] = f"{name}:activations:0"


def _of_float32(function: Any, kinds: Collection[str]) -> list[Any]:
    float32 = tf.float32.as_datatype_enum
    return [n for n in function.node_def if n.op in kinds and n.attr["T"].type == float32]


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
