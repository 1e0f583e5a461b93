"""ONNX files, as ONNX Runtime takes them.

Example:

    to_onnx(model, "out/model.onnx", prepare=prepare)
    session = onnxruntime.InferenceSession("out/model.onnx")
    (scores,) = session.run(["scores"], {"images": images})
"""

import contextlib
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.export.writing.graph import (
    Size,
    input_spec,
    ops_inside,
    require_ending,
    require_numbers,
    scoring,
)
from tfpipe.export.writing.metadata import about, put
from tfpipe.export.writing.onnx_handlers import HANDLERS
from tfpipe.export.writing.recurrent import onnx_twin
from tfpipe.files import Path, staged
from tfpipe.ops import Chain

OPSET = 18  # the latest that tf2onnx 1.17 writes; ONNX Runtime has it since 1.14 (2023)


def to_onnx(
    model: keras.Model,
    path: Path,
    *,
    prepare: Chain | None = None,
    input_size: Size | None = None,
) -> pathlib.Path:
    """Writes the model as an ONNX file of opset 18, with its preprocessing inside.

    The file takes `images`, uint8 pixels (B, H, W, C), and gives `scores`, float32
    (B, num_classes). Decoding is not inside, and resizing only with `input_size`. Other models
    take what they took: `sequences` (B, T, F), `features` (B, F), `tokens` (B, T) in int32. LSTMs
    and GRUs become ONNX's own operators.

    Args:
        model: a Keras model with one input of a fixed size and one output, in any precision.
        path: the file to write; it ends in ".onnx".
        prepare, input_size: as `to_tflite` takes them.

    Returns:
        The path.

    Raises:
        RequestError: another ending; a model with several inputs or outputs, of an open size, of
            another size than the chain gives, or with an operator that ONNX does not have.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> from tfpipe import export, ops
    >>> x = keras.Input((8, 8, 1))
    >>> model = keras.Model(x, keras.layers.GlobalAveragePooling2D()(x))
    >>> prepare = ops.Chain([ops.Decode(1), ops.Resize((8, 8)), ops.ToFloat()])
    >>> path = to_onnx(model, pathlib.Path(tempfile.mkdtemp()) / "a.onnx", prepare=prepare)
    >>> export.load(path).predict(np.full((1, 8, 8, 1), 255, np.uint8))
    array([[1.]], dtype=float32)
    """
    import onnx
    import tf2onnx

    require_ending(path, ".onnx")
    spec, ops = input_spec(model, prepare, input_size), ops_inside(prepare, input_size)
    require_numbers(model, "ONNX")
    scores = tf.function(scoring(onnx_twin(model), ops, "onnx"))
    with _inlined():
        made, _ = tf2onnx.convert.from_function(
            scores, input_signature=[spec], opset=OPSET, custom_op_handlers=HANDLERS
        )
    _require_operators(model.name, made)
    _keep_constants(made.graph, scores.get_concrete_function(spec).graph.captures)
    _describe_ends(made.graph, spec.shape, model.outputs[0].shape)
    onnx.checker.check_model(made, full_check=True)
    with staged(path) as aside:
        aside.write_bytes(made.SerializeToString())
        put(aside, about("float32", "tf2onnx", prepare))
    return pathlib.Path(path)


@contextlib.contextmanager
def _inlined() -> Iterator[None]:
    """Has a function that is called while another is traced become a part of that.

    Keras puts a convolution with groups into a function of its own, for XLA, which tf2onnx takes
    for an operator.
    """
    was = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(was)


def _require_operators(name: str, made: Any) -> None:
    """tf2onnx leaves an operator of TensorFlow's that it does not know in the graph as it is."""
    import onnx

    unknown = sorted(
        {node.op_type for node in made.graph.node if not onnx.defs.has(node.op_type, OPSET)}
    )
    if unknown:
        raise RequestError(
            f"Expected a model whose operators ONNX has. Received: {name!r} with "
            f"{', '.join(unknown)}. Replace the layer."
        )


def _keep_constants(graph: Any, captures: Sequence[tuple[Any, Any]]) -> None:
    """Puts the tensors that layers hold, a Normalization's mean say, into the file.

    tf2onnx would have whoever runs the file give them.
    """
    import onnx

    read = {name for node in graph.node for name in node.input}
    held = {inner.name: outer for outer, inner in captures if inner.name in read}
    for end in [end for end in graph.input if end.name in held]:
        graph.input.remove(end)
        graph.initializer.append(onnx.numpy_helper.from_array(held[end.name].numpy(), end.name))


def _describe_ends(graph: Any, takes: Sequence[Any], gives: Sequence[Any]) -> None:
    """Says which shapes go in and out, and drops inputs that tf2onnx's folding left behind."""
    import onnx

    read = {name for node in graph.node for name in node.input}
    for end in [end for end in graph.input if end.name not in read]:
        graph.input.remove(end)
    for (end,), shape in ((graph.input, takes), (graph.output, gives)):
        kind = end.type.tensor_type.elem_type
        end.type.CopyFrom(onnx.helper.make_tensor_type_proto(kind, ["batch", *shape[1:]]))
