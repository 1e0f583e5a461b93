"""Ops as JSON: one object per op, with its class' name under "op" and every argument.

Example:

    [{"op": "Decode", "channels": 1}, {"op": "ToFloat"}]
"""

import dataclasses
import json
from collections.abc import Iterable
from typing import Any, TypeVar

from tfpipe.errors import RequestError, one_of, received
from tfpipe.ops.base import Op

OpClass = TypeVar("OpClass", bound=type[Op])

_CLASSES: dict[str, type[Op]] = {}


def register(op: OpClass) -> OpClass:
    """Lets chains with an op of one's own be saved and loaded; goes above the op's class.

    Args:
        op: a frozen dataclass of numbers, strings, booleans, None and tuples of them.

    Returns:
        The class.

    Raises:
        RequestError: another op has that name.

    Example:

    >>> @register
    ... @dataclasses.dataclass(frozen=True)
    ... class Invert(Op):
    ...     takes = gives = "uint8"
    ...     def apply(self, image):
    ...         return 255 - image
    >>> to_config([Invert()])
    [{'op': 'Invert'}]
    """
    known = _CLASSES.get(op.__name__, op)
    # A class that a notebook defines once more takes its own place.
    if (known.__module__, known.__qualname__) != (op.__module__, op.__qualname__):
        raise RequestError(
            f"An op called {op.__name__!r} is registered already, from {known.__module__}. "
            "Give this one another name."
        )
    _CLASSES[op.__name__] = op
    return op


def to_config(ops: Iterable[Op]) -> list[dict[str, Any]]:
    """The ops as lists, dicts, numbers and strings.

    Raises:
        RequestError: an op is not registered, or has an argument that JSON cannot hold.
    """
    return [_entry(op) for op in ops]


def from_config(entries: Any) -> list[Op]:
    """The inverse; arguments that are left out take their defaults.

    Raises:
        RequestError: there is no such op or argument, or the op refuses the argument's value.

    Example:

    >>> from_config([{"op": "Resize", "size": [8, 6]}])
    [Resize(size=(8, 6))]
    """
    if not isinstance(entries, list | tuple):
        raise RequestError(received("a list of ops", ops=entries))
    return [_op(entry) for entry in entries]


def _entry(op: Op) -> dict[str, Any]:
    name = type(op).__name__
    if _CLASSES.get(name) is not type(op):
        raise RequestError(
            f"{op!r} cannot be saved: nothing would know {name!r} when it is loaded. Put "
            "`@tfpipe.ops.register` above its class."
        )
    entry = {"op": name, **{f.name: getattr(op, f.name) for f in dataclasses.fields(op)}}
    try:
        return json.loads(json.dumps(entry, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise RequestError(f"{op!r} cannot be saved as JSON: {error}.") from None


def _op(entry: Any) -> Op:
    if not isinstance(entry, dict) or "op" not in entry:
        raise RequestError(received('an op as {"op": its name, its arguments}', entry=entry))
    name = entry["op"]
    if name not in _CLASSES:
        raise RequestError(
            f"{one_of('op', name, sorted(_CLASSES))} An op of your own is known once its module "
            "is imported, with `@tfpipe.ops.register` above its class."
        )
    arguments = {key: _tuples(value) for key, value in entry.items() if key != "op"}
    fields = {field.name: field for field in dataclasses.fields(_CLASSES[name])}
    for key in arguments:
        if not fields:
            raise RequestError(f"{name}: Expected no arguments. Received: {key!r}")
        if key not in fields:
            raise RequestError(f"{name}: {one_of('argument', key, fields)}")
    for key, field in fields.items():
        if key not in arguments and field.default is dataclasses.MISSING:
            raise RequestError(
                f"{name} needs `{key}`. Received: {', '.join(arguments) or 'nothing'}"
            )
    return _CLASSES[name](**arguments)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
