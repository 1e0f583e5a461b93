"""Writes a Keras model as a `.tflite` file, with its preprocessing inside.

Example:

    to_tflite(model, "out/int8.tflite", mode="int8", prepare=prepare, calibration=pixels)
"""

import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError, one_of, received
from tfpipe.export.writing.calibration import MIN_EXAMPLES, calibration_examples
from tfpipe.export.writing.conversion import converted
from tfpipe.export.writing.fused import fused_twin, unclipped
from tfpipe.export.writing.graph import (
    Size,
    input_name,
    input_spec,
    lowered,
    ops_inside,
    require_ending,
    require_graph,
    require_numbers,
    scoring,
)
from tfpipe.export.writing.greys import with_pixels
from tfpipe.export.writing.integers import require_integers
from tfpipe.export.writing.joining import joined
from tfpipe.export.writing.metadata import about, put
from tfpipe.export.writing.modes import CALIBRATED, MODES
from tfpipe.export.writing.recurrent import is_fused, unrolled_twin
from tfpipe.export.writing.reversals import with_scales_kept
from tfpipe.export.writing.softplus import without_overflow
from tfpipe.export.writing.states import with_one_scale
from tfpipe.export.writing.trained import divided, is_trained, stand_in, trained_scoring
from tfpipe.export.writing.twin import in_float32
from tfpipe.files import Path, staged
from tfpipe.ops import Chain, Op

SCORES = ("float32", "int8", "uint8")

Head = Callable[[tf.Tensor], tf.Tensor]


def to_tflite(
    model: keras.Model,
    path: Path,
    *,
    mode: str = "float32",
    prepare: Chain | None = None,
    calibration: tf.data.Dataset | None = None,
    input_size: Size | None = None,
    scores_dtype: str = "float32",
    least_examples: int = MIN_EXAMPLES,
) -> pathlib.Path:
    """Writes the model as a TFLite file of builtin operators, for one example at a time.

    The file gives `scores`, (1, num_classes), and takes `images`, uint8 pixels (1, H, W, C). What
    `prepare` does to pixels is inside, exactly, whatever the mode; decoding is not, and resizing
    only with `input_size`. Other models take what they took: `sequences` (1, T, F), `features`
    (1, F), `tokens` (1, T) in int32.

    Args:
        model: a Keras model with one input of a fixed size and one output, in any precision; or,
            for int8, what `compress.quantize_aware` has made of it.
        path: the file to write; it ends in ".tflite".
        mode: "float32"; "float16" (weights in half the bytes); "dynamic" (int8 weights, float32
            activations); "int8" (integer weights, activations and arithmetic); "int16x8" (int8
            weights, int16 activations: slower than int8, nearly as exact as float32).
        prepare: the chain that the model was trained with. Without one the file takes what the
            model takes, float32.
        calibration: for int8 and int16x8, batches of what the file takes, from the training data
            (`records.read(manifest, "train", prepare.outside(), batch_size=...)`). The ranges of
            the activations come from its first 500 examples. A model from
            `compress.quantize_aware` has them already.
        input_size: (height, width) of the `images`, if not the size after the chain's last
            resizing: that of the camera, say. Then resizing is inside.
        scores_dtype: of an int8 file: "float32", or "int8" or "uint8" with a scale and a zero
            point, for processors that have integers only.
        least_examples: distinct ones that `calibration` must hold. Fewer than 100 are too few to
            believe the ranges of; give what there is if there are no more.

    Returns:
        The path.

    Raises:
        RequestError: no such mode; a path of another ending; a model with several inputs or
            outputs, of an open size, or of another size than the chain gives; an operator that
            TFLite does not have or, for int8 and int16x8, has in floats only; a calibration that
            is missing, too small, or of other examples than the file takes; or TensorFlow's
            converter crashes.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> from tfpipe import export, ops
    >>> x = keras.Input((8, 8, 1))
    >>> model = keras.Model(x, keras.layers.GlobalAveragePooling2D()(x))
    >>> prepare = ops.Chain([ops.Decode(1), ops.Resize((8, 8)), ops.ToFloat()])
    >>> path = to_tflite(model, pathlib.Path(tempfile.mkdtemp()) / "a.tflite", prepare=prepare)
    >>> export.load(path).predict(np.full((1, 8, 8, 1), 255, np.uint8))
    array([[1.]], dtype=float32)
    """
    require_ending(path, ".tflite")
    trained = model if is_trained(model) else None
    if trained is not None:
        model = stand_in(trained, mode)
    _check(mode, scores_dtype, model)
    spec, ops = input_spec(model, prepare, input_size), ops_inside(prepare, input_size)
    takes = tf.TensorSpec((1, *spec.shape[1:]), spec.dtype, spec.name)
    ahead, inside = _divided(ops, mode) if trained is None else divided(ops)
    examples = None
    if mode in CALIBRATED and trained is None:
        examples = calibration_examples(calibration, takes, ahead, mode=mode, least=least_examples)
    head = _head(ahead, takes, mode)
    network = converted(
        scoring(_twin(model, mode, inside, examples), inside, "tflite")
        if trained is None
        else trained_scoring(trained, pixels=bool(inside)),
        _given(head, takes) if head else takes,
        model,
        mode=mode,
        examples=examples,
        scores_dtype=scores_dtype,
    )
    if mode in CALIBRATED:
        require_integers(model, network, mode)
    network = with_one_scale(with_scales_kept(unclipped(network)))
    if mode == "int8" and trained is None and takes.dtype == tf.uint8:
        network = with_pixels(network)
    if head:
        network = joined(converted(head, takes, model), network)
    with staged(path) as aside:
        aside.write_bytes(network)
        put(aside, about(mode, "tensorflow", prepare))
    return pathlib.Path(path)


