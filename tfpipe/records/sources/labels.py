"""The labels of a table: checked against the classes, and turned into their numbers."""

from collections.abc import Mapping, Sequence

from tfpipe.errors import DataError, RequestError, one_of, received
from tfpipe.files import Path
from tfpipe.records.sources.names import as_class_names, few

FEW = 20  # rows, in which each may well have a class of its own
_LIST = (
    'Pass `separator="|"`, and as the column a function of the row: '
    '`lambda row: "|".join(ast.literal_eval(row["..."]))`.'
)


def as_indices(
    path: Path,
    lines: Sequence[int],
    cells: Sequence[str],
    *,
    class_names: Sequence[str] | None,
    separator: str | None = None,
    empty: str | None = None,
) -> tuple[tuple[str, ...], list[tuple[int, ...]]]:
    """The names of the classes, and for each row the numbers of its classes, sorted.

    Spaces around a label do not count.

    Args:
        path: the table, for errors.
        lines: each row's line, for errors.
        cells: each row's label, or labels.
        class_names: the classes in their order; None for those that are found, in order.
        separator: what stands between the labels of a row; None if each row has one label.
        empty: what stands for no label at all; None if each row has a label.

    Raises:
        RequestError: `empty` without `separator`, or `class_names` are no names.
        DataError: a label is empty, a list, unknown, or beside the one for no label; without
            `class_names`, also if there is a single class, if one is "nan", or if the labels of
            twenty rows or more are too many for classes: half as many as the rows.

    Example:

    >>> as_indices("a.csv", [2, 3], ["b|a", "none"], class_names=None, separator="|", empty="none")
    (('a', 'b'), [(0, 1), ()])
    """
    if empty is not None and not separator:
        raise RequestError(
            received("`empty` only where a row has several labels (`separator`)", empty=empty)
        )
    if separator == "":
        raise RequestError(received("`separator` to be a character or more", separator=separator))
    sets = [
        _labels(path, line, cell, separator, empty) for line, cell in zip(lines, cells, strict=True)
    ]
    names = as_class_names(class_names, (label for labels in sets for label in labels))
    if class_names is None:
        _require_classes(path, names, [labels[0] for labels in sets] if separator is None else [])
    index_of = {name: index for index, name in enumerate(names)}
    known: dict[tuple[str, ...], tuple[int, ...]] = {}  # few combinations, many rows
    for line, labels in zip(lines, sets, strict=True):
        if labels not in known:
            known[labels] = _numbers(path, line, labels, index_of)
    return names, [known[labels] for labels in sets]


def _require_classes(path: Path, names: Sequence[str], labels: Sequence[str]) -> None:
    """What is found must look like classes; `labels` are empty if a row may have several."""
    missing = [name for name in names if name.lower() == "nan"]
    if missing:
        raise DataError(
            path, f"a label is missing: {missing[0]!r}. Leave such rows out, or pass `class_names`."
        )
    if labels and len(names) == 1:
        raise DataError(path, f"expected labels of two or more classes, found only {names[0]!r}")
    if len(labels) >= FEW and 2 * len(names) > len(labels):
        raise DataError(
            path,
            f"expected labels of classes, found {len(names)} different ones in {len(labels)} rows: "
            f"{few(names)}. Name the column of the classes, or pass `class_names` if these are.",
        )


def _labels(
    path: Path, line: int, cell: str, separator: str | None, empty: str | None
) -> tuple[str, ...]:
    if empty is not None and cell.strip() == empty:
        return ()
    if cell.strip().startswith(("['", '["')):
        raise DataError(
            path, f"line {line}: a label is a list as Python prints it: {cell!r}. {_LIST}"
        )
    labels = tuple(label.strip() for label in (cell.split(separator) if separator else [cell]))
    if "" in labels:
        none = separator and empty is None and not cell.strip()
        advice = "; if it stands for none of the classes, pass `empty=''`" if none else ""
        raise DataError(path, f"line {line}: a label is empty: {cell!r}{advice}")
    if empty in labels:
        raise DataError(path, f"line {line}: {empty!r} stands beside other labels: {cell!r}")
    return labels


def _numbers(
    path: Path, line: int, labels: tuple[str, ...], index_of: Mapping[str, int]
) -> tuple[int, ...]:
    for label in labels:
        if label not in index_of:
            raise DataError(path, f"line {line}: {one_of('label', label, tuple(index_of))}")
    return tuple(sorted({index_of[label] for label in labels}))
