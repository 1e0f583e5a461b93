"""What pays for a model: steps that overlap, or an update that XLA compiles.

Example:

    if overlapping(model): ...
"""

import math

import tensorflow as tf

from tfpipe.backend import keras

# Trainable weights of a model whose steps overlap. Of few, the updates are short and mostly wait:
# steps of LeNet-5 (61,706) are 0.06 shorter then, those of `mlp` 0.1. Of many, they take the cores
# from the next batch: steps of a BiLSTM with 387,338 were 0.08 longer. The graph holds overlapping
# steps twice, so tracing takes twice as long.
FEW_WEIGHTS = 2**17

# Weights of a variable, in the mean, from which on XLA's update is shorter. It goes once over
# them, and not a dozen times, but takes the variables in turn: steps of two wide dense layers
# (310,615) are 0.2 shorter, of a small convolutional network (39,465) 0.07, of ResNet50 (146,000)
# 0.05, of a BiLSTM (43,000) 0.04; those of MobileNetV2 (14,156) would be 0.02 longer.
LARGE_VARIABLE = 2**15


def overlapping(model: keras.Model) -> bool:
    """Whether steps are shorter if each begins before the update before it is done."""
    return _num_weights(model) <= FEW_WEIGHTS


def compiled_update(model: keras.Model) -> bool:
    """Whether steps are shorter if XLA compiles the update, and nothing else, on a CPU.

    Code that is not Keras' own, in an optimizer, a schedule or a constraint, may be more than XLA
    can compile.
    """
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    parts = [optimizer, optimizer._learning_rate]
    parts += [v.constraint for v in model.trainable_variables if v.constraint is not None]
    own = all(type(part).__module__.startswith("keras.") for part in parts)
    large = _num_weights(model) >= LARGE_VARIABLE * len(model.trainable_variables)
    return own and large and not overlapping(model) and not tf.config.list_logical_devices("GPU")


def _num_weights(model: keras.Model) -> int:
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)
