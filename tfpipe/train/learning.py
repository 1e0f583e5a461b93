"""Whether a model can learn one batch: its first loss, its gradients, and a hundred steps.

Example:

    facts, problems = learning(model, (inputs, targets, None))
"""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.train import data
from tfpipe.train.finite import is_finite

STEPS = 100  # on one batch, and up to ROUNDS times as many while the loss still falls
ROUNDS = 10
LEARNING_RATE = 3e-3
LEARNT = 0.2  # of the first loss: it need not fall further
FALLS = 0.95  # of the loss before a round
STUCK = 0.5  # of the first loss; regularisers and smoothed labels leave less than that


def learning(model: keras.Model, batch: tuple[Any, ...]) -> tuple[list[str], list[str]]:
    """Facts and problems of the first loss, the gradients, and some steps on the batch."""
    run = _steps(model, batch)
    first, guess, gradients = run()
    facts, problems = _first_loss(first, guess)
    problems += _gradient_problems(model, gradients)
    if not model.trainable_variables:
        return facts, [*problems, "no weight of the model trains"]
    last, steps = _learnt(lambda: run()[0], first) if math.isfinite(first) else (first, 0)
    facts.append(f"loss after {steps} steps on this batch alone: {last:.4g}")
    if not last < STUCK * first:
        problems.append(
            f"the model cannot learn one batch: its loss is {last:.4g} after {first:.4g}"
        )
    return facts, problems


def _learnt(step: Callable[[], float], first: float) -> tuple[float, int]:
    """The loss when it has fallen far enough, or falls no more; and after how many steps."""
    last, steps, before = first, 0, math.inf
    while steps < ROUNDS * STEPS and LEARNT * first <= last < FALLS * before:
        before = last
        for _ in range(STEPS):
            last = step()
        steps += STEPS
    return last, steps


def _steps(model: keras.Model, batch: tuple[Any, ...]) -> Callable[[], tuple[float, float, Any]]:
    """A function that makes a step: the loss before it, that of a guess, and the gradients."""
    strategy, loss_of = model.distribute_strategy, model.compute_loss
    x, y, sample_weight = data.model_inputs(batch[0]), *batch[1:]
    with strategy.scope():
        optimizer = keras.optimizers.Adam(LEARNING_RATE)
        optimizer.build(model.trainable_variables)

    def step() -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor | None]]:
        """On one replica."""
        with tf.GradientTape() as tape:
            y_pred = model(x, training=True)
            loss = loss_of(x, y, y_pred, sample_weight)
        guess = _guess(model, y_pred)
        guessed = math.nan if guess is None else loss_of(x, y, guess, sample_weight)
        gradients = tape.gradient(loss, model.trainable_variables)
        pairs = zip(gradients, model.trainable_variables, strict=True)
        if present := [pair for pair in pairs if pair[0] is not None]:
            optimizer.apply_gradients(present)
        replicas = strategy.num_replicas_in_sync  # Keras divides its losses by them
        return loss * replicas, guessed * tf.ones_like(loss) * replicas, gradients

    replicas = tf.function(lambda: strategy.run(step))  # each does the same

    def run() -> tuple[float, float, list[tf.Tensor | None]]:
        loss, guess, gradients = tf.nest.map_structure(
            lambda value: strategy.experimental_local_results(value)[0], replicas()
        )
        return float(loss), float(guess), gradients

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


def _first_loss(first: float, guess: float) -> tuple[list[str], list[str]]:
    if math.isnan(guess):
        return [f"first loss: {first:.4g}"], []
    facts = [f"first loss: {first:.4g}; that of a guess is {guess:.4g}"]
    if 0.5 * guess < first < 2 * guess:
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
