"""Recurrent layers as TFLite can have them: one fused operator, a loop, or step after step.

Example:

    network = fused_twin(model) if is_fused(model, "float32") else float32_twin(model)
"""

from collections.abc import Iterator
from typing import Any

from tfpipe.backend import keras
from tfpipe.compress.clones import Config
from tfpipe.errors import RequestError
from tfpipe.export.writing.twin import float32_twin, in_float32

layers = keras.layers

MERGED = {
    "concat": layers.Concatenate,
    "sum": layers.Add,
    "mul": layers.Multiply,
    "ave": layers.Average,
}


def is_fused(model: keras.Model, mode: str) -> bool:
    """Whether all recurrent layers of a model are LSTMs that become TFLite's operator.

    It has no masks, no other activations than tanh and sigmoid, and no int16 form; and the model
    must be rebuilt in tf_keras, which only knows Keras' own layers.
    """
    fused = [lstm for leaf in _leaves(model) if _is_plain(leaf) for lstm in lstms_of(leaf)]
    plain = len(fused) == len(_recurrent(model)) > 0 and not _masks(model)
    return plain and mode != "int16x8" and _is_keras_own(model)


def unrolled_twin(model: keras.Model) -> keras.Model:
    """A float32 twin whose recurrent layers are written out, step after step.

    Integer modes need it where nothing is fused: TFLite's loops have no integer form.

    Raises:
        RequestError: there are masks, which have none either, or GRUs, of which the converter
            leaves an operator in float32: sometimes, with the same model.
    """
    if _recurrent(model) and _masks(model):
        raise RequestError(
            "Expected recurrent layers without a mask, which has no integer form in TFLite. "
            f"Received: {model.name!r} with the mask of {_masks(model)[0]!r}. Leave it out "
            "(`mask_zero=False`, no Masking layer), or use mode='float32', 'float16' or 'dynamic'."
        )

    gru = [layer.name for layer in _all(model) if isinstance(layer, layers.GRU)]
    if gru:
        raise RequestError(
            "Expected LSTMs in an integer mode: TensorFlow's converter may leave parts of a GRU "
            f"in float32. Received: {model.name!r} with {gru[0]!r}. Use LSTM, or mode='float32', "
            "'float16' or 'dynamic'."
        )

    def change(layer: keras.Layer, config: Config) -> Config:
        return _unrolled(config)

    return float32_twin(model, change) if _recurrent(model) else in_float32(model)


def onnx_twin(model: keras.Model) -> Any:
    """A float32 twin whose GRUs become ONNX's operator, where there are no masks.

    tf2onnx knows those of tf_keras, and makes loops of Keras 3's; LSTMs it knows from both.
    """
    from tfpipe.compress.legacy import rebuild

    gru = any(isinstance(layer, layers.GRU) for layer in _all(model))
    known = gru and not _masks(model) and _is_keras_own(model)
    return rebuild(model) if known else in_float32(model)


def lstms_of(leaf: Any) -> list[Any]:
    """The LSTMs that a layer is, if the operator can be all of them; the backward one last."""
    if isinstance(leaf, layers.Bidirectional):
        both = [*lstms_of(leaf.forward_layer), *lstms_of(leaf.backward_layer)]
        return both if len(both) == 2 and leaf.merge_mode in MERGED else []
    plain = (
        type(leaf) is layers.LSTM
        and leaf.cell.activation is keras.activations.tanh
        and leaf.cell.recurrent_activation is keras.activations.sigmoid
        and leaf.cell.use_bias
        and not (leaf.unroll or leaf.stateful or leaf.return_state)
    )
    return [leaf] if plain else []


def _is_plain(leaf: Any) -> bool:
    """Whether a layer is called once, with sequences and neither a state nor a mask."""
    return [len(node.input_tensors) for node in leaf._inbound_nodes] == [1]


def _recurrent(model: keras.Model) -> list[Any]:
    return [layer for layer in _all(model) if isinstance(layer, layers.RNN)]


def _masks(model: keras.Model) -> list[str]:
    """The names of the layers that make masks."""
    return [
        layer.name
        for layer in _all(model)
        if isinstance(layer, layers.Masking) or getattr(layer, "mask_zero", False)
    ]


def _is_keras_own(model: keras.Model) -> bool:
    """Whether all layers with weights come from Keras."""
    with_weights = [layer for layer in _all(model) if layer.weights]
    return all(type(layer).__module__.startswith("keras.src.") for layer in with_weights)


def _all(model: keras.Model) -> list[Any]:
    return list(model._flatten_layers(include_self=False))


def _leaves(model: keras.Model) -> Iterator[Any]:
    """The layers that the graph calls, and those that graphs in it call."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        else:
            yield layer


def _unrolled(config: Any) -> Any:
    if isinstance(config, list | tuple):
        return [_unrolled(value) for value in config]
    if not isinstance(config, dict):
        return config
    return {name: name == "unroll" or _unrolled(value) for name, value in config.items()}
