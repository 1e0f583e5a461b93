"""What callbacks remember in plain attributes: as JSON and arrays, and back.

Example:

    before = copy.deepcopy(of_callbacks(callbacks))
    text = json.dumps(packed(changed(of_callbacks(callbacks)[0], before[0]), arrays))
    put_back(callbacks[0], unpacked(json.loads(text), arrays), before[0])
"""

import collections
import copy
import importlib
import types
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfpipe.backend import keras

Arrays = dict[str, npt.NDArray[Any]]
Callbacks = Sequence[keras.callbacks.Callback]

_NOT_STATE = ("_model", "params", "validation_data")
_MISSING = object()
_LISTS = {"tuple": tuple, "set": set, "frozenset": frozenset, "deque": collections.deque}
_IN_PLACE = (dict, set, list, collections.deque)


def of_callbacks(callbacks: Callbacks) -> list[dict[str, Any]]:
    """What each callback remembers: counters, best values, arrays, functions that have a name."""
    return [
        {
            name: value
            for name, value in vars(callback).items()
            if name not in _NOT_STATE and _is_plain(value)
        }
        for callback in callbacks
    ]


def variables(callbacks: Callbacks) -> list[tf.Variable]:
    """What callbacks list as `variables`, and their attributes that are variables or metrics."""
    found: list[Any] = []
    for callback in callbacks:
        found += getattr(callback, "variables", ())
        for value in vars(callback).values():
            if isinstance(value, keras.metrics.Metric):
                found += value.variables
            elif isinstance(value, keras.Variable | tf.Variable):
                found.append(value)
    return [getattr(v, "value", v) if isinstance(v, keras.Variable) else v for v in found]


def changed(now: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """What a callback remembers of the training itself, and not of how it was made."""
    return {name: v for name, v in now.items() if not _same(v, before.get(name, _MISSING))}


def put_back(
    callback: keras.callbacks.Callback, values: Mapping[str, Any], before: Mapping[str, Any]
) -> None:
    """Gives a callback what it remembered; what had not changed is as before the training.

    Containers stay the same objects, of their own class, with what they remembered in them.
    """
    for name, value in {**before, **values}.items():
        held = vars(callback).get(name)
        if not any(isinstance(held, kind) and isinstance(value, kind) for kind in _IN_PLACE):
            setattr(callback, name, value)
            continue
        copied = copy.copy(value)  # what is held may be what it was before
        held.clear()
        add = held.update if isinstance(held, dict | set) else held.extend
        add(copied)


def packed(value: Any, arrays: Arrays) -> Any:
    """A plain value as JSON; arrays move to `arrays`."""
    if isinstance(value, np.ndarray | np.generic):
        name = f"a{len(arrays)}"
        arrays[name] = np.array(value)
        return {"array": name, "scalar": isinstance(value, np.generic)}
    if isinstance(value, types.FunctionType):
        return {"function": [value.__module__, value.__qualname__]}
    if isinstance(value, dict):
        return {"dict": [[packed(k, arrays), packed(v, arrays)] for k, v in value.items()]}
    for kind, made in _LISTS.items():
        if isinstance(value, made):
            return {kind: [packed(part, arrays) for part in value]}
    if isinstance(value, list):
        return [packed(part, arrays) for part in value]
    return value


def unpacked(value: Any, arrays: Arrays) -> Any:
    """The opposite of `packed`."""
    if isinstance(value, list):
        return [unpacked(part, arrays) for part in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        array = arrays[value["array"]]
        return array[()] if value["scalar"] else array
    if "function" in value:
        return _named(*value["function"])
    if "dict" in value:
        return {unpacked(k, arrays): unpacked(v, arrays) for k, v in value["dict"]}
    ((kind, parts),) = value.items()
    return _LISTS[kind](unpacked(part, arrays) for part in parts)


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value.keys())) and all(map(_is_plain, value.values()))
    if isinstance(value, list | tuple | set | frozenset | collections.deque):
        return all(map(_is_plain, value))
    if isinstance(value, types.FunctionType):  # Keras' `monitor_op`, made in the first epoch
        return _named(value.__module__, value.__qualname__) is value
    return value is None or isinstance(value, bool | int | float | str | np.ndarray | np.generic)


def _named(module: str, name: str) -> Any:
    """A function of a module; None where it has none of that name, such as a lambda."""
    return getattr(importlib.import_module(module), name, None)


def _same(one: Any, two: Any) -> bool:
    if type(one) is not type(two):
        return False
    if isinstance(one, list | tuple | collections.deque):
        return len(one) == len(two) and all(map(_same, one, two))
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(_same(one[key], two[key]) for key in one)
    if isinstance(one, np.ndarray):
        return one is two
    return bool(one == two)
