"""The training loop: many steps in one `tf.function` call, Keras callbacks beside it.

Example:

    history = fit(model, train, val, epochs=20)
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError, received
from tfpipe.report import progress
from tfpipe.report.bars import Bar
from tfpipe.train.step import Step, eval_step, train_step

Logs = dict[str, float]
Runner = Callable[[int], Iterator[tuple[int, Logs]]]


def fit(
    model: keras.Model,
    train: tf.data.Dataset,
    val: tf.data.Dataset | None = None,
    *,
    epochs: int = 1,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    steps_per_call: int = 20,
    after_update: Callable[[], Any] | None = None,
) -> keras.callbacks.History:
    """Trains a Keras model under the strategy that it was built under.

    Loss and metrics are sums over examples divided by the number of examples, so they do not
    depend on how many replicas there are, nor on a smaller last batch.

    Args:
        model: a Keras model, compiled with a loss, an optimizer and metrics. One that is not
            compiled and ends in a softmax is compiled for integer labels: Adam, sparse
            categorical cross-entropy, accuracy.
        train: batches of (inputs, targets) or (inputs, targets, sample_weights).
        val: the same, looked at after every epoch.
        epochs: passes over `train`.
        callbacks: Keras' own; `on_train_batch_end` is called once per `steps_per_call` steps.
        steps_per_call: steps in one `tf.function` call.
        after_update: called in the replica after every optimizer update, inside the graph.

    Returns:
        Keras' history: `history.history["val_loss"]` and so on, one number per epoch.

    Raises:
        RequestError: no epochs, no steps in a call, no batches, batches without targets, a dataset
            of unknown length, or no loss.

    Example:

    >>> x, y = tf.zeros((8, 32, 32, 1)), tf.zeros((8,), tf.int64)
    >>> train = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    >>> from tfpipe.models import lenet5
    >>> history = fit(lenet5(), train, epochs=2)
    >>> list(history.history)
    ['accuracy', 'loss']
    """
    if epochs < 1:
        raise RequestError(received("`epochs` to be at least 1", epochs=epochs))
    if steps_per_call < 1:
        raise RequestError(
            received("`steps_per_call` to be at least 1", steps_per_call=steps_per_call)
        )
    for name, dataset in (("train", train), ("val", val)):
        if dataset is not None:
            _check(name, dataset)
    num_steps = len(train)
    strategy = model.distribute_strategy
    with strategy.scope():
        _build(model, train)
        run = _runner(strategy, model, train_step(model, after_update), train)
        check = _runner(strategy, model, eval_step(model), val) if val is not None else None
        calls = keras.callbacks.CallbackList(
            list(callbacks), add_history=True, model=model, epochs=epochs, steps=num_steps
        )
        with progress("training", epochs * num_steps, unit="steps") as bar:
            model.stop_training = False  # an earlier training may have stopped early
            calls.on_train_begin()
            for epoch in range(epochs):
                started = time.monotonic()
                calls.on_epoch_begin(epoch)
                logs = dict(_epoch(run, calls, steps_per_call, bar, f"epoch {epoch + 1}/{epochs}"))
                if check is not None:
                    logs |= _val_logs(check, steps_per_call)
                calls.on_epoch_end(epoch, logs)
                seconds = time.monotonic() - started
                bar.line(f"epoch {epoch + 1}/{epochs}: {_words(logs)}, {seconds:.1f} s")
                if model.stop_training:
                    break
            calls.on_train_end()
    return model.history


def _runner(
    strategy: tf.distribute.Strategy, model: keras.Model, step: Step, dataset: tf.data.Dataset
) -> Runner:
    """A function that passes once over the dataset, and yields after every call of the graph."""
    batches = strategy.experimental_distribute_dataset(dataset)
    num_steps = len(dataset)

    @tf.function
    def repeat(iterator: Iterator[Any], count: tf.Tensor) -> None:
        for _ in tf.range(count):
            strategy.run(step, args=next(iterator))

    def run(steps_per_call: int) -> Iterator[tuple[int, Logs]]:
        model.reset_metrics()
        iterator = iter(batches)
        for first in range(0, num_steps, steps_per_call):
            count = min(steps_per_call, num_steps - first)
            repeat(iterator, tf.constant(count))
            yield first + count, {k: float(v) for k, v in model.get_metrics_result().items()}

    return run


def _epoch(
    run: Runner, calls: keras.callbacks.CallbackList, steps_per_call: int, bar: Bar, name: str
) -> Logs:
    logs: Logs = {}
    done = 0
    calls.on_train_batch_begin(0)
    for reached, logs in run(steps_per_call):
        calls.on_train_batch_end(reached - 1, logs)
        bar.advance(reached - done, note=f"{name}: {_words(logs)}")
        done = reached
        if calls.model.stop_training or done == calls.params["steps"]:
            break
        calls.on_train_batch_begin(done)
    return logs


def _val_logs(check: Runner, steps_per_call: int) -> Logs:
    *_, (_, logs) = check(steps_per_call)
    return {f"val_{name}": value for name, value in logs.items()}


def _check(name: str, dataset: tf.data.Dataset) -> None:
    spec = dataset.element_spec
    if not isinstance(spec, tuple) or len(spec) not in (2, 3):
        expected = f"`{name}` to hold batches of (inputs, targets) or with sample weights too"
        raise RequestError(received(expected, element_spec=spec))
    # Callbacks, bars and graphs need to know how many batches there are before a pass begins.
    cardinality = int(dataset.cardinality())
    if cardinality > 0:
        return
    problem = {0: "it is empty", tf.data.INFINITE_CARDINALITY: "it is infinite"}
    found = problem.get(cardinality, "its length is unknown")
    raise RequestError(
        f"Expected `{name}` to have a known number of batches. Received: {found}. "
        "`dataset.apply(tf.data.experimental.assert_cardinality(n))` tells it."
    )


def _build(model: keras.Model, train: tf.data.Dataset) -> None:
    """Creates what Keras would create at the first batch, outside the graph: metrics, slots."""
    x, y = (tf.nest.map_structure(_symbol, spec) for spec in train.element_spec[:2])
    if not model.built:
        model.build(tf.nest.map_structure(lambda symbol: symbol.shape, x))
    if not model.compiled:
        _compile_classifier(model)
    y_pred = model.compute_output_spec(x)
    for metric in model.metrics:
        if not getattr(metric, "built", True):
            metric.build(y, y_pred)
    model.optimizer.build(model.trainable_variables)


def _compile_classifier(model: keras.Model) -> None:
    activation = getattr(model.layers[-1], "activation", None)
    if activation is not keras.activations.softmax:
        raise RequestError(
            f"The model {model.name!r} is not compiled and does not end in a softmax, so there is "
            "no loss to choose. Call `model.compile(optimizer=..., loss=..., metrics=[...])` first."
        )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])


def _symbol(spec: tf.TensorSpec) -> keras.KerasTensor:
    return keras.KerasTensor(spec.shape, dtype=spec.dtype.name)


def _words(logs: Logs) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
