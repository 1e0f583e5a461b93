"""Names: of a dataset, and of its classes in their order."""

import pathlib
import re
from collections.abc import Collection, Iterable

from tfpipe.errors import RequestError, received
from tfpipe.files import Path

NUMBER = r"-?[0-9]+(\.[0-9]+)?"
TWO_SPELLINGS = "Mend the labels, or pass `class_names` if both are meant."


def dataset_name(name: str | None, path: Path) -> str:
    """Checks the name of a dataset; if None, makes one from its folder's or file's name.

    >>> dataset_name(None, "data/Chest X-rays.csv")
    'Chest_X_rays'

    Raises:
        RequestError: the name cannot be part of a shard's file name.
    """
    if name is None:
        stem = re.sub(r"[^A-Za-z0-9]+", "_", pathlib.Path(path).resolve().stem).strip("_")
        return stem if stem[:1].isalpha() else f"data_{stem}".rstrip("_")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise RequestError(
            received("`name` to be a letter, then letters, digits or _, as in 'xray'", name=name)
        )
    return name


def in_order(names: Iterable[str]) -> list[str]:
    """Sorts the names of classes; numbers by value.

    >>> in_order({"10", "9"}), in_order({"1.0", "10.0", "-1.0"}), in_order({"b", "a", "10"})
    (['9', '10'], ['-1.0', '1.0', '10.0'], ['10', 'a', 'b'])
    """
    unique = sorted(set(names))
    if all(re.fullmatch(NUMBER, name) for name in unique):
        return sorted(unique, key=float)
    return unique


def as_class_names(class_names: Collection[str] | None, found: Iterable[str]) -> tuple[str, ...]:
    """The names given, each once; if None, the names found, in order.

    >>> as_class_names(None, ["b", "a", "b"])
    ('a', 'b')

    Raises:
        RequestError: a name is given twice, or there is none; of names that are found, also two
            that are hardly unlike.
    """
    names = tuple(in_order(found) if class_names is None else class_names)
    if class_names is None:
        require_unlike(names, TWO_SPELLINGS)
    if not names or len(set(names)) < len(names) or isinstance(class_names, str):
        raise RequestError(received("`class_names` to be different names", class_names=names))
    return names


def require_unlike(names: Iterable[str], advice: str) -> None:
    """Refuses two names that mostly are one, spelled in two ways: 'Cat' and 'cat', '1' and '1.0'.

    Single letters may be upper and lower case: they are classes of handwriting.

    >>> require_unlike(["a", "A", "cat", "01"], "")
    >>> require_unlike(["Cat", "cat"], "Mend the labels.")
    Traceback (most recent call last):
        ...
    tfpipe.errors.RequestError: Expected classes with unlike names. Found: 'Cat' and 'cat'. Mend \
the labels.
    """
    first: dict[object, str] = {}
    for name in sorted(names):
        number = re.fullmatch(NUMBER, name)
        key = float(name) if number else name.casefold() if len(name) > 1 else name
        if first.setdefault(key, name) != name:
            raise RequestError(
                f"Expected classes with unlike names. Found: {first[key]!r} and {name!r}. {advice}"
            )


def numbered_names(class_names: Collection[str] | None, largest: int) -> tuple[str, ...]:
    """One name for each class from 0 to `largest`; if None, the numbers themselves.

    >>> numbered_names(None, 1)
    ('0', '1')

    Raises:
        RequestError: a class has no name, or two have the same.
    """
    names = as_class_names(class_names, map(str, range(largest + 1)))
    if len(names) <= largest:
        expected = f"`class_names` to name every class up to {largest}"
        raise RequestError(received(expected, class_names=list(names)))
    return names


def few(names: Collection[str], most: int = 3) -> str:
    """The first names of many, for a sentence.

    >>> few(["a", "b", "c", "d"])
    "'a', 'b', 'c' and 1 more"
    """
    listed = ", ".join(repr(name) for name in list(names)[:most])
    return f"{listed} and {len(names) - most} more" if len(names) > most else listed
