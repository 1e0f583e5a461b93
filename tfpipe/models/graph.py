"""Walking a model's graph, and the graphs of the models in it, operation by operation.

Example:

    names = [operation.name for operation in operations(as_graph(model))]
"""

from collections.abc import Callable, Iterator
from typing import Any

from keras.src.models import Functional

from tfpipe.backend import keras
from tfpipe.errors import RequestError, received


def as_graph(model: keras.Model) -> Any:
    """The model as a graph of operations, which only functional and built Sequential ones have."""
    if isinstance(model, keras.Sequential) and model.built:
        return keras.Model(model.inputs, model.outputs, name=model.name)
    # A subclass with a `call` of its own does something else than its graph says.
    if isinstance(model, Functional) and type(model).call is Functional.call:
        return model
    expected = "a functional model, or a Sequential one that is built"
    raise RequestError(received(expected, model=model.name, type=type(model).__name__))


def operations(graph: Any) -> Iterator[Any]:
    """The operations of a model, and of the models in it, in their order."""
    for operation in graph.operations:
        if isinstance(operation, keras.Model):
            yield from operations(as_graph(operation))
        elif not isinstance(operation, keras.layers.InputLayer):
            yield operation


def last_operation(graph: Any) -> Any:
    """The operation that the output comes from."""
    operation = graph.outputs[0]._keras_history.operation
    return last_operation(as_graph(operation)) if isinstance(operation, keras.Model) else operation


def called(graph: Any, inputs: Any, run: Callable[..., Any]) -> Any:
    """Calls a model, and the models in it, operation by operation."""

    def caller(operation: Any) -> Callable[..., Any]:
        if not isinstance(operation, keras.Model):
            return lambda *args, **kwargs: run(operation, *args, **kwargs)
        return lambda inputs, **_: called(as_graph(operation), inputs, run)

    return graph._run_through_graph(inputs, operation_fn=caller)
