"""Any examples, from whatever can be iterated over again and again, as a source.

Example:

    source = examples(my_examples, {"image": ..., "label": ...}, class_names=("cat", "dog"))
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from tfpipe.errors import RequestError, received
from tfpipe.records.sources.assignment import assign
from tfpipe.records.sources.base import Example, Feature, Source
from tfpipe.records.sources.division import as_group, rule
from tfpipe.records.sources.fitting import problem, require_features
from tfpipe.records.sources.names import dataset_name
from tfpipe.records.sources.splits import Given, Split, as_split_name, described

BESIDE = ("id", "split", "refused", "notes", "size_px")


def examples(
    iterable: Iterable[Example] | Callable[[], Iterable[Example]],
    features: Mapping[str, Feature],
    *,
    class_names: Sequence[str] = (),
    split: Split | Given | None = None,
    seed: int = 0,
    group: Callable[[Example], object] | None = None,
    name: str = "examples",
) -> Source:
    """Any examples, in their own order.

    Args:
        iterable: example dicts (see `sources.base`): an `id` that no other has, and a
            value for each feature. They are iterated over more than once, so instead of a
            generator pass the function that makes it.
        features: what an example holds, beside its id.
        class_names: one name per class.
        split: fractions of train, val and test, or a dict of them; or each example's split, as
            a mapping from its id or a function of it. None: each example's own `split` if the
            first one has one, or (0.7, 0.2, 0.1).
        seed: another seed gives another split.
        group: a function of the example: what belongs to one group is never divided.
        name: the dataset's name.

    Returns:
        A source; each example is checked when its turn comes. One of a class that there is not
        is refused when it is written.

    Raises:
        RequestError: a feature is of no kind, or of a shape that could not be read; there is no
            example, they can be iterated over only once, an example lacks an id, a split or a
            feature, or has what no feature names.

    Example:

    >>> def numbers():
    ...     for n in range(3):
    ...         yield {"id": str(n), "split": "train", "text": "odd" if n % 2 else "even"}
    >>> source = examples(numbers, {"text": Feature("text")})
    >>> [example["text"] for example in source]
    ['even', 'odd', 'even']
    """
    require_features(features, class_names)
    _require_again(iterable)
    first = next(iter(_fresh(iterable)), None)
    if first is None:
        raise RequestError("Expected `iterable` to hold examples. Received: none")
    given = "split" in first
    if given and (split is not None or group is not None):
        raise RequestError(
            "Expected `split` and `group` to be None, because the examples have their own splits."
        )

    def iterate() -> Iterator[Example]:
        """Begins the iterable anew, and refuses by its number what is no example."""
        for number, example in enumerate(_fresh(iterable)):
            _require_whole(number, example, features, given)
            if given:
                part = as_split_name(example["split"])
            else:
                groups = None if group is None else [as_group(group(example), example["id"])]
                part = assign([example["id"]], split, seed, groups=groups)[0]
            reason = problem(example, features, len(class_names))
            yield {**example, "split": part, **({"refused": reason} if reason else {})}

    return Source(
        dataset_name(name, name),
        dict(features),
        tuple(class_names),
        rule(
            split,
            seed,
            given_by="the examples" if given else None,
            grouped_by=described(group) if group else None,
        ),
        iterate,
    )


def _fresh(iterable: Iterable[Example] | Callable[[], Iterable[Example]]) -> Iterable[Example]:
    return iterable() if callable(iterable) else iterable


def _require_again(iterable: Iterable[Example] | Callable[[], Iterable[Example]]) -> None:
    once = _fresh(iterable)
    # An iterator is its own iterator; a function that returns the same one is no better.
    if iter(once) is once and (not callable(iterable) or iterable() is once):
        raise RequestError(
            received(
                "`iterable` to be something that can be iterated over again: a list, or a "
                "function that returns a new generator (pass the function, without calling it)",
                iterable=type(once).__name__,
            )
        )


def _require_whole(
    number: int, example: Example, features: Mapping[str, Feature], given: bool
) -> None:
    """Checks that an example has what it should have, and nothing else."""
    if not isinstance(example, Mapping) or not isinstance(example.get("id"), str):
        keys = sorted(example) if isinstance(example, Mapping) else type(example).__name__
        raise RequestError(received(f"example {number} to have a string `id`", example=keys))
    wanted = set() if "refused" in example else set(features)
    missing = sorted((wanted | ({"split"} if given else set())) - example.keys())
    unknown = sorted(example.keys() - {*features, *BESIDE})
    if not given and "split" in example:
        unknown.append("split")
    if missing or unknown:
        raise RequestError(
            received(
                f"example {number} ({example['id']!r}) to have the keys of the first one's kind: "
                f"{', '.join(sorted({*features, 'id'} | ({'split'} if given else set())))}",
                missing=missing,
                unknown=unknown,
            )
        )
