"""Layers of Keras 3 as layers of tf_keras.

Example:

    layer = twin(keras.layers.Dense(4, name="dense"))
"""

from typing import Any

import numpy as np

from tfpipe.backend import keras

# The activations that are the same function under the same name. Of the others, tf_keras lacks
# some, and its hard_sigmoid is another one: Keras 3's own functions are taken, which run in it.
_SAME_ACTIVATIONS = frozenset(
    [
        "elu",
        "exponential",
        "gelu",
        "linear",
        "mish",
        "relu",
        "selu",
        "sigmoid",
        "silu",
        "softmax",
        "softplus",
        "softsign",
        "tanh",
    ]
)
_RENAMED = {"LeakyReLU": {"negative_slope": "alpha"}}
# Arguments that Keras 2 lacks, by layer, with the values at which a layer is what it was there.
_NEW: dict[str, dict[str, Any]] = {
    "every layer": {"quantization_config": None},
    "LayerNormalization": {"rms_scaling": False},
    "MultiHeadAttention": {"use_gate": False, "sliding_window": None},
    "ZeroPadding1D": {"data_format": "channels_last"},
}


def twin(operation: Any) -> Any:
    """The tf_keras layer for a Keras 3 layer, not built; None for what is taken over as it is.

    Raises:
        TypeError, ValueError: tf_keras has no such layer, or none with such arguments.

    >>> twin(keras.layers.LeakyReLU(negative_slope=0.5, name="leaky")).alpha
    array(0.5, dtype=float32)
    """
    import tf_keras

    if isinstance(operation, keras.layers.Normalization):
        return tf_keras.layers.Normalization.from_config(_normalization(operation))
    if _is_shared(operation):
        layer = getattr(tf_keras.layers, type(operation).__name__)
        config = _translated(operation.get_config(), type(operation).__name__)
        if isinstance(operation, keras.layers.MultiHeadAttention):
            return layer(**config)  # from_config wants the shapes that it was built with
        return layer.from_config(config)
    if getattr(operation, "weights", None):
        raise TypeError(f"{operation.name} has weights, and tf_keras no such layer")
    return None


def copy_weights(operation: Any, layer: Any) -> None:
    """Gives a tf_keras layer the weights of its Keras 3 layer, and freezes it if that is frozen."""
    if layer.weights:
        layer.set_weights(operation.get_weights())
    if not operation.trainable:
        layer.trainable = False


def _is_shared(operation: Any) -> bool:
    """Whether it is a layer of Keras that Keras 2 has with the same meaning."""
    import tf_keras

    module, name = type(operation).__module__, type(operation).__name__
    changed = name in ("Lambda", "SpectralNormalization") or (
        ".preprocessing." in module and name != "Rescaling"
    )
    return module.startswith("keras.src.layers.") and hasattr(tf_keras.layers, name) and not changed


def _translated(value: Any, name: str = "", key: str = "") -> Any:
    """The configuration of a layer (by its class' name) in the words of Keras 2, for float32."""
    if key.endswith("activation"):
        return _activation(value)
    if isinstance(value, list | tuple):
        return type(value)(_translated(part) for part in value)
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "DTypePolicy":
        return "float32"
    if "class_name" in value:  # a layer in a layer
        return {**value, "config": _translated(value["config"], value["class_name"])}
    config = {
        _RENAMED.get(name, {}).get(key, key): _translated(part, key=key)
        for key, part in value.items()
        # Weights are copied, so how they began does not matter; draws are others in any case.
        if key not in ("trainable", "seed") and not key.endswith("_initializer")
    }
    new = _NEW.get(name, {}) | _NEW["every layer"]
    return {key: part for key, part in config.items() if key not in new or part != new[key]}


def _activation(value: Any) -> Any:
    """Its name if Keras 2 knows the same function by it, else the function."""
    function = keras.activations.get(value)
    name = getattr(function, "__name__", "")
    same = name in _SAME_ACTIVATIONS and function is keras.activations.get(name)
    return name if same else function


def _normalization(layer: keras.layers.Normalization) -> dict[str, Any]:
    """The configuration, with what `adapt` has found as if it had been given."""
    config = _translated(layer.get_config())
    if config["mean"] is None:
        # These are what it computes with; its weights, in another shape, are not.
        shape = layer.adapt_mean.shape
        config |= {
            "mean": np.reshape(layer.mean, shape),
            "variance": np.reshape(layer.variance, shape),
        }
    return config
