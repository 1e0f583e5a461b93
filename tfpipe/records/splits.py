"""Which split an example belongs to, and its place on disk: functions of (id, seed) alone.

Neither depends on the other examples, so adding a file moves no other file.
"""

import hashlib
from collections.abc import Mapping, Sequence

from tfpipe.errors import RequestError, received

Split = Sequence[float] | Mapping[str, float]
NAMES = ("train", "val", "test")


def position(example_id: str, seed: int, *, purpose: str) -> float:
    """A number in [0, 1) that looks random and is always the same for these arguments.

    >>> position("cat/1.png", 0, purpose="split") == position("cat/1.png", 0, purpose="split")
    True
    """
    digest = hashlib.blake2b(f"{purpose}/{seed}/{example_id}".encode(), digest_size=8).digest()
    # 53 bits, the width of a float64: all 64 could round up to 1.0.
    return (int.from_bytes(digest) >> 11) / 2**53


def split_of(example_id: str, fractions: Mapping[str, float], seed: int) -> str:
    """The name of the split that `example_id` falls into.

    >>> split_of("cat/1.png", {"train": 1.0}, seed=0)
    'train'
    """
    place = position(example_id, seed, purpose="split")
    names = [name for name, fraction in fractions.items() if fraction > 0]
    reached = 0.0
    for name in names:
        reached += fractions[name]
        if place < reached:
            return name
    return names[-1]  # the fractions' sum may end a rounding error below 1


def as_fractions(split: Split) -> dict[str, float]:
    """Names the fractions of `split`: two are train and val, three train, val and test.

    >>> as_fractions((0.7, 0.2, 0.1))
    {'train': 0.7, 'val': 0.2, 'test': 0.1}

    Raises:
        RequestError: the fractions are negative, more than three without names, or do not add
            up to 1.
    """
    if isinstance(split, Mapping):
        fractions = {str(name): float(value) for name, value in split.items()}
    elif len(split) > len(NAMES):
        raise RequestError(received("`split` to hold at most three fractions", split=split))
    else:
        fractions = dict(zip(NAMES, map(float, split), strict=False))
    if (
        not all(value >= 0 for value in fractions.values())
        or abs(sum(fractions.values()) - 1) > 1e-6
    ):
        raise RequestError(received("`split` to hold fractions that add up to 1", split=split))
    return fractions
