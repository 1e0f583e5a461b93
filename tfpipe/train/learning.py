"""Whether a model can learn one batch: its first loss, its gradients, and a hundred steps.

Example:

    facts, problems = learning(model, (inputs, targets, None))
"""

import math
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.train import data
from tfpipe.train.finite import is_finite

STEPS = 100  # on one batch, and up to ROUNDS times as many while the loss still falls
ROUNDS = 10
LAST = 10  # of a round, whose mean is looked at: dropout and augmentation differ by step
LEARNING_RATE = 3e-3
LEARNT = 0.2  # of the first loss: it need not fall further
FALLS = 0.95  # of the loss before a round
STUCK = 0.5  # of the first loss; regularisers leave less than that
BINARY = (keras.losses.BinaryCrossentropy, keras.losses.BinaryFocalCrossentropy)
TINY = 1e-7  # Keras' epsilon, within which its cross-entropies keep probabilities


def learning(model: keras.Model, batch: tuple[Any, ...]) -> tuple[list[str], list[str]]:
    """Facts and problems of the first loss, the gradients, and some steps on the batch."""
    run = _steps(model, batch)
    first, guess, least, gradients = run()
    least = least if least < first else 0.0  # also where it is not known, which is NaN
    facts, problems = _first_loss(first, guess)
    problems += _gradient_problems(model, gradients)
    if not model.trainable_variables:
        return facts, [*problems, "no weight of the model trains"]
    last, steps = first, 0
    if math.isfinite(first):
        last, steps = _learnt(lambda: run()[0], first, least)
    told = f"; soft targets leave {least:.4g}" if least else ""
    told = "; of one below 0 no least is known: it need only fall" if first < 0 else told
    facts.append(f"loss after {steps} steps on this batch alone: {last:.4g}{told}")
    bar = first if first < 0 else least + STUCK * (first - least)
    if not last < bar:
        problems.append(
            f"the model cannot learn one batch: its loss is {last:.4g} after {first:.4g}"
        )
    return facts, problems


def _learnt(step: Callable[[], float], first: float, least: float) -> tuple[float, int]:
    """The loss when it has fallen far enough, or falls no more; and after how many steps."""
    last, steps, before = first, 0, math.inf
    enough = LEARNT * (first - least)
    while steps == 0 or (steps < ROUNDS * STEPS and enough <= last - least < FALLS * before):
        before = last - least
        losses = [step() for _ in range(STEPS)]
        last = statistics.fmean(losses[-LAST:])
        steps += STEPS
    return last, steps


def _steps(
    model: keras.Model, batch: tuple[Any, ...]
) -> Callable[[], tuple[float, float, float, Any]]:
    """A function that makes a step: the loss before it, of a guess, the least; the gradients."""
    strategy, loss_of = model.distribute_strategy, model.compute_loss
    x, y, sample_weight = data.model_inputs(batch[0]), *batch[1:]
    with strategy.scope():
        optimizer = keras.optimizers.Adam(LEARNING_RATE)
        optimizer.build(model.trainable_variables)

    def step() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, list[tf.Tensor | None]]:
        """On one replica."""
        with tf.GradientTape() as tape:
            y_pred = model(x, training=True)
            loss = loss_of(x, y, y_pred, sample_weight)
        guessed, least = (
            math.nan * loss if other is None else loss_of(x, y, other, sample_weight)
            for other in (_guess(model, y_pred), _ideal(model, batch[1], y_pred))
        )
        gradients = tape.gradient(loss, model.trainable_variables)
        pairs = zip(gradients, model.trainable_variables, strict=True)
        if present := [pair for pair in pairs if pair[0] is not None]:
            optimizer.apply_gradients(present)
        replicas = strategy.num_replicas_in_sync  # Keras divides its losses by them
        return loss * replicas, guessed * replicas, least * replicas, gradients

    replicas = tf.function(lambda: strategy.run(step))  # each does the same

    def run() -> tuple[float, float, float, list[tf.Tensor | None]]:
        loss, guess, least, gradients = tf.nest.map_structure(
            lambda value: strategy.experimental_local_results(value)[0], replicas()
        )
        return float(loss), float(guess), float(least), gradients

    return run


def _guess(model: keras.Model, y_pred: Any) -> tf.Tensor | None:
    """Predictions of one who knows nothing, where the model's last activation tells them."""
    if not model.layers or not isinstance(y_pred, tf.Tensor):
        return None
    activation = getattr(model.layers[-1], "activation", None)
    if activation is keras.activations.softmax:
        return tf.ones_like(y_pred) / y_pred.shape[-1]
    if activation is keras.activations.sigmoid:
        return tf.ones_like(y_pred) / 2
    return None


def _ideal(model: keras.Model, y: Any, y_pred: Any) -> tf.Tensor | None:
    """Predictions that are the targets, where these are soft; a cross-entropy is least there.

    Of targets of 0 and 1 that are not smoothed nothing is left, so nothing is told.
    """
    if not isinstance(y_pred, tf.Tensor) or getattr(y, "shape", None) != y_pred.shape:
        return None
    loss = keras.losses.get(model.loss) if model.loss is not None else None
    smoothing = getattr(loss, "label_smoothing", 0.0)
    with tf.init_scope():  # the batch is at hand, not a symbol
        hard = not smoothing and bool(np.isin(y, (0, 1)).all())
    if hard:
        return None
    y = tf.cast(y, y_pred.dtype)
    binary = isinstance(loss, BINARY)
    y = y * (1 - smoothing) + smoothing / (2 if binary else y_pred.shape[-1])
    if not getattr(loss, "from_logits", False):
        return y
    y = tf.clip_by_value(y, TINY, 1 - TINY)
    return tf.math.log(y / (1 - y)) if binary else tf.math.log(y)


def _first_loss(first: float, guess: float) -> tuple[list[str], list[str]]:
    if math.isnan(guess):
        return [f"first loss: {first:.4g}"], []
    facts = [f"first loss: {first:.4g}; that of a guess is {guess:.4g}"]
    if guess < 0 or 0.5 * guess < first < 2 * guess:  # below 0, there are no such multiples
        return facts, []
    return facts, [f"the first loss is {first:.4g}, and that of a guess is {guess:.4g}"]


def _gradient_problems(model: keras.Model, gradients: list[tf.Tensor | None]) -> list[str]:
    problems = []
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        if gradient is None:
            problems.append(f"{variable.path} has no gradient: the loss does not depend on it")
        elif not is_finite(gradient):
            problems.append(f"the gradient of {variable.path} is not finite")
        elif not bool(tf.reduce_any(tf.convert_to_tensor(gradient) != 0)):
            problems.append(f"the gradient of {variable.path} is 0 everywhere")
    return problems
