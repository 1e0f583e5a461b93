"""Whether a model can learn one batch: its first loss, its gradients, and a hundred steps.

Example:

    facts, problems = learning(model, (inputs, targets, None), num_classes=10)
"""

import math
from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.train import data
from tfpipe.train.finite import is_finite

STEPS = 100  # on one batch
LEARNING_RATE = 3e-3
LEARNT = 0.2  # of the first loss may remain


def learning(
    model: keras.Model, batch: tuple[Any, ...], num_classes: int | None
) -> tuple[list[str], list[str]]:
    """Facts and problems of the first loss, the gradients, and some steps on the batch."""
    strategy = model.distribute_strategy
    with strategy.scope():
        optimizer = keras.optimizers.Adam(LEARNING_RATE)
        optimizer.build(model.trainable_variables)

    def step() -> tuple[tf.Tensor, list[tf.Tensor | None]]:
        x, y, sample_weight = data.model_inputs(batch[0]), *batch[1:]
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, model(x, training=True), sample_weight)
        gradients = tape.gradient(loss, model.trainable_variables)
        pairs = zip(gradients, model.trainable_variables, strict=True)
        optimizer.apply_gradients([pair for pair in pairs if pair[0] is not None])
        return loss * strategy.num_replicas_in_sync, gradients

    @tf.function
    def replicas() -> Any:  # each does the same
        return strategy.run(step)

    def run() -> tuple[float, list[tf.Tensor | None]]:
        loss, gradients = tf.nest.map_structure(
            lambda value: strategy.experimental_local_results(value)[0], replicas()
        )
        return float(loss), gradients

    first, gradients = run()
    facts, problems = _first_loss(first, num_classes)
    problems += _gradient_problems(model, gradients)
    last = first
    for _ in range(STEPS if math.isfinite(first) else 0):
        last, _ = run()
    facts.append(f"loss after {STEPS} steps on this batch alone: {last:.4g}")
    if not last < LEARNT * first:
        problems.append(
            f"the model cannot learn one batch: its loss is {last:.4g} after {first:.4g}"
        )
    return facts, problems


def _first_loss(first: float, num_classes: int | None) -> tuple[list[str], list[str]]:
    if not num_classes or num_classes < 2:
        return [f"first loss: {first:.4g}"], []
    guess = math.log(num_classes)
    facts = [f"first loss: {first:.4g}; -log(1/{num_classes}) is {guess:.4g}"]
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
