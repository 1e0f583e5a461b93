"""What a container or a batch system lets this process have: Linux' control groups.

Example:

    quota = cpu_quota()          # 2.5 cores; None: no limit
    limit = memory_limit()       # bytes; None: no limit

The files are those of the kernel's documents "Control Group v2" (cpu.max, memory.max), "CFS
Bandwidth Control" (cpu.cfs_quota_us, cpu.cfs_period_us) and "Memory Resource Controller"
(memory.limit_in_bytes), the last two for version 1. The limits of all groups around a group hold,
too.
"""

import pathlib
from collections.abc import Iterator

GROUPS = pathlib.Path("/proc/self/cgroup")
MOUNT = pathlib.Path("/sys/fs/cgroup")
NO_LIMIT = 1 << 60  # version 1 has the largest number of whole pages for it


def cpu_quota() -> float | None:
    """The cores' worth of time that this process gets; None where nothing limits it.

    >>> cpu_quota() is None or cpu_quota() > 0
    True
    """
    pairs = [_numbers(folder / "cpu.max") for folder in _folders("cpu")]
    for folder in _folders("cpu"):
        quota, period = (_numbers(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
        pairs.append([*quota, *period])
    return min((pair[0] / pair[1] for pair in pairs if len(pair) == 2), default=None)


def memory_limit() -> int | None:
    """The bytes that this process and those of its groups get; None where nothing limits them.

    >>> memory_limit() is None or memory_limit() > 0
    True
    """
    files = ("memory.max", "memory.limit_in_bytes")
    found = [_numbers(folder / file) for folder in _folders("memory") for file in files]
    return min((limit for limits in found for limit in limits if limit < NO_LIMIT), default=None)


def _folders(controller: str) -> Iterator[pathlib.Path]:
    """The process' own group and those around it, as far as they can be seen from here."""
    lines = GROUPS.read_text().splitlines() if GROUPS.exists() else []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        mount = MOUNT / controllers  # of version 2, which has one tree, it is the mount itself
        yield mount
        names = pathlib.PurePosixPath(path).parts[1:]
        yield from (mount.joinpath(*names[: i + 1]) for i in range(len(names)))


def _numbers(file: pathlib.Path) -> list[int]:
    """The whole numbers from 0 in a file; none where there is no file, or no limit ("max", -1)."""
    try:
        words = file.read_text().split()
    except OSError:
        return []
    return [int(word) for word in words] if all(map(str.isdecimal, words)) else []
