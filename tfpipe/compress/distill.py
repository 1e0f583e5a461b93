"""Knowledge distillation: a small model learns from a large one's outputs, and from the labels.

    student = distill(small, teacher, train, val, temperature=4.0, alpha=0.5, epochs=20)

Source: Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015, section 2:
the outputs of both are softened by a temperature T, and as the gradients of the softened loss
scale as 1/T^2, it is multiplied by T^2.
"""

import zlib
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.compress.copying import compile_like, copied
from tfpipe.compress.outputs import ending, to_logits
from tfpipe.errors import RequestError, received
from tfpipe.train import data, fit


def distill(
    student: keras.Model,
    teacher: keras.Model,
    train: data.Batches,
    val: data.Batches | None = None,
    *,
    temperature: float = 4.0,
    alpha: float = 0.5,
    optimizer: keras.optimizers.Optimizer | None = None,
    **fit_options: Any,
) -> keras.Model:
    """Trains a student on what a teacher answers, and on the labels.

    The loss is `alpha * T^2 * KL(teacher, student) + (1 - alpha) * loss`: `KL` between both
    models' outputs at the temperature T, a mean over the examples, and for sigmoids over the
    labels; `loss` what the student is compiled with. Regularisation counts in full. What `val`
    shows is the student's own loss. The teacher's batch statistics stay as they are.

    Args:
        student: compiled, functional or Sequential; it stays as it is.
        teacher: trained; it takes the same inputs. Both end in a softmax, in a sigmoid, or in the
            logits of one, which the loss they are compiled with must say: `from_logits=True`.
        train, val: batches, as `tfpipe.train.fit` takes them.
        temperature: T, above 0. The higher, the more the small outputs count.
        alpha: the teacher's share of the loss, from 0 to 1.
        optimizer: for this training; a new one like the student's own if None.
        **fit_options: whatever else `tfpipe.train.fit` takes: `epochs`, `callbacks`,
            `accumulate`, `class_weights` (which weigh the labels' part), `resume` and so on.

    Returns:
        A trained copy of the student, compiled like it, with its training in `history`.

    Raises:
        RequestError: an argument is out of range, the models' inputs or outputs do not fit each
            other, or it cannot be told what the outputs are.

    Example:

    >>> from tfpipe.models import lenet5
    >>> images, labels = tf.random.stateless_uniform((8, 32, 32, 1), (1, 1)), tf.range(8)
    >>> train = tf.data.Dataset.from_tensor_slices((images, labels)).batch(4)
    >>> pixels = keras.Input((32, 32, 1))
    >>> flat = keras.layers.Flatten()(pixels)
    >>> student = keras.Model(pixels, keras.layers.Dense(10, activation="softmax")(flat))
    >>> student.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    >>> list(distill(student, lenet5(), train, epochs=2).history.history)
    ['accuracy', 'loss']
    """
    if not temperature > 0:
        raise RequestError(received("`temperature` to be above 0", temperature=temperature))
    if not 0 <= alpha <= 1:
        raise RequestError(received("`alpha` to be from 0 to 1", alpha=alpha))
    distance = _distance(student, teacher, temperature)
    copy = copied(student, optimizer)
    with student.distribute_strategy.scope():
        pair = Distillation(copy.inputs, copy.outputs, name=student.name)
        pair.dtype_policy = student.dtype_policy
        compile_like(pair, student, optimizer or student.optimizer)
    pair.alpha, pair.distance = alpha, distance
    pair.made_of = {"temperature": temperature, "alpha": alpha, "teacher": _digest(teacher)}
    fit(pair, train, val, **fit_options)
    copy.optimizer, copy.history = pair.optimizer, pair.history
    return copy


class Distillation(keras.Model):
    """The student's own layers, with a loss that asks the teacher."""

    alpha: float
    distance: Callable[[Any, tf.Tensor], tf.Tensor]
    made_of: dict[str, Any]  # what must be the same where a training goes on

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tf.Tensor:
        """The loss of the labels, and in training that of the teacher's answers."""
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training:
            return loss
        # As Keras does with a loss, so that the sum over the replicas is their mean.
        num_replicas = tf.distribute.get_strategy().num_replicas_in_sync
        of_labels = loss - sum(self.losses) / num_replicas  # without regularisation
        return loss + self.alpha * (self.distance(x, y_pred) / num_replicas - of_labels)


def _distance(
    student: keras.Model, teacher: keras.Model, temperature: float
) -> Callable[[Any, tf.Tensor], tf.Tensor]:
    """A function of (inputs, the student's outputs) to T^2 times the divergence, a scalar."""
    ends = ending(student), ending(teacher)
    shapes = [tuple(model.outputs[0].shape) for model in (student, teacher)]
    inputs = [[tuple(x.shape) for x in model.inputs] for model in (student, teacher)]
    for what, (ours, theirs) in {
        "kinds of outputs": (ends[0].kind, ends[1].kind),
        "shapes of outputs": shapes,
        "shapes of inputs": inputs,
    }.items():
        if ours != theirs:
            expected = f"student and teacher to have the same {what}"
            raise RequestError(received(expected, student=ours, teacher=theirs))
    divergence = _of_classes if ends[0].kind == "softmax" else _of_labels

    def distance(x: Any, y_pred: tf.Tensor) -> tf.Tensor:
        answers = tf.stop_gradient(teacher(x, training=False))
        wanted, found = (
            to_logits(outputs, end) / temperature
            for outputs, end in ((answers, ends[1]), (y_pred, ends[0]))
        )
        return temperature**2 * tf.reduce_mean(divergence(wanted, found))

    return distance


def _of_classes(wanted: tf.Tensor, found: tf.Tensor) -> tf.Tensor:
    """The Kullback-Leibler divergence of softmaxes over the last axis."""
    wanted, found = tf.nn.log_softmax(wanted), tf.nn.log_softmax(found)
    return tf.reduce_sum(tf.exp(wanted) * (wanted - found), axis=-1)


def _of_labels(wanted: tf.Tensor, found: tf.Tensor) -> tf.Tensor:
    """That of sigmoids: cross-entropy less entropy."""
    shares = tf.sigmoid(wanted)
    cross, entropy = (
        tf.nn.sigmoid_cross_entropy_with_logits(labels=shares, logits=logits)
        for logits in (found, wanted)
    )
    return cross - entropy


def _digest(model: keras.Model) -> int:
    """A sum that tells a teacher from another one."""
    total = 0
    for weight in model.get_weights():
        total = zlib.crc32(weight.tobytes(), total)
    return total
