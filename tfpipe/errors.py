"""The two errors a person can mend, and the wording that all rooms share.

Example:

    raise RequestError(one_of("mode", "int9", ("float32", "int8")))
    raise DataError("images.gz", "expected 16 header bytes, found 3", record=None)
"""

import difflib
import itertools
import os
from collections.abc import Collection

_LONGEST = 300  # of a value's text
_MOST = 20  # members that are listed


class RequestError(ValueError):
    """What was asked for cannot be done; the sentence says which argument, and what to do.

    Example:

    >>> raise RequestError(received("`epochs` to be at least 1", epochs=0))
    Traceback (most recent call last):
    tfpipe.errors.RequestError: Expected `epochs` to be at least 1. Received: epochs=0
    """

    # TensorFlow's AutoGraph leaves an exception with this attribute as it is; of any other that
    # is raised in `Dataset.map` or `tf.function` it makes one of its own, many lines long.
    ag_pass_through = True


class DataError(Exception):
    """A file, or one record of it, is not what it should be.

    Args:
        path: the file or folder.
        problem: what was expected and what was found.
        record: the record's number in the file, from 0, where there is one.

    Example:

    >>> print(DataError("train.tfrecord", "the checksum does not fit", record=7))
    train.tfrecord, record 7: the checksum does not fit
    """

    def __init__(self, path: str | os.PathLike[str], problem: str, *, record: int | None = None):
        self.path = os.fspath(path)
        self.problem = problem
        self.record = record
        super().__init__(self.path, problem, record)

    def __str__(self) -> str:
        place = self.path if self.record is None else f"{self.path}, record {self.record}"
        return f"{place}: {self.problem}"

    def __reduce__(self) -> tuple[object, ...]:
        return _data_error, (self.path, self.problem, self.record)


def _data_error(path: str, problem: str, record: int | None) -> DataError:
    return DataError(path, problem, record=record)


def received(expected: str, **arguments: object) -> str:
    """The sentence for a wrong argument: what was expected, what came.

    >>> received("`epochs` to be at least 1", epochs=0)
    'Expected `epochs` to be at least 1. Received: epochs=0'
    """
    listed = ", ".join(f"{name}={_cut(repr(value))}" for name, value in arguments.items())
    return f"Expected {expected}. Received: {listed}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def one_of(name: str, value: object, members: Collection[str]) -> str:
    """The sentence for a value outside a closed set: its members, and the nearest one.

    >>> one_of("mode", "int9", ("float32", "int8"))
    "Expected `mode` to be one of 'float32', 'int8'. Received: mode='int9'. Did you mean 'int8'?"
    """
    listed = ", ".join(repr(member) for member in itertools.islice(members, _MOST))
    if len(members) > _MOST:
        listed += f" and {len(members) - _MOST} others"
    sentence = received(f"`{name}` to be one of {listed}", **{name: value})
    near = difflib.get_close_matches(str(value), members, n=1)
    return f"{sentence}. Did you mean {near[0]!r}?" if near else sentence
