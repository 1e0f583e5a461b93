"""Assigns every example to a split: by fractions, by groups, stratified, or as given.

Example:

    assign(ids, (0.7, 0.2, 0.1), seed=0)                      # by fractions
    assign(ids, (0.7, 0.2, 0.1), seed=0, groups=patients)     # a patient stays on one side
    assign(ids, {"a.png": "train", "b.png": "test"}, seed=0)  # as given
    assign(ids, (0.9, 0.1), seed=0, given=parts)              # what is given as train, divided
"""

from collections.abc import Iterable, Mapping, Sequence

from tfpipe.errors import RequestError, received
from tfpipe.records.sources.names import few
from tfpipe.records.sources.splits import (
    Given,
    Split,
    as_fractions,
    as_split_name,
    described,
    is_given,
    split_of,
)
from tfpipe.records.sources.strata import stratified

Labels = Sequence[tuple[int, ...] | None]
FRACTIONS = (0.7, 0.2, 0.1)


def assign(
    ids: Iterable[str],
    split: Split | Given | None,
    seed: int,
    *,
    groups: Sequence[str] | None = None,
    labels: Labels | None = None,
    given: Sequence[str] | None = None,
) -> list[str]:
    """The split of every example.

    By fractions, an example's split is drawn from its id, or its group, and the seed. With
    `labels` it is drawn so that each class is divided by these fractions too (see `strata`). The
    trade-off: stratified quotas are exact, to one example or one group per class, but adding a
    file may move others; without it fractions are met only as well as chance allows, and no
    file ever moves.

    Args:
        ids: the examples.
        split: fractions (0.7, 0.2, 0.1) of train, val and test, or a dict of them; or each
            example's split, as a mapping from the id or a function of it. None: as `given`, or
            (0.7, 0.2, 0.1).
        seed: another seed gives another split.
        groups: one name per example; a group's examples stay together.
        labels: to stratify: each example's classes; None for an example that does not count.
        given: each example's split, where the data has one. Fractions then divide what is
            given as "train", and may name only parts that are not given.

    Raises:
        RequestError: `split` does not fit this description or `given`, an id has no split, or a
            group is on two sides.

    Example:

    >>> assign(["a", "b", "c", "d"], (0.5, 0.5), seed=0, labels=[(0,), (0,), (1,), (1,)])
    ['val', 'train', 'val', 'train']
    >>> assign(["a", "b"], {"a": "training", "b": "test"}, seed=0)
    ['train', 'test']
    """
    if is_given(split):
        if given is not None:
            raise RequestError(
                "Expected `split` to be fractions or None, because the data has splits of its "
                f"own. Received: split={described(split)}"
            )
        ids = list(ids)
        given, split = _looked_up(ids, split), None
    if given is None:
        fractions = as_fractions(FRACTIONS if split is None else split)
        return _drawn(ids, fractions, seed, groups, labels)
    ids, parts = list(ids), _canonical(given)
    if split is not None:
        parts = _divided(ids, parts, _fractions_of_train(split, parts), seed, groups, labels)
    elif labels is not None:
        raise RequestError(
            "Expected `stratify` to be False, because the splits are given. Received: stratify=True"
        )
    if groups is not None:
        _require_whole_groups(ids, groups, parts)
    return parts


def _drawn(
    ids: Iterable[str],
    fractions: Mapping[str, float],
    seed: int,
    groups: Sequence[str] | None,
    labels: Labels | None,
) -> list[str]:
    keys = ids if groups is None else groups
    if labels is None:
        return [split_of(key, fractions, seed) for key in keys]
    return stratified(list(keys), labels, fractions, seed)


def _divided(
    ids: Sequence[str],
    given: Sequence[str],
    fractions: Mapping[str, float],
    seed: int,
    groups: Sequence[str] | None,
    labels: Labels | None,
) -> list[str]:
    """What is given as train, by fractions; the rest as it is given."""
    inside = [index for index, part in enumerate(given) if part == "train"]
    drawn = _drawn(
        [ids[index] for index in inside],
        fractions,
        seed,
        None if groups is None else [groups[index] for index in inside],
        None if labels is None else [labels[index] for index in inside],
    )
    parts = list(given)
    for index, part in zip(inside, drawn, strict=True):
        parts[index] = part
    return parts


def _fractions_of_train(split: object, given: Sequence[str]) -> dict[str, float]:
    fractions = {name: value for name, value in as_fractions(split).items() if value > 0}
    twice = [name for name in fractions if name != "train" and name in given]
    if twice or "train" not in given:
        raise RequestError(
            received(
                "`split` to hold fractions of the given 'train', for parts that are not given "
                f"(given: {', '.join(sorted(set(given)))})",
                split=split,
            )
        )
    return fractions


def _looked_up(ids: Sequence[str], split: Given) -> list[str]:
    if not isinstance(split, Mapping):
        return _canonical([split(key) for key in ids])
    missing = [key for key in ids if key not in split]
    if missing:
        raise RequestError(
            f"Expected `split` to name a split for every example. It has none for "
            f"{len(missing)} of {len(ids)}: {few(missing)}"
        )
    return _canonical([split[key] for key in ids])


def _canonical(parts: Sequence[object]) -> list[str]:
    names = {part: as_split_name(part) for part in set(parts)}
    return [names[part] for part in parts]


def _require_whole_groups(ids: Sequence[str], groups: Sequence[str], parts: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for index, group in enumerate(groups):
        other = first.setdefault(group, index)
        if parts[other] != parts[index]:
            raise RequestError(
                f"Expected every group to be in one split. The group {group!r} has {ids[other]!r} "
                f"in {parts[other]!r} and {ids[index]!r} in {parts[index]!r}."
            )
