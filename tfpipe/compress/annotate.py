"""Which layers of a tf_keras model are quantised, and how: tfmot's rules, and a few more.

tfmot has no rule for some layers whose int8 form in TFLite is plain: those that only move or
choose numbers need none, and of those that compute new ones the output is rounded.
"""

from typing import Any

import numpy as np

from tfpipe.compress import legacy
from tfpipe.compress.tfmot import load_quantize_configs, load_quantize_registry, load_tfmot
from tfpipe.errors import RequestError

_MOVES = frozenset({"MaxPooling1D", "RepeatVector"})
_ROUNDED = frozenset({"Maximum", "Minimum", "Multiply", "Rescaling", "Subtract"})
# Those of a layer, and those of an Activation layer, that tfmot knows; swish is Keras 3's silu.
_INSIDE = frozenset({"gelu", "linear", "relu", "sigmoid", "softmax", "swish", "tanh"})
_OUTSIDE = _INSIDE | {"relu6"}
_FOLDED_INTO = frozenset({"Conv2D", "Dense", "DepthwiseConv2D"})
_DIVIDED = frozenset({"SeparableConv1D", "SeparableConv2D"})  # into two layers, by tfmot


def annotated(model: Any) -> Any:
    """The model with what tfmot's `quantize_apply` wants to know.

    Args:
        model: a tf_keras model of single layers.

    Raises:
        RequestError: there are layers that cannot be quantised, or are called twice.
    """
    refused = [
        f"{layer.name!r} ({getattr(layer, 'stands_for', type(layer).__name__)}{reason})"
        for layer in model.layers
        if (reason := _reason(layer)) is not None
    ]
    if refused:
        raise RequestError(
            "Expected layers that quantisation-aware training knows. Received: "
            f"{', '.join(refused)}. Convert the model with `mode='int8'` and a calibration, or "
            "with another mode; or replace the layers."
        )
    return legacy.changed(model, _annotate)


def _annotate(layer: Any) -> Any:
    quantization = load_tfmot().quantization.keras
    configs = load_quantize_configs()
    kind = type(layer).__name__
    if kind in _MOVES:
        return quantization.quantize_annotate_layer(layer, configs.NoOpQuantizeConfig())
    if kind in _ROUNDED:
        return quantization.quantize_annotate_layer(
            layer, configs.Default8BitOutputQuantizeConfig()
        )
    return quantization.quantize_annotate_layer(layer)


def _reason(layer: Any) -> str | None:
    """None for a layer that can be quantised; else what to say behind its class."""
    kind = type(layer).__name__
    if kind == "InputLayer":
        return None
    if len(layer.inbound_nodes) > 1:
        return ", called more than once"
    if kind == "BatchNormalization":
        return None if _is_folded(layer) else ", not directly behind a convolution or a Dense"
    if kind == "Rescaling" and np.any(layer.offset) and np.any(np.not_equal(layer.scale, 1)):
        return " with both a scale and an offset"  # what is between the two has no range
    if kind in _MOVES | _ROUNDED | _DIVIDED:
        return None
    if not load_quantize_registry().supports(layer):
        return ""
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    known = activation in (_OUTSIDE if kind == "Activation" else _INSIDE)
    return None if known else f", activation {activation}"


def _is_folded(layer: Any) -> bool:
    """Whether a batch normalisation becomes part of the layer before it."""
    (node,) = layer.inbound_nodes
    before = node.inbound_layers
    return (
        type(before).__name__ in _FOLDED_INTO
        and len(before.outbound_nodes) == 1
        and before.activation.__name__ == "linear"
    )
