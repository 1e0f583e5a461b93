"""The bridge to Keras 2: a Keras 3 model rebuilt in tf_keras, with the same weights.

    legacy = rebuild(model, batch_size=1)

tfmot quantises tf_keras models only, and the LSTM of tf_keras is the one that TensorFlow's
converter turns into TFLite's fused kernel. No other module knows tf_keras.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from keras.src.models import Functional

from tfpipe.backend import keras
from tfpipe.errors import RequestError, received

# The activations that are the same function under the same name. Of the others, tf_keras lacks
# some, and its hard_sigmoid is another one: Keras 3's own functions are taken, which run in it.
_SAME_ACTIVATIONS = frozenset(
    "elu exponential gelu linear mish relu selu sigmoid silu softmax softplus softsign tanh".split()
)
_RENAMED = {"LeakyReLU": {"negative_slope": "alpha"}}
# Arguments that Keras 2 lacks, by layer, with the values at which a layer is what it was there.
_NEW: dict[str, dict[str, Any]] = {
    "every layer": {"quantization_config": None},
    "LayerNormalization": {"rms_scaling": False},
    "MultiHeadAttention": {"use_gate": False, "sliding_window": None},
    "ZeroPadding1D": {"data_format": "channels_last"},
}


def rebuild(model: keras.Model, *, batch_size: int | None = None) -> Any:
    """Rebuilds a functional or Sequential Keras 3 model in tf_keras.

    Layers become the layers of the same name, in float32, with the same weights, names and
    `trainable`; models in it, layers that are used twice, several inputs and outputs stay what
    they are. What has no weights and no like in Keras 2 (`keras.ops`, Lambda, resizing, layers
    of your own) is taken over as it is: a Lambda layer of tf_keras calls it.

    The LSTM and Bidirectional(LSTM) in a model that was rebuilt with a `batch_size` become
    UNIDIRECTIONAL_SEQUENCE_LSTM, one operator each direction, in a TFLite file, where
    - the length of the sequence is fixed, in the model's input;
    - `activation` is tanh, `recurrent_activation` sigmoid, there is a bias, and neither
      `recurrent_dropout` nor `unroll`;
    - no mask comes in (`mask_zero`, Masking).

    Args:
        model: a built model; it stays as it is.
        batch_size: how many examples the result takes at once; any number if None.

    Returns:
        A `tf_keras.Model`, not compiled, that computes what the model does: the difference is
        below 1e-6 in probabilities.

    Raises:
        RequestError: the model is a subclassed one or not built, or layers with weights have no
            like in Keras 2; all of them are named.

    Example:

    >>> from tfpipe.models import lenet5
    >>> legacy = rebuild(lenet5())
    >>> legacy.count_params(), legacy.get_layer("conv1").kernel.shape
    (61706, TensorShape([5, 5, 1, 6]))
    """
    graph = _graph(model)
    twins, refused = {}, []
    for operation in _leaves(graph):
        try:
            twins[operation] = _twin(operation)
        except (TypeError, ValueError):  # a class or a configuration that Keras 2 does not have
            refused.append(f"{operation.name!r} ({type(operation).__name__})")
    if refused:
        raise RequestError(
            f"Expected layers that Keras 2 has too: the model {model.name!r} is rebuilt in it. "
            f"Received: {', '.join(refused)}. Replace them with layers and arguments that "
            "`tf_keras.layers` has."
        )
    rebuilt = _connected(graph, twins, batch_size)
    for operation, twin in twins.items():
        _copy_weights(operation, twin)
    return rebuilt


def _graph(model: keras.Model) -> Functional:
    """The model as a graph of layers, which only functional and built Sequential ones have."""
    if isinstance(model, keras.Sequential) and model.built:
        return keras.Model(model.inputs, model.outputs, name=model.name)
    if isinstance(model, Functional) and type(model).call is Functional.call:
        return model
    expected = "a functional model, or a Sequential one that is built"
    raise RequestError(received(expected, model=model.name, type=type(model).__name__))


def _leaves(graph: Functional) -> Iterator[Any]:
    """The layers and other operations of a model, and of the models in it."""
    for operation in graph.operations:
        if isinstance(operation, keras.Model):
            yield from _leaves(_graph(operation))
        elif not isinstance(operation, keras.layers.InputLayer):
            yield operation


def _connected(graph: Functional, twins: dict[Any, Any], batch_size: int | None = None) -> Any:
    """A model that calls the twins as the graph calls its operations."""
    import tf_keras

    models = {
        operation: _connected(_graph(operation), twins)
        for operation in graph.operations
        if isinstance(operation, keras.Model)
    }
    symbols = [
        tf_keras.Input(
            batch_shape=(batch_size or x.shape[0], *x.shape[1:]), dtype=x.dtype, name=x.name
        )
        for x in graph.inputs
    ]
    outputs = graph._run_through_graph(
        symbols, operation_fn=lambda operation: _caller(operation, {**twins, **models}[operation])
    )
    inputs = keras.tree.pack_sequence_as(graph.input, symbols)
    return tf_keras.Model(inputs, outputs, name=graph.name)


def _caller(operation: Any, twin: Any) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if twin is None:
            return _taken_over(operation, args, kwargs)
        kwargs.pop("training", None)  # it is whatever a call of the whole model says
        return twin(*args, **kwargs)

    return call


def _twin(operation: Any) -> Any:
    """The tf_keras layer for a Keras 3 layer, not built; None for what is taken over as it is.

    Raises:
        TypeError, ValueError: there is none.
    """
    import tf_keras

    if isinstance(operation, keras.layers.Normalization):
        return tf_keras.layers.Normalization.from_config(_normalization(operation))
    if isinstance(operation, keras.layers.TimeDistributed):
        inner = operation.layer
        twin = rebuild(inner) if isinstance(inner, keras.Model) else _twin(inner)
        return tf_keras.layers.TimeDistributed(twin, name=operation.name)
    if _is_shared(operation):
        layer = getattr(tf_keras.layers, type(operation).__name__)
        config = _translated(operation.get_config(), type(operation).__name__)
        if isinstance(operation, keras.layers.MultiHeadAttention):
            return layer(**config)  # from_config wants the shapes that it was built with
        return layer.from_config(config)
    if getattr(operation, "weights", None):
        raise TypeError(f"{operation.name} has weights and no like in Keras 2")
    return None


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


def _taken_over(operation: Any, args: Any, kwargs: Any) -> Any:
    """Calls a Keras 3 operation without weights in a Lambda layer of tf_keras."""
    import tf_keras

    flat = keras.tree.flatten((args, kwargs))
    symbol = tf_keras.__internal__.KerasTensor
    places = [i for i, value in enumerate(flat) if isinstance(value, symbol)]

    def function(tensors: Any, training: Any = None) -> Any:
        given = dict(zip(places, tensors, strict=True))
        filled = [given.get(i, value) for i, value in enumerate(flat)]
        args_now, kwargs_now = keras.tree.pack_sequence_as((args, kwargs), filled)
        if "training" in kwargs:
            kwargs_now["training"] = training
        return operation(*args_now, **kwargs_now)

    return tf_keras.layers.Lambda(function)([flat[place] for place in places])


def _copy_weights(operation: Any, twin: Any) -> None:
    if twin is None:
        return
    if twin.weights and not (
        isinstance(operation, keras.layers.TimeDistributed)
        and isinstance(operation.layer, keras.Model)  # copied when it was rebuilt
    ):
        twin.set_weights(operation.get_weights())
    if not operation.trainable:
        twin.trainable = False
