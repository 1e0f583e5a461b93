"""What a source says once of its splits: every example's, and the rule that the manifest keeps.

Example:

    division = divide(ids, (0.7, 0.2, 0.1), seed=0, group=lambda key: key.split("_")[0])
    division.parts, division.rule
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tfpipe.errors import RequestError, received
from tfpipe.records.sources.assignment import FRACTIONS, Labels, assign
from tfpipe.records.sources.splits import Given, Split, as_fractions, described, is_given

Group = Mapping[str, str] | Callable[[str], object] | None


class Division(NamedTuple):
    """The split of every example, and what the manifest keeps of how they were made."""

    parts: list[str]
    rule: dict[str, object]


def divide(
    ids: Sequence[str],
    split: Split | Given | None,
    seed: int,
    *,
    group: Group = None,
    labels: Labels | None = None,
    given: Sequence[str] | None = None,
    given_by: str | None = None,
) -> Division:
    """`assign` and `rule` at once, for sources whose groups come from the id.

    Args:
        ids: as for `assign`.
        split: as for `assign`.
        seed: as for `assign`.
        group: a function of the id, or a mapping from it.
        labels: as for `assign`.
        given: as for `assign`.
        given_by: where `given` comes from, in words.

    Example:

    >>> divide(["a"], {"train": 1.0}, seed=0).parts
    ['train']
    """
    parts = assign(ids, split, seed, groups=as_groups(group, ids), labels=labels, given=given)
    return Division(
        parts,
        rule(
            split,
            seed,
            given_by=given_by if given is not None else None,
            grouped_by=described(group) if group else None,
            stratified=labels is not None,
        ),
    )


def rule(
    split: Split | Given | None,
    seed: int,
    *,
    given_by: str | None = None,
    grouped_by: str | None = None,
    stratified: bool = False,
) -> dict[str, object]:
    """What the manifest keeps of how the splits were made: JSON values.

    Args:
        split: as for `assign`.
        seed: as for `assign`.
        given_by: where the data's own splits come from, in words; None if it has none.
        grouped_by: what makes a group, in words; None without groups.
        stratified: whether the classes were balanced.

    Example:

    >>> rule((0.5, 0.5), 7, grouped_by="the column 'patient'")["grouped_by"]
    "the column 'patient'"
    >>> rule(None, 0, given_by="folders")["by"]
    'given'
    """
    if is_given(split) or (split is None and given_by is not None):
        origin = given_by if split is None else described(split)
        return {"by": "given", "given_by": origin, "grouped_by": grouped_by}
    return {
        "by": "fractions" if given_by is None else "fractions of train",
        "given_by": given_by,
        "fractions": as_fractions(FRACTIONS if split is None else split),
        "seed": seed,
        "grouped_by": grouped_by,
        "stratified": stratified,
    }


def as_groups(group: Group, ids: Sequence[str]) -> list[str] | None:
    """The group of every example, from a mapping or a function of the id; None without groups.

    >>> as_groups(lambda key: key.split("_")[0], ["p1_a.png", "p2_a.png"])
    ['p1', 'p2']

    Raises:
        RequestError: an example has no group.
    """
    if group is None:
        return None
    look = group.get if isinstance(group, Mapping) else group
    return [as_group(look(key), key) for key in ids]


def as_group(value: object, example_id: str) -> str:
    """Checks a group's name: a string that is not empty, or a whole number."""
    if value is None or value == "" or isinstance(value, bool | float):
        expected = f"`group` to give a name or a whole number for {example_id!r}"
        raise RequestError(received(expected, group=value))
    return str(value)
