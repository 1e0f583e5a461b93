"""Cores and memory: those of the machine, and those that this process gets.

Example:

    cores(), memory()           # each a Finding
"""

import os
import pathlib
import platform

from tfpipe.cgroups import cpu_quota, memory_limit
from tfpipe.cores import bound_cores, num_cores
from tfpipe.doctor.finding import GOOD, NOTE, WRONG, Finding
from tfpipe.report import human_bytes

LEAST_BYTES = 2_000_000_000  # the pass takes 1.3 GB at its peak
PLENTY_BYTES = 4_000_000_000
CPU_INFO = pathlib.Path("/proc/cpuinfo")


def cores() -> Finding:
    """The processor: TensorFlow takes a thread for each core that it sees."""
    there, bound, quota, usable = os.cpu_count() or 1, bound_cores(), cpu_quota(), num_cores()
    busy = os.getloadavg()[0]
    found = f"{usable} of {there}; in the last minute, {busy:.1f} were asked for"
    if "x86" in platform.machine() and CPU_INFO.exists() and " avx " not in CPU_INFO.read_text():
        todo = "TensorFlow's packages need it: take another machine, or build TensorFlow for this."
        return Finding("cores", WRONG, f"{found}; the processor has no AVX", todo)
    if quota is not None and quota < bound:
        todo = (
            f"TensorFlow does not know and starts {bound} threads: set TF_NUM_INTRAOP_THREADS="
            f"{usable}, or give the container more"
        )
        return Finding("cores", NOTE, f"{found}; the container gets the time of {quota:g}", todo)
    if busy > there:
        todo = "End other programs before you measure anything"
        return Finding("cores", NOTE, found, todo)
    return Finding("cores", GOOD, found)


def memory() -> Finding:
    """What is free, within the machine and within the limits of a container or batch system."""
    import psutil

    there, limit = psutil.virtual_memory(), memory_limit()
    free = there.available if limit is None else min(there.available, limit)
    found = f"{human_bytes(free)} free of {human_bytes(there.total)}"
    if limit is not None and limit < there.total:
        found += f"; the container gets {human_bytes(limit)}"
    if free < LEAST_BYTES:
        todo = f"End other programs, or give the container {human_bytes(PLENTY_BYTES)} or more"
        return Finding("memory", WRONG, found, todo)
    if free < PLENTY_BYTES:
        todo = "Small models fit; for large ones take smaller batches: train.fit(accumulate=)"
        return Finding("memory", NOTE, found, todo)
    return Finding("memory", GOOD, found)
