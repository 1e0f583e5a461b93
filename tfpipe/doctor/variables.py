"""Environment variables that change what TensorFlow and Keras do, and are easily forgotten.

Example:

    variables()         # a Finding
"""

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from tfpipe.doctor.finding import GOOD, NOTE, WRONG, Finding, worst


class Variable(NamedTuple):
    """One that can be set, and what it then does."""

    name: str
    matters: Callable[[str], bool]
    state: str
    effect: str


def _is_true(value: str) -> bool:
    return value in ("1", "true", "True")  # by TensorFlow's own rule


VARIABLES = (
    Variable(
        "TF_USE_LEGACY_KERAS",
        _is_true,
        WRONG,
        "tf.keras is Keras 2, whose models and optimizers tfpipe does not take",
    ),
    Variable(
        "KERAS_BACKEND",
        lambda value: value not in ("", "tensorflow"),
        WRONG,
        "Keras computes with it, and tfpipe needs TensorFlow",
    ),
    Variable(
        "TF_ENABLE_ONEDNN_OPTS",
        lambda value: value == "0",
        NOTE,
        "the quickest kernels for the CPU are left out",
    ),
    Variable("TF_CONFIG", bool, NOTE, "training waits for the other workers that it names"),
    Variable("TF_NUM_INTRAOP_THREADS", bool, NOTE, "an operator has that many threads"),
)


def variables(environment: Mapping[str, str] = os.environ) -> Finding:
    """Looks at those that are set.

    Args:
        environment: names and values, as `os.environ` has them.

    >>> variables({"TF_ENABLE_ONEDNN_OPTS": "0"}).found
    'TF_ENABLE_ONEDNN_OPTS=0: the quickest kernels for the CPU are left out'
    """
    found = [v for v in VARIABLES if v.matters(environment.get(v.name, ""))]
    if not found:
        nothing = "none is set that changes what TensorFlow and Keras do"
        return Finding("variables", GOOD, nothing)
    effects = "; ".join(f"{v.name}={environment[v.name]}: {v.effect}" for v in found)
    todo = f"Unless you mean it: unset {' '.join(v.name for v in found)}"
    return Finding("variables", worst([v.state for v in found]), effects, todo)
