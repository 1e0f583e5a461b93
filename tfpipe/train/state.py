"""All that a training depends on but for callbacks, as arrays and plain facts: read, put back.

Example:

    arrays = read(model, extra)
    put_back(model, extra, arrays)
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR

from tfpipe.backend import keras
from tfpipe.train import workers

Arrays = dict[str, npt.NDArray[Any]]


def read(model: keras.Model, extra: Sequence[tf.Variable]) -> Arrays:
    """Weights, optimizer, loss scale, metrics so far, and every seed; each replica's values."""
    arrays: Arrays = {}
    for number, variable in enumerate(variables(model, extra)):
        for replica, part in enumerate(_parts(model.distribute_strategy, variable)):
            arrays[f"v{number}/{replica}"] = np.array(part)
    arrays["numpy_keys"] = np.random.get_state(legacy=False)["state"]["key"]
    return arrays


def put_back(model: keras.Model, extra: Sequence[tf.Variable], arrays: Arrays) -> None:
    """The opposite of `read`."""
    strategy = model.distribute_strategy
    for number, variable in enumerate(variables(model, extra)):
        for replica, part in enumerate(strategy.experimental_local_results(variable)):
            value = arrays[f"v{number}/{replica}"]
            if _summed_over_workers(strategy, variable) and not workers.is_chief(strategy):
                value = np.zeros_like(value)
            part.assign(value)


def variables(model: keras.Model, extra: Sequence[tf.Variable]) -> list[tf.Variable]:
    """The variables that training changes, each once, always in the same order."""
    seeds = global_state.get_global_attribute(GLOBAL_SEED_GENERATOR)
    found = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
    found += [seeds.state] if seeds is not None else []
    found += carried(model)
    plain = [variable.value for variable in found]
    return list({id(variable): variable for variable in [*plain, *extra]}.values())


def carried(model: keras.Model) -> list[keras.Variable]:
    """What stateful RNN layers carry from batch to batch; Keras' `variables` leave it out."""
    stateful = [layer for layer in model._flatten_layers() if getattr(layer, "stateful", False)]
    states = tf.nest.flatten([getattr(layer, "states", None) for layer in stateful])
    return list({id(s): s for s in states if isinstance(s, keras.Variable)}.values())


def random_facts() -> dict[str, Any]:
    """The state of Python's and NumPy's generators, but for NumPy's keys, which are an array."""
    version, numbers, gauss = random.getstate()
    drawn = np.random.get_state(legacy=False)
    return {
        "python": [version, list(numbers), gauss],
        "numpy": [
            drawn["bit_generator"],
            drawn["state"]["pos"],
            drawn["has_gauss"],
            drawn["gauss"],
        ],
    }


def put_back_random(facts: Mapping[str, Any], arrays: Arrays) -> None:
    """The opposite of `random_facts`."""
    version, numbers, gauss = facts["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, position, has_gauss, cached = facts["numpy"]
    np.random.set_state((name, arrays["numpy_keys"], position, has_gauss, cached))


def _parts(strategy: tf.distribute.Strategy, variable: tf.Variable) -> Sequence[tf.Tensor]:
    if _summed_over_workers(strategy, variable):
        return [variable.read_value()] * len(strategy.experimental_local_results(variable))
    return strategy.experimental_local_results(variable)


def _summed_over_workers(strategy: tf.distribute.Strategy, variable: tf.Variable) -> bool:
    """Whether each worker has a part of the value, of which files can hold the sum only."""
    on_read = variable.synchronization == tf.VariableSynchronization.ON_READ
    return on_read and workers.are_many(strategy)
