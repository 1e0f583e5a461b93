"""`fit`: a model, its data, and everything else put together for the loop.

Example:

    history = fit(model, train, val, epochs=20, resume="runs/xray")
"""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from tfpipe.backend import keras
from tfpipe.files import Path
from tfpipe.train import (
    arguments,
    compiling,
    data,
    folder,
    graph,
    labels,
    loop,
    memory,
    pays,
    refusals,
    step,
    workers,
)
from tfpipe.train.checkpoint import Keeper, position
from tfpipe.train.finite import Watch


def fit(
    model: keras.Model,
    train: data.Batches,
    val: data.Batches | None = None,
    *,
    loss: Any = None,
    optimizer: Any = None,
    metrics: Any = None,
    epochs: int = 1,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    clip_norm: float | None = 1.0,
    accumulate: int = 1,
    steps_per_call: int | str = "auto",
    class_weights: Mapping[int, float] | None = None,
    resume: Path | None = None,
    checkpoint_s: float = 30.0,
    on_nan: str = "stop",
    jit_compile: bool | str = "auto",
) -> keras.callbacks.History:
    """Trains a Keras model under the strategy that it was built under.

    The loss is a mean over the examples of a batch (or of a group of `accumulate` batches), and
    the metrics are what Keras makes of all examples of an epoch, so neither depends on how many
    replicas there are, nor on a smaller last batch. That holds for losses that return one value
    per example; others are refused where a batch is split. Values that a loss averages over
    something else than examples (such as the steps that a mask leaves) are weighted by examples.
    BatchNormalization takes its statistics from each replica's part of each batch, as in Keras
    (unless it is `synchronized`); after every epoch its moving averages are the mean of all
    replicas'.

    With `clip_norm=None` the weights and the history are those of `model.fit` up to rounding, but
    for two things. A row of an embedding that a batch has several times gets the sum of its
    gradients before the optimizer squares it; Keras' Adam and its like square each part. And the
    history holds what `get_metrics_result` tells, not what `compute_metrics` adds to it.

    Args:
        model: any Keras model whose training step is Keras' own.
        train: batches of (inputs, targets) or (inputs, targets, sample_weights), whose length is
            known: a dataset; or a function of (epoch, batch) that returns a dataset whose first
            pass begins there, which resumes faster: see `resume`. Inputs that are a dict may have
            an `id`, which the model does not get, and which errors name.
        val: the same, looked at after every epoch.
        loss, optimizer, metrics: as `model.compile` takes them. What is not given is what the
            model was compiled with. A model that is not compiled gets Adam; if it ends in a
            softmax, sparse categorical cross-entropy and accuracy, too.
        epochs: passes over `train`.
        callbacks: Keras' own; `on_train_batch_end` is called once per call of the graph.
        clip_norm: the largest global norm of the gradients, which are scaled down to it after
            the loss scale is taken off and the replicas' mean is taken; None clips nothing.
        accumulate: batches that make one step, as if they were one large batch; the last group
            of an epoch may be smaller. Batch statistics are still those of single batches.
        steps_per_call: steps in one `tf.function` call; "auto" takes a quarter to half a second.
        class_weights: weights of the classes by number, on top of sample weights; a class that
            is not named weighs 1.
        resume: a folder for this training. It holds checkpoints, `run.json` (the arguments, and
            what describes model and data), `environment.json` (versions, commit, seed),
            `chain.json` (with which `records.read` prepares the batches), `history.csv` and
            `curves.png`. Called again with the same arguments in a new process,
            `fit` goes on from the newest checkpoint, and ends with the same bits as if it had
            never been interrupted (on a CPU, with
            `tf.config.experimental.enable_op_determinism()`, and weights made from a seed). That
            holds for data in an order of its own or of a seed, such as `records.read` gives, and
            for callbacks that remember what they need in plain attributes (numbers, text, arrays;
            lists, dicts, sets and deques of them), or in variables or metrics that are attributes
            or that their attribute `variables` lists. To reach the right batch of a plain
            dataset, its earlier passes are begun and the batches before it are read;
            `lambda epoch, batch: records.read(..., start=(epoch, batch))` skips them.
        checkpoint_s: seconds between two checkpoints at least; they come less often where they
            would take more than a hundredth of the time. 0: after every call of the graph.
        on_nan: "stop" with an error at the first loss or gradient that is not finite, the
            weights being those from before that step; or "skip" such steps, and count them so
            far as `skipped` in the history.
        jit_compile: XLA. "auto" is as the model was compiled; Keras' own "auto" is no on a CPU.
            There, "auto" compiles the update by itself where that pays: see `train.pays`.

    Returns:
        Keras' history: `history.history["val_loss"]` and so on, one number per epoch.

    Raises:
        RequestError: an argument does not fit the others, the data or the model; or there is not
            enough memory for a step.
        NotFiniteError: a loss or a gradient is not finite, and `on_nan` is "stop".
        DataError: a checkpoint or `run.json` in `resume` is damaged.

    Example:

    >>> import tensorflow as tf
    >>> x, y = tf.zeros((8, 32, 32, 1)), tf.zeros((8,), tf.int64)
    >>> train = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    >>> from tfpipe.models import lenet5
    >>> history = fit(lenet5(), train, epochs=2)
    >>> list(history.history)
    ['accuracy', 'loss']
    """
    arguments.check(epochs, accumulate, steps_per_call, clip_norm, on_nan)
    strategy = model.distribute_strategy
    epoch, start = position(strategy, resume)
    opened = _opened(train, val, (epoch, start * accumulate), resume)
    compiled = {"loss": loss, "optimizer": optimizer, "metrics": metrics}
    _prepare(model, opened, compiled, accumulate > 1)
    # "auto" is Keras' own choice, which is no on a CPU: scripts/bench_train.py shows why.
    jit = bool(model.jit_compile if jit_compile == "auto" else jit_compile)
    jit_update = jit_compile == "auto" and pays.compiled_update(model)
    options = step.Options(clip_norm, accumulate, on_nan == "skip", jit, jit_update)
    watch = Watch(stop=on_nan == "stop")
    sides = _sides(model, opened, options, watch, class_weights)
    settings = folder.settings(model, opened, options, epochs, class_weights, callbacks)
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(folder.opened(resume, settings, strategy))
        if out is not None and workers.is_chief(strategy):
            folder.write_chain(out, opened["train"].dataset)
        stack.enter_context(strategy.scope())
        calls = keras.callbacks.CallbackList(
            folder.continued(callbacks, epoch),
            add_history=True,
            model=model,
            epochs=epochs,
            steps=-(-opened["train"].num_batches // accumulate),
        )
        keeper = Keeper(
            model,
            calls.callbacks,
            [watch.count],
            at=(epoch, start),
            folder=out,
            every_s=checkpoint_s,
        )
        stack.callback(keeper.close)
        stack.enter_context(memory.explained(opened["train"].dataset, accumulate))
        stack.enter_context(labels.explained())
        average = graph.averaging(model)
        job = loop.Job(model, sides, calls, epochs, accumulate, watch, keeper, average)
        loop.run(job, loop.Pace(steps_per_call, workers=workers.are_many(strategy)))
        if out is not None and workers.is_chief(strategy):
            folder.finish(out, model.history)
    return model.history


def _opened(
    train: data.Batches, val: data.Batches | None, at: tuple[int, int], resume: Path | None
) -> dict[str, data.Opened]:
    """Both datasets, the training's from where it goes on: (epoch, batch)."""
    epoch, batch = at
    known = folder.saved_counts(resume) if resume and batch else {}
    return {
        name: data.opened(name, batches, epoch, first, known=known.get(name))
        for name, batches, first in (("train", train, batch), ("val", val, 0))
        if batches is not None
    }


def _sides(
    model: keras.Model,
    opened: Mapping[str, data.Opened],
    options: step.Options,
    watch: Watch,
    class_weights: Mapping[int, float] | None,
) -> dict[str, loop.Side]:
    """What the graph does with the batches of training, and of validation."""
    strategy, train = model.distribute_strategy, opened["train"]
    changes = [] if class_weights is None else [labels.weigh_classes(class_weights)]
    num_classes, ignored = refusals.classes(model, train.spec)
    checks = [] if num_classes is None else [labels.check_labels(num_classes, ignored)]
    passes = data.passes(train, strategy, changes, checks=checks)
    repeat = graph.training(model, options, watch)
    sides = {"train": loop.Side(repeat, passes, train.num_batches)}
    if "val" in opened:
        passes = data.passes(opened["val"], strategy)
        sides["val"] = loop.Side(graph.checking(model), passes, opened["val"].num_batches)
    return sides


def _prepare(
    model: keras.Model, opened: Mapping[str, data.Opened], compiled: Mapping[str, Any], groups: bool
) -> None:
    """Compiles and builds the model, and refuses what does not fit, before time is spent."""
    spec = opened["train"].spec
    for name, part in opened.items():
        refusals.check_inputs(name, model, part.spec)
    with model.distribute_strategy.scope():
        compiling.compile_model(model, **compiled)
        compiling.build(model, spec)
    split = groups or model.distribute_strategy.num_replicas_in_sync > 1
    refusals.check_model(model, spec, split=split)
