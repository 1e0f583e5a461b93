"""The optimizer that most jobs want.

Example:

    model.compile(cosine_adam(2e-3, epochs * len(train)), loss="mse")
"""

from tfpipe.backend import keras
from tfpipe.errors import RequestError, received


def cosine_adam(
    learning_rate: float, steps: int, *, warm_up: float = 0.0, average: float = 0.0
) -> keras.optimizers.Optimizer:
    """Adam, whose learning rate falls to 0 along half a cosine, after a warm-up if there is one.

    Sources: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015; Loshchilov and
    Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017, without restarts.

    Args:
        learning_rate: of the first step, or of the first after the warm-up.
        steps: of the whole training: `epochs * len(train)`.
        warm_up: the share of the steps in which the rate rises from 0 first, in a straight line.
        average: the model ends with the moving average of its weights over about the last such
            share of the steps, a fraction from 0 (no average) to 1.

    Returns:
        Keras' Adam, for `compile` or `fit`.

    Raises:
        RequestError: fewer steps than one, or no fraction.

    Example:

    >>> round(float(cosine_adam(0.002, 100).learning_rate), 4)
    0.002
    """
    if steps < 1:
        raise RequestError(received("`steps` to be at least 1", steps=steps))
    for name, share in {"average": average, "warm_up": warm_up}.items():
        if not 0 <= share <= 1:
            raise RequestError(received(f"`{name}` to be a fraction from 0 to 1", **{name: share}))
    decay = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    if warm := int(warm_up * steps):
        decay = keras.optimizers.schedules.CosineDecay(
            0.0, max(1, steps - warm), warmup_target=learning_rate, warmup_steps=warm
        )
    if not average:
        return keras.optimizers.Adam(decay)
    momentum = max(0.0, 1 - 1 / (average * steps))
    return keras.optimizers.Adam(decay, use_ema=True, ema_momentum=momentum)