def _check(mode: str, scores_dtype: str, model: keras.Model) -> None:
    if mode not in MODES:
        raise RequestError(one_of("mode", mode, MODES))
    if scores_dtype not in SCORES:
        raise RequestError(one_of("scores_dtype", scores_dtype, SCORES))
    if scores_dtype != "float32" and mode != "int8":
        expected = "`scores_dtype` to be 'float32', as in every mode but int8"
        raise RequestError(received(expected, scores_dtype=scores_dtype, mode=mode))
    require_graph(model)
    require_numbers(model, "TFLite")
    takes = model.inputs[0]
    if mode == "int16x8" and input_name(takes.shape, takes.dtype) == "tokens":
        raise RequestError(
            "Expected another mode than 'int16x8' for a model that takes tokens: TensorFlow's "
            f"converter has none. Received: {model.name!r}. Use 'int8', 'dynamic' or 'float16'."
        )
    if mode != "float32" and len(takes.shape) == 4 and takes.dtype != "float32":
        raise RequestError(
            f"Expected the preprocessing of a file with mode={mode!r} as `prepare`, and a model "
            f"that takes float32. Received: {model.name!r}, which takes {takes.dtype}."
        )


def _twin(model: keras.Model, mode: str, inside: Sequence[Op], examples: np.ndarray | None) -> Any:
    """The same model as the converter takes it: in float32, its LSTMs fused or written out."""
    if is_fused(model, mode):
        given = None if examples is None else lowered(inside, examples, "saved_model")
        return fused_twin(model, given)
    return unrolled_twin(model) if mode in CALIBRATED else without_overflow(in_float32(model))


def _divided(ops: Sequence[Op], mode: str) -> tuple[Sequence[Op], Sequence[Op]]:
    """The ops that are converted by themselves, in float32, and those that go into the network.

    What makes pixels of pixels is never in the network. What makes floats of them is, in float32
    and int8, where it goes into the first kernel; the other modes would round it.
    """
    first = sum(op.gives == "uint8" for op in ops) if mode in ("float32", "int8") else len(ops)
    return ops[:first], ops[first:]


def _head(ops: Sequence[Op], takes: tf.TensorSpec, mode: str) -> Head | None:
    """The function before the network; None if the network takes what the file takes."""
    if mode in ("float32", "int8") or takes.dtype != tf.uint8:
        return (lambda pixels: lowered(ops, pixels, "tflite")) if ops else None
    return lambda pixels: tf.cast(lowered(ops, pixels, "tflite"), tf.float32)


def _given(head: Head, takes: tf.TensorSpec) -> tf.TensorSpec:
    """What the network takes: what the ops before it give."""
    gives = tf.function(head).get_concrete_function(takes)
    return tf.TensorSpec(gives.output_shapes, gives.output_dtypes, takes.name)
