"""Stratified splits: each class is divided by the same fractions, and groups stay whole.

Iterative stratification (K. Sechidis, G. Tsoumakas, I. Vlahavas, "On the Stratification of
Multi-Label Data", ECML PKDD 2011): the rarest class first, each of its examples to the split
that wants the most of that class.

Two things differ from the paper:

- There, splits are tied only if they want exactly the same number of examples. Here, all that
  want less than one whole example are tied, and the one that is furthest behind over all classes
  gets it. Otherwise a small split would get nothing from many small classes: of 100 classes with
  3 examples each, a tenth would be 0 examples instead of 30.
- It knows no groups. A group that holds more than one example goes where it lessens the
  chi-square distance between what all classes and splits want and what they have: the class
  that it is placed for is only one of its classes.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from tfpipe.records.sources.splits import position, split_of

NO_CLASS = -1  # examples of a multi-label set that have none of the labels are balanced too


def stratified(
    keys: Sequence[str],
    labels: Sequence[tuple[int, ...] | None],
    fractions: Mapping[str, float],
    seed: int,
) -> list[str]:
    """The split of every example; examples with the same key stay together.

    A function of the set of (key, labels) and the seed: the order does not matter.

    Args:
        keys: the examples' ids, or their groups.
        labels: each example's classes: one, several, or none. None for an example that does
            not count; it goes with its key, or where its key alone would send it.
        fractions: each split's fraction of all.
        seed: another seed gives another split.

    Example:

    >>> stratified(["a", "b", "c", "d"], [(0,), (0,), (1,), (1,)], {"train": 0.5, "val": 0.5}, 0)
    ['val', 'train', 'val', 'train']
    """
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    sizes: Counter[str] = Counter()
    for key, classes in zip(keys, labels, strict=True):
        if classes is not None:
            counts[key].update(set(classes) or (NO_CLASS,))
            sizes[key] += 1
    places = _places(counts, sizes, fractions, seed)
    return [places[key] if key in places else split_of(key, fractions, seed) for key in keys]


class _Wants:
    """How many examples each split still wants, in all and of each class."""

    def __init__(self, fractions: Mapping[str, float], num: int, num_of: Mapping[int, int]):
        self.num, self.num_of = num, dict(num_of)
        self.left, self.left_of = num, dict(num_of)
        self.fractions = {name: value for name, value in fractions.items() if value > 0}
        self.all = {name: value * num for name, value in self.fractions.items()}
        self.of = {
            name: {label: value * number for label, number in num_of.items()}
            for name, value in self.fractions.items()
        }

    def place_one(self, label: int) -> str:
        """Where one example goes that is placed for this class: the rule of the paper."""
        wants = {name: self.of[name][label] for name in self.all}
        others = self.left - self.left_of[label]
        behind = {name: self.all[name] - self.fractions[name] * others for name in self.all}
        # Rounded, so that the fractions' rounding errors decide nothing.
        if max(wants.values()) > 1 - 1e-9:
            return max(wants, key=lambda name: (round(wants[name], 9), round(behind[name], 9)))
        eligible = [name for name in wants if wants[name] > 1e-9] or list(wants)
        return max(eligible, key=lambda name: (round(behind[name], 9), round(wants[name], 9)))

    def place_group(self, counts: Mapping[int, int], size: int) -> str:
        """Where a group goes: what lessens the chi-square distance most."""

        def gain(name: str) -> float:
            terms = [size * (2 * self.all[name] - size) / self.num]
            for label, number in sorted(counts.items()):
                terms.append(number * (2 * self.of[name][label] - number) / self.num_of[label])
            return round(sum(terms) / self.fractions[name], 9)

        return max(self.all, key=gain)

    def take(self, name: str, counts: Mapping[int, int], size: int) -> None:
        """Notes that this split has these examples now."""
        self.left -= size
        self.all[name] -= size
        for label, number in counts.items():
            self.left_of[label] -= number
            self.of[name][label] -= number


def _places(
    counts: Mapping[str, Counter[int]],
    sizes: Counter[str],
    fractions: Mapping[str, float],
    seed: int,
) -> dict[str, str]:
    members = _members(counts)
    num_of = {label: sum(counts[key][label] for key in members[label]) for label in members}
    wants = _Wants(fractions, sizes.total(), num_of)
    places: dict[str, str] = {}
    while members:
        label = min(members, key=lambda each: (wants.left_of[each], each))
        for key in _in_turn(members.pop(label), places, counts, label, seed):
            size = sizes[key]
            place = wants.place_one(label) if size == 1 else wants.place_group(counts[key], size)
            wants.take(place, counts[key], size)
            places[key] = place
    return places


def _members(counts: Mapping[str, Counter[int]]) -> dict[int, list[str]]:
    members: dict[int, list[str]] = defaultdict(list)
    for key, classes in counts.items():
        for label in classes:
            members[label].append(key)
    return members


def _in_turn(
    keys: Sequence[str],
    placed: Mapping[str, str],
    counts: Mapping[str, Counter[int]],
    label: int,
    seed: int,
) -> list[str]:
    """The keys without a place: large groups first, since small ones can still even them out."""
    return sorted(
        (key for key in keys if key not in placed),
        key=lambda key: (-counts[key][label], position(key, seed, purpose="strata"), key),
    )
