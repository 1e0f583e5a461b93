"""How many things this process can do at the same time."""

import os


def num_cores() -> int:
    """The cores that this process may use, which can be fewer than the machine has.

    >>> num_cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
