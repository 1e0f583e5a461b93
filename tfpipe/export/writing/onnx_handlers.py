"""Operators of TensorFlow's that tf2onnx does not know, of those that ONNX has.

Example:

    tf2onnx.convert.from_function(function, custom_op_handlers=HANDLERS)
"""

from typing import Any

import numpy as np


def _from_one(ctx: Any, node: Any, name: str, args: Any) -> None:
    """Erfc, of which Keras' gelu is made: 1 - erf(x)."""
    node.type = "Erf"
    one = ctx.make_const(f"{name}/one", np.ones((), _dtype(ctx, node)))
    difference = ctx.insert_new_node_on_output("Sub", node.output[0], name=f"{name}/difference")
    ctx.replace_inputs(difference, [one.output[0], node.output[0]])


def _minus_one(ctx: Any, node: Any, name: str, args: Any) -> None:
    """Expm1, of which Keras' celu is made: exp(x) - 1."""
    node.type = "Exp"
    one = ctx.make_const(f"{name}/one", np.ones((), _dtype(ctx, node)))
    difference = ctx.insert_new_node_on_output("Sub", node.output[0], name=f"{name}/difference")
    ctx.replace_inputs(difference, [node.output[0], one.output[0]])


def _dtype(ctx: Any, node: Any) -> Any:
    from tf2onnx.utils import map_onnx_to_numpy_type

    return map_onnx_to_numpy_type(ctx.get_dtype(node.output[0]))


HANDLERS: dict[str, Any] = {"Erfc": (_from_one, []), "Expm1": (_minus_one, [])}
