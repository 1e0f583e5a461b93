"""A Keras 3 model rebuilt in tf_keras, with the same weights.

Example:

    legacy = rebuild(model, batch_size=1)
"""

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

from keras.src.models import Functional

from tfpipe.backend import keras
from tfpipe.compress.legacy.layers import copy_weights, twin
from tfpipe.errors import RequestError
from tfpipe.models.graph import as_graph, operations

Twins: TypeAlias = dict[Any, Any]  # from an operation of Keras 3 to its layer in tf_keras


def rebuild(model: keras.Model, *, batch_size: int | None = None, flat: bool = False) -> Any:
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
    Anything else, GRU too, becomes a loop that computes the same, without an int8 form. The
    operator keeps its state from one run of the file to the next: reset it between sequences, or
    let each begin with a step that closes its gates, as `export.to_tflite` does.

    Args:
        model: a built model; it stays as it is.
        batch_size: how many examples the result takes at once; any number if None.
        flat: puts the layers of the models in it into the model itself.

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
    graph = as_graph(model)
    twins: Twins = {}
    refused = []
    for operation in operations(graph):
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
    rebuilt = _connected(graph, twins, batch_size, flat)
    for operation, layer in twins.items():
        if layer is not None and not _holds_model(operation):
            copy_weights(operation, layer)
    return rebuilt


def changed(legacy: Any, change: Callable[[Any], Any]) -> Any:
    """A tf_keras model of what `change` makes of each layer of another."""
    import tf_keras

    return tf_keras.models.clone_model(legacy, clone_function=change)


def _twin(operation: Any) -> Any:
    """The operation's layer in tf_keras; a model in it is rebuilt."""
    import tf_keras

    if not isinstance(operation, keras.layers.TimeDistributed):
        return twin(operation)
    inner = rebuild(operation.layer) if _holds_model(operation) else twin(operation.layer)
    return tf_keras.layers.TimeDistributed(inner, name=operation.name)


def _holds_model(operation: Any) -> bool:
    return isinstance(getattr(operation, "layer", None), keras.Model)


def _connected(graph: Functional, twins: Twins, batch_size: int | None, flat: bool) -> Any:
    """A model that calls the twins as the graph calls its operations."""
    import tf_keras

    symbols = [
        tf_keras.Input(
            batch_shape=(batch_size or x.shape[0], *x.shape[1:]), dtype=x.dtype, name=x.name
        )
        for x in graph.inputs
    ]
    inputs = keras.tree.pack_sequence_as(graph.input, symbols)
    return tf_keras.Model(inputs, _outputs(graph, symbols, twins, flat), name=graph.name)


def _outputs(graph: Functional, inputs: Any, twins: Twins, flat: bool, mask: Any = None) -> Any:
    """What the twins make of the inputs, whose masks tf_keras keeps by itself."""
    inner = {
        operation: (
            functools.partial(_outputs, as_graph(operation), twins=twins, flat=True)
            if flat
            else _connected(as_graph(operation), twins, None, flat=False)
        )
        for operation in graph.operations
        if isinstance(operation, keras.Model)
    }
    called = {**twins, **inner}
    return graph._run_through_graph(
        inputs, operation_fn=lambda operation: _caller(operation, called[operation])
    )


def _caller(operation: Any, layer: Any) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if layer is None:
            return _taken_over(operation, args, kwargs)
        kwargs.pop("training", None)  # it is whatever a call of the whole model says
        return layer(*args, **kwargs)

    return call


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
        if getattr(operation, "_call_has_training_arg", False):
            kwargs_now["training"] = training  # of which RandomFlip takes it that it is True
        return operation(*args_now, **kwargs_now)

    # An operation that is called twice is two layers here, which need two names.
    name = operation.name if len(operation._inbound_nodes) == 1 else None
    layer = tf_keras.layers.Lambda(function, name=name)
    of_keras = isinstance(operation, keras.Layer)
    layer.stands_for = type(operation).__name__ if of_keras else "keras.ops"  # to name it by
    return layer([flat[place] for place in places])
