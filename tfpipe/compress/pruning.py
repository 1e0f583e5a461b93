"""Pruning as a Keras callback, for any loop.

    model.fit(x, y, epochs=3, callbacks=[Pruning(final_sparsity=0.8)])

tfmot's own `prune_low_magnitude` wraps Keras 2 layers and refuses Keras 3. Its schedules and masks
work on plain tensors, so they are applied here to the kernels themselves, after every optimizer
update, and no wrapper is left to strip.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.compress import patterns, schedules
from tfpipe.compress.kernels import Layers, chosen
from tfpipe.compress.updates import after_updates, release, updating
from tfpipe.errors import RequestError

SPARSITY = 0.8

Change = Callable[[tf.Variable, tf.Variable], None]


class Pruning(keras.callbacks.Callback):
    """Prunes the model while any loop trains it: Keras' `model.fit`, or `tfpipe.train.fit`.

    The masks hold after every single update, also where many of them run in one call of a graph
    (`steps_per_execution`), behind a `LossScaleOptimizer`, and in every replica; and after the
    averages of weights that an optimizer with `use_ema` puts into the model in the end. They hold
    as long as the training does: whoever trains on without this callback loses the zeros. Put it
    last among the callbacks, and take a new one for every `fit`.

    Args:
        final_sparsity: the share of zeros in every chosen kernel in the end, from 0 to below 1;
            0.8 if None. A pattern "n:m" has its own, and a schedule object, too: leave it None.
            Weights of the same magnitude as the least that stays all stay, as in tfmot: where
            many are equal, there are fewer zeros.
        pattern: "element": the weights that are nearest to 0, wherever they are. "2:4" and the
            like: at most 2 of 4 consecutive inputs of an output are not zero; inputs that are no
            multiple of 4 end in a smaller group. (rows, columns), such as (1, 4): whole blocks of
            the (inputs, outputs) matrix. `tfpipe.compress.patterns` says why along these axes.
        schedule: "polynomial" or "constant", over the first half of the training; or one of
            tfmot's schedules, such as `tfmot.sparsity.keras.PolynomialDecay(...)`, whose steps
            are the optimizer's updates of this training, from 1.
        layers: "all"; "inner", which leaves out the first and the last layer with a kernel, the
            ones that usually lose most; or a list of names of layers.

    Raises:
        RequestError: an argument is out of range; when the training begins, it does not fit the
            model; when it ends, a callback has stopped it before the schedule's end.

    Example:

    >>> x, y = tf.random.stateless_normal((8, 4), (1, 1)), tf.zeros((8, 5))
    >>> pixels = keras.Input((4,))
    >>> model = keras.Model(pixels, keras.layers.Dense(5, name="dense")(pixels))
    >>> model.compile("sgd", "mse")
    >>> _ = model.fit(x, y, epochs=2, verbose=0, callbacks=[Pruning(final_sparsity=0.5)])
    >>> float(keras.ops.mean(model.get_layer("dense").kernel == 0))
    0.5
    """

    def __init__(
        self,
        *,
        final_sparsity: float | None = None,
        pattern: patterns.Pattern = "element",
        schedule: Any = "polynomial",
        layers: Layers = "all",
    ):
        super().__init__()
        patterns.check_pattern(pattern)
        schedules.check_sparsity(final_sparsity, pattern, schedule)
        if isinstance(schedule, str):
            schedules.named(schedule, 0.5, 1)  # is there one of that name?
        self.final_sparsity = SPARSITY if final_sparsity is None else final_sparsity
        self.pattern, self.schedule, self.layers = pattern, schedule, layers
        self.beside: Sequence[keras.callbacks.Callback] = ()
        self.variables: list[tf.Variable] = []  # the masks: `train.fit` keeps them in checkpoints

    @property
    def made_of(self) -> dict[str, Any]:
        """What must be the same where a training goes on."""
        schedule = self.schedule
        return {
            "final_sparsity": self.final_sparsity,
            "pattern": self.pattern,
            "schedule": schedule if isinstance(schedule, str) else schedule.get_config(),
            "layers": self.layers,
        }

    def choose(self, model: keras.Model) -> list[keras.Variable]:
        """The kernels that are pruned; raises what is wrong with them."""
        found = chosen(model, self.layers)
        patterns.require_fitting(found, self.pattern)
        return [kernel.variable for kernel in found.values()]

    def on_train_begin(self, logs: object = None) -> None:
        """Makes the masks, and has them applied after every update."""
        if self.variables:
            raise RequestError("This `Pruning` has pruned a model already. Make a new one.")
        model = self.model
        self._kernels = [kernel.value for kernel in self.choose(model)]
        self._schedule = self._timed()
        self._check_callbacks()
        with model.distribute_strategy.scope():
            self.variables = [_mask(kernel) for kernel in self._kernels]
        self._updates = updating(model).iterations
        self._begin = int(tf.convert_to_tensor(self._updates.value))
        self._renewed = patterns.masker(self.pattern, self._schedule, self._step)
        after_updates(model, self._hold)

    def on_train_end(self, logs: object = None) -> None:
        """Lets the optimizer go, and applies the masks to averages that it may have put in."""
        release(self.model)
        if int(self._step()) < self._last:
            raise RequestError(
                f"The pruning of {self.model.name!r} was stopped after {int(self._step())} updates,"
                f" and its schedule needs {self._last}. {self._advice()}"
            )
        strategy = self.model.distribute_strategy
        with strategy.scope():
            self._apply(strategy, _without)

    def _timed(self) -> Any:
        """The schedule in steps of this training."""
        n_m, steps = patterns.groups(self.pattern), self.params.get("steps")
        num_steps = steps and steps * self.params["epochs"]
        schedule = self.schedule
        if n_m:
            schedule = schedules.at_once(1 - n_m[0] / n_m[1])
        elif isinstance(schedule, str):
            if not num_steps:
                raise RequestError(
                    f"How many steps this training has is not known, so `schedule={schedule!r}` "
                    "has no end. Give `fit` a `steps_per_epoch`, or `Pruning` one of tfmot's "
                    "schedules."
                )
            schedule = schedules.named(schedule, self.final_sparsity, num_steps)
        if num_steps:
            schedules.require_reached(schedule, num_steps)
        self._last = schedules.reached_at(schedule, num_steps or 2**31 - 1)
        return schedule

    def _check_callbacks(self) -> None:
        for callback in self.beside:
            early = isinstance(callback, keras.callbacks.EarlyStopping)
            if early and callback.start_from_epoch < self._epochs():
                raise RequestError(
                    "An `EarlyStopping` would compare epochs with more and more zeros, of which "
                    f"the first are no result. {self._advice()}"
                )

    def _advice(self) -> str:
        return f"Give `EarlyStopping` a `start_from_epoch={self._epochs()}`, or train longer."

    def _epochs(self) -> int:
        """How many epochs pass until the share of zeros stays."""
        return math.ceil(self._last / (self.params.get("steps") or 1))

    def _step(self) -> tf.Tensor:
        return tf.convert_to_tensor(self._updates.value) - self._begin

    def _hold(self, strategy: tf.distribute.Strategy) -> None:
        """Renews the masks in time, and applies them."""

        def renew() -> None:
            for mask, kernel in zip(self.variables, self._kernels, strict=True):
                strategy.extended.update(mask, self._renew, args=(kernel,), group=False)

        due, _ = self._schedule(self._step())
        tf.cond(due, renew, lambda: None)
        self._apply(strategy, _masked)

    def _renew(self, mask: tf.Variable, kernel: tf.Variable) -> None:
        mask.assign(self._renewed(tf.convert_to_tensor(kernel)))

    def _apply(self, strategy: tf.distribute.Strategy, change: Change) -> None:
        for kernel, mask in zip(self._kernels, self.variables, strict=True):
            strategy.extended.update(kernel, change, args=(mask,), group=False)


def _masked(kernel: tf.Variable, mask: tf.Variable) -> None:
    kernel.assign(kernel * mask)  # four times as fast as choosing by a boolean mask


def _without(kernel: tf.Variable, mask: tf.Variable) -> None:
    # A product with 0 may be -0, which is another number to a zip archive.
    kernel.assign(tf.where(mask > 0, kernel, tf.zeros_like(kernel)))


def _mask(kernel: tf.Variable) -> tf.Variable:
    # Every replica makes its own from the same weights.
    return tf.Variable(
        tf.ones(kernel.shape, kernel.dtype),
        trainable=False,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
    )
