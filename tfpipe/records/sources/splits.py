"""What a split is: fractions of train, val and test, drawn by chance that is always the same.

Where an example lands is a function of its id and the seed alone: adding a file moves no other
file.

Example:

    split_of("cat/1.png", as_fractions((0.7, 0.2, 0.1)), seed=0)
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeGuard

from tfpipe.errors import RequestError, received

Split = Sequence[float] | Mapping[str, float]
Given = Mapping[str, str] | Callable[[str], str]

NAMES = ("train", "val", "test")
SYNONYMS = {
    "training": "train",
    "valid": "val",
    "validation": "val",
    "validate": "val",
    "dev": "val",
    "testing": "test",
    "evaluation": "test",
}


def described(value: object) -> str:
    """A mapping or a function, in words that are the same in every run.

    >>> described({"a": "b"}), described(str.upper)
    ('a mapping', "the function 'str.upper'")
    """
    return "a mapping" if isinstance(value, Mapping) else f"the function {_name(value)}"


def is_given(split: object) -> TypeGuard[Given]:
    """Whether `split` says each example's split, rather than fractions."""
    if isinstance(split, Mapping):
        return any(isinstance(value, str) for value in split.values())
    return callable(split)


def position(example_id: str, seed: int, *, purpose: str) -> float:
    """A number in [0, 1) that looks random and is always the same for these arguments.

    >>> position("cat/1.png", 0, purpose="split") == position("cat/1.png", 0, purpose="split")
    True
    """
    # File names may hold bytes that are no text: Python keeps those as lone surrogates.
    key = f"{purpose}/{seed}/{example_id}".encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(key, digest_size=8).digest()
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


def as_fractions(split: object) -> dict[str, float]:
    """Names the fractions of `split`: two are train and val, three train, val and test.

    >>> as_fractions((0.7, 0.2, 0.1))
    {'train': 0.7, 'val': 0.2, 'test': 0.1}

    Raises:
        RequestError: they are no numbers, negative, more than three without names, or do not
            add up to 1.
    """
    sentence = received("`split` to hold fractions that add up to 1", split=split)
    if isinstance(split, str) or not isinstance(split, Sequence | Mapping):
        raise RequestError(sentence)
    if not isinstance(split, Mapping) and len(split) > len(NAMES):
        raise RequestError(received("`split` to hold at most three fractions", split=split))
    named = split if isinstance(split, Mapping) else dict(zip(NAMES, split, strict=False))
    names = map(as_split_name, named)
    try:
        values = [float(value) for value in named.values()]
    except (TypeError, ValueError):
        raise RequestError(sentence) from None
    fractions = dict(zip(names, values, strict=True))
    positive = all(value >= 0 for value in fractions.values())
    if not positive or abs(sum(fractions.values()) - 1) > 1e-6:
        raise RequestError(sentence)
    return fractions


def as_split_name(name: object) -> str:
    """The name that tfpipe uses: "train", "val" or "test", however the data spells them.

    >>> as_split_name("Validation"), as_split_name("holdout")
    ('val', 'holdout')

    Raises:
        RequestError: the name cannot be part of a shard's file name, or is "all", which TensorFlow
            Datasets keeps for itself.
    """
    lower = str(name).lower()
    if lower in NAMES or lower in SYNONYMS:
        return SYNONYMS.get(lower, lower)
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise RequestError(
            received("a split's name to be a letter, then letters, digits or _", split=name)
        )
    if lower == "all":
        raise RequestError(
            received("a split's name other than 'all', which stands for all", split=name)
        )
    return name


def split_within(name: str) -> str | None:
    """The one split that is a word of a folder's name; None if there is none, or several.

    >>> split_within("seg_train"), split_within("Validation"), split_within("val2017")
    ('train', 'val', 'val')
    >>> split_within("trains"), split_within("trainval")
    (None, None)
    """
    words = re.findall("[a-z]+", name.lower())
    found = {SYNONYMS.get(word, word) for word in words} & set(NAMES)
    return found.pop() if len(found) == 1 else None


def _name(value: object) -> str:
    return repr(getattr(value, "__qualname__", type(value).__name__))
