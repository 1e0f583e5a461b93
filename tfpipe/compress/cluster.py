"""Weight sharing: every kernel has a few distinct values, which are trained.

    clustered = cluster(model, train, val, num_clusters=16, epochs=3)

A kernel's weights are divided into clusters once, by k-means from one of tfmot's initialisations,
and stay in them, as in Han et al., "Deep compression", 2016. After every update each cluster takes
the mean of its weights: the nearest kernel, in the sum of squares, that shares them. For SGD this
is tfmot's `GradientAggregation.AVG`, a step along the mean of a cluster's gradients.
"""

from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.compress.copying import copied
from tfpipe.compress.kernels import Layers, chosen
from tfpipe.compress.kmeans import INITIAL, divided
from tfpipe.compress.updates import after_updates, release
from tfpipe.errors import RequestError, one_of, received
from tfpipe.train import data, fit


def cluster(
    model: keras.Model,
    train: data.Batches,
    val: data.Batches | None = None,
    *,
    num_clusters: int = 16,
    initial: str = "kmeans++",
    layers: Layers = "all",
    **fit_options: Any,
) -> keras.Model:
    """Lets the weights of each kernel share a few values, and trains these.

    A kernel of 16 distinct values is 4 bits per weight and a table, and zips accordingly. Zeros
    stay zeros: they are a cluster of their own, so a pruned model stays pruned.

    Args:
        model: the trained, compiled model; it stays as it is.
        train, val: batches, as `tfpipe.train.fit` takes them.
        num_clusters, initial, layers: as `Clustering` takes them.
        **fit_options: whatever else `tfpipe.train.fit` takes. Unless you say otherwise `epochs`
            is 3, `optimizer` a new one like the model's own, and `clip_norm` None.

    Returns:
        A copy with at most `num_clusters` distinct values in each chosen kernel, compiled like
        the model, with its training in `history`.

    Raises:
        RequestError: an argument is out of range or does not fit the model, or the model is not
            compiled.

    Example:

    >>> x = keras.Input((4,))
    >>> model = keras.Model(x, keras.layers.Dense(5, name="dense")(x))
    >>> model.compile("sgd", "mse")
    >>> train = tf.data.Dataset.from_tensors((tf.ones((8, 4)), tf.zeros((8, 5))))
    >>> clustered = cluster(model, train, num_clusters=3, epochs=1)
    >>> len(set(keras.ops.convert_to_numpy(clustered.get_layer("dense").kernel).flat))
    3
    """
    clustering = Clustering(num_clusters=num_clusters, initial=initial, layers=layers)
    clustered = copied(model, fit_options.pop("optimizer", None))
    chosen(clustered, layers)  # what is wrong is said before data are opened
    callbacks = [*fit_options.pop("callbacks", ()), clustering]
    options = {"epochs": 3, "clip_norm": None, **fit_options}
    fit(clustered, train, val, callbacks=callbacks, **options)
    return clustered


class Clustering(keras.callbacks.Callback):
    """Shares weights while any loop trains the model: Keras' `model.fit`, or `tfpipe.train.fit`.

    The weights are shared after every single update, as `Pruning`'s masks hold. Put it last among
    the callbacks, and take a new one for every `fit`.

    Args:
        num_clusters: the most distinct values in each chosen kernel, zero included; at least 2.
        initial: where k-means begins: "kmeans++", "linear" (evenly from the least weight to the
            largest, which serves the few large ones) or "density" (as many weights for each).
        layers: "all", "inner" or names, as in `Pruning`.

    Raises:
        RequestError: an argument is out of range, or does not fit the model.

    Example:

    >>> x, y = tf.random.stateless_normal((8, 4), (1, 1)), tf.zeros((8, 5))
    >>> pixels = keras.Input((4,))
    >>> model = keras.Model(pixels, keras.layers.Dense(5, name="dense")(pixels))
    >>> model.compile("sgd", "mse")
    >>> _ = model.fit(x, y, epochs=2, verbose=0, callbacks=[Clustering(num_clusters=3)])
    >>> len(set(keras.ops.convert_to_numpy(model.get_layer("dense").kernel).flat))
    3
    """

    def __init__(
        self, *, num_clusters: int = 16, initial: str = "kmeans++", layers: Layers = "all"
    ):
        super().__init__()
        if num_clusters < 2:
            raise RequestError(
                received("`num_clusters` to be at least 2", num_clusters=num_clusters)
            )
        if initial not in INITIAL:
            raise RequestError(one_of("initial", initial, tuple(INITIAL)))
        self.num_clusters, self.initial, self.layers = num_clusters, initial, layers
        self.variables: list[tf.Variable] = []  # each weight's cluster; `train.fit` keeps them

    @property
    def made_of(self) -> dict[str, Any]:
        """What must be the same where a training goes on."""
        return {
            "num_clusters": self.num_clusters,
            "initial": self.initial,
            "layers": self.layers,
        }

    def on_train_begin(self, logs: object = None) -> None:
        """Divides the weights into clusters, and has them share their values from now on."""
        if self.variables:
            raise RequestError("This `Clustering` has clustered a model already. Make a new one.")
        model = self.model
        self._kernels = [k.variable.value for k in chosen(model, self.layers).values()]
        values = [tf.convert_to_tensor(kernel).numpy() for kernel in self._kernels]
        found = [divided(value, self.num_clusters, self.initial) for value in values]
        with model.distribute_strategy.scope():
            self.variables = [
                tf.Variable(
                    clusters,
                    trainable=False,
                    aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
                )
                for clusters in found
            ]
        self._share_now()
        after_updates(model, self._hold)

    def on_train_end(self, logs: object = None) -> None:
        """Lets the optimizer go, and shares averages that it may have put in."""
        release(self.model)
        self._share_now()

    def _share_now(self) -> None:
        strategy = self.model.distribute_strategy
        with strategy.scope():
            self._hold(strategy)

    def _hold(self, strategy: tf.distribute.Strategy) -> None:
        for kernel, clusters in zip(self._kernels, self.variables, strict=True):
            strategy.extended.update(kernel, self._share, args=(clusters,), group=False)

    def _share(self, kernel: tf.Variable, clusters: tf.Variable) -> None:
        numbers = tf.cast(clusters, tf.int32)
        means = tf.math.unsorted_segment_mean(kernel, numbers, 1 + self.num_clusters)
        zero = tf.zeros_like(means[:1])  # cluster 0, which updates would move
        means = tf.concat([zero, means[1:]], 0)
        kernel.assign(tf.gather(means, numbers))
