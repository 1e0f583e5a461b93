"""How many things this process can do at the same time."""

import math
import os

from tfpipe.cgroups import cpu_quota


def num_cores() -> int:
    """The cores that this process may use, which can be fewer than the machine has.

    A process can be bound to some of the cores, and a container be given a share of their time:
    that of 2.5 cores counts as three.

    >>> num_cores() >= 1
    True
    """
    quota = cpu_quota()
    return bound_cores() if quota is None else min(bound_cores(), max(1, math.ceil(quota)))


def bound_cores() -> int:
    """The cores that the process is bound to: all of them, unless something bound it.

    >>> bound_cores() >= num_cores()
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
