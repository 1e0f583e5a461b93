"""LSTMs as one fused operator of TFLite, which begins every sequence anew.

The LSTM of tf_keras becomes UNIDIRECTIONAL_SEQUENCE_LSTM, one operator for all steps. That operator
goes on where it stopped: its state is kept from one run of the file to the next, and few runtimes
reset it. So every sequence is given two more steps in front, on which the input gate and the forget
gate are closed: what was in the state is gone, and the file answers the same whatever it was asked
before.

The gates close by n more input features, which are 0 but for those steps, where they are v. Their
weights are -w, with w the largest weight of these gates, which costs the others no precision: with
the recurrent weights R and the bias b, what a gate is given is at most b + sum|R| - n v w.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tfpipe.backend import keras
from tfpipe.export.writing.joining import packed
from tfpipe.export.writing.recurrent import MERGED, lstms_of
from tfpipe.export.writing.twin import float32_twin

# What closed gates are given: sigmoid(-20) is 2e-9, nought beside 1 in float32; much less would
# make denormal numbers, with which processors are slow. In int8 it ends at -8 (Q3.12): 3e-4.
_CLOSED, _CLOSED_INT8 = -20.0, -8.0
_STEPS = 2  # after the second, int8's 3e-4 is below a bit of the state, too
_FEWEST_WEIGHT = 1e-3  # of layers that are all zeros


def fused_twin(model: keras.Model, inputs: np.ndarray | None = None) -> Any:
    """A tf_keras model for one sequence at a time, whose LSTMs begin by closing their gates.

    Args:
        model: one that `is_fused`.
        inputs: for int8, examples of what the model takes: their ranges are kept.
    """
    from tfpipe.compress.legacy import rebuild

    twin = float32_twin(model)
    symbol = keras.Input(batch_shape=twin.inputs[0].shape, dtype=twin.inputs[0].dtype)
    largest = {} if inputs is None else _largest_inputs(twin, symbol, inputs)

    def closing(lstm: Any, sequences: Any) -> Any:
        return _run(lstm, sequences, *_closing(lstm, largest.get(lstm)))

    return rebuild(
        keras.Model(symbol, _called(twin, symbol, closing), name=twin.name), batch_size=1
    )


def unclipped(data: bytes) -> bytes:
    """A TFLite file whose LSTMs let their state grow: the converter clips it at 10, Keras never."""
    from ai_edge_litert.tools.flatbuffer_utils import read_model_from_bytearray

    model = read_model_from_bytearray(bytearray(data))
    operators = (op for graph in model.subgraphs for op in graph.operators)
    name = "UnidirectionalSequenceLSTMOptionsT"
    found = [op for op in operators if type(op.builtinOptions).__name__ == name]
    for op in found:
        op.builtinOptions.cellClip = 0.0
    return packed(model) if found else data


def _closing(lstm: Any, largest: float | None) -> tuple[int, float]:
    """How many features close the gates of an LSTM, and their value on the first steps.

    Args:
        lstm: a layer with weights.
        largest: for int8, the largest input that it gets: a larger one would cost precision.
    """
    _, recurrent, bias = lstm.get_weights()
    weight = _weight(lstm)
    # A hidden state is at most 1. The gates' columns come first, the candidate's and output's last.
    most = float((bias + np.abs(recurrent).sum(0))[: 2 * lstm.units].max())
    if largest is None:
        return 1, (most - _CLOSED) / weight
    return int(np.ceil((most - _CLOSED_INT8) / (weight * largest))), largest


def _weight(lstm: Any) -> float:
    kernel = lstm.get_weights()[0][:, : 2 * lstm.units]
    return max(float(np.abs(kernel).max()), _FEWEST_WEIGHT)


def _run(lstm: Any, sequences: Any, features: int, value: float) -> Any:
    """The layer's outputs for sequences with the steps that close its gates."""
    step = np.zeros((1, _STEPS, sequences.shape[-1] + features), np.float32)
    step[..., sequences.shape[-1] :] = value
    wide = keras.ops.pad(sequences, [[0, 0], [0, 0], [0, features]])
    parts = [wide, step] if lstm.go_backwards else [step, wide]
    twin = keras.layers.LSTM.from_config({**lstm.get_config(), "recurrent_dropout": 0.0})
    outputs = twin(keras.ops.concatenate(parts, axis=1))
    twin.set_weights(_widened(lstm, features))
    return outputs[:, _STEPS:] if lstm.return_sequences else outputs


def _widened(lstm: Any, features: int) -> list[np.ndarray]:
    kernel, recurrent, bias = lstm.get_weights()
    rows = np.zeros((features, kernel.shape[1]), np.float32)
    rows[:, : 2 * lstm.units] = -_weight(lstm)
    return [np.concatenate([kernel, rows]), recurrent, bias]


def _largest_inputs(model: keras.Model, symbol: Any, inputs: np.ndarray) -> dict[Any, float]:
    """The largest absolute input that each LSTM gets."""
    taps: dict[Any, Any] = {}

    def tapped(lstm: Any, sequences: Any) -> Any:
        taps[lstm] = sequences
        return lstm(sequences)

    _called(model, symbol, tapped)
    seen = keras.Model(symbol, list(taps.values())).predict(inputs, verbose=0)
    return {
        lstm: float(np.abs(tensor).max())
        for lstm, tensor in zip(taps, keras.tree.flatten(seen), strict=True)
    }


def _called(model: keras.Model, inputs: Any, run: Callable[[Any, Any], Any]) -> Any:
    """Calls a model, and the models in it, layer by layer; its LSTMs by `run(lstm, sequences)`."""

    def caller(operation: Any) -> Callable[..., Any]:
        if isinstance(operation, keras.Model):
            return lambda inputs, **_: _called(operation, inputs, run)
        if isinstance(operation, keras.layers.Bidirectional):
            return lambda sequences, **_: _both(operation, sequences, run)
        if lstms_of(operation):
            return lambda sequences, **_: run(operation, sequences)
        return operation

    graph = model
    if isinstance(model, keras.Sequential):
        graph = keras.Model(model.inputs, model.outputs)
    return graph._run_through_graph(inputs, operation_fn=caller)


def _both(bidirectional: Any, sequences: Any, run: Callable[[Any, Any], Any]) -> Any:
    forward, backward = (run(lstm, sequences) for lstm in lstms_of(bidirectional))
    if bidirectional.return_sequences:
        backward = keras.ops.flip(backward, axis=1)
    return MERGED[bidirectional.merge_mode]()([forward, backward])
