"""Keeps TensorFlow's chatter out of a script's standard error.

    with filtered():
        import tensorflow

TensorFlow 2.21 prints about drivers and instruction sets before it reads TF_CPP_MIN_LOG_LEVEL,
and its converter and LiteRT print whatever is set. Those lines come from C++; here what C++
writes passes through a filter, while Python goes on writing to standard error itself.
"""

import contextlib
import os
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

_NOISE = re.compile(
    rb"""
    [IW]\d{4}[ ]              # information and warnings of the C++ log
    | E\d{4}[ ].*failed[ ]call[ ]to[ ]cuInit        # there is no GPU
    | E\d{4}[ ].*oneDNN[ ]supports[ ]DT_            # another kernel is taken
    | WARNING:[ ]All[ ]log[ ]messages[ ]before[ ]absl::InitializeLog
    | To[ ]enable[ ]the[ ]following[ ]instructions:
    | INFO:[ ]Created[ ]TensorFlow[ ]Lite
    | fully_quantize:
    """,
    re.VERBOSE,
)


@contextlib.contextmanager
def filtered() -> Iterator[None]:
    """Drops TensorFlow's known noise from file descriptor 2 until the block ends.

    Everything else that C++ writes there is passed on. `sys.stderr` is a stream of its own in
    the meantime, unfiltered, and still a terminal if it was one. It stays open: the loggers that
    libraries make while they are imported hold on to it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    outer, stream = os.dup(2), sys.stderr
    reading, writing = os.pipe()
    os.dup2(writing, 2)
    os.close(writing)
    sys.stderr = os.fdopen(outer, "w", buffering=1, errors="backslashreplace", closefd=False)
    thread = threading.Thread(target=_pass_on, args=(reading, outer), daemon=True)
    thread.start()
    try:
        yield
    finally:
        sys.stderr.flush()
        sys.stderr = stream
        os.dup2(outer, 2)  # closes our writing end of the pipe, and so ends the thread
        thread.join(timeout=5)  # a child process that lives on may hold another writing end


@contextlib.contextmanager
def plain_warnings() -> Iterator[None]:
    """Warnings to the user are their sentence, without a place in the code."""
    usual = warnings.formatwarning

    def told(message: Any, category: type[Warning], *place: Any, **more: Any) -> str:
        if issubclass(category, UserWarning):
            return f"Warning: {message}\n"
        return usual(message, category, *place, **more)

    warnings.formatwarning = told
    try:
        yield
    finally:
        warnings.formatwarning = usual


def is_noise(line: bytes) -> bool:
    """Whether the line is one of those that TensorFlow prints of itself.

    >>> is_noise(b"I0000 00:00:1795306613.842398    2377 port.cc:153] oneDNN custom operations")
    True
    >>> is_noise(b"terminate called after throwing an instance of 'std::bad_alloc'")
    False
    """
    return bool(_NOISE.match(line))


def _pass_on(reading: int, outer: int) -> None:
    with os.fdopen(reading, "rb") as lines:
        for line in lines:
            if not is_noise(line):
                os.write(outer, line)
