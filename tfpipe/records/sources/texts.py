"""Lines or cells of text with a label each, as a source.

Example:

    source = text_lines({"negative": "rt-polarity.neg", "positive": "rt-polarity.pos"})
"""

import os
import pathlib
from collections.abc import Mapping, Sequence

from tfpipe.errors import RequestError, received
from tfpipe.files import Path
from tfpipe.records.sources.base import Entry, Example, Feature, Refused, Source, from_entries
from tfpipe.records.sources.columns import divide_rows, of_row, read_table
from tfpipe.records.sources.division import divide
from tfpipe.records.sources.labels import as_indices
from tfpipe.records.sources.lines import bytes_between, line_ends, require_encoding
from tfpipe.records.sources.listing import one_file
from tfpipe.records.sources.names import dataset_name
from tfpipe.records.sources.rows import Cell, header, parse_row, require_columns, separator
from tfpipe.records.sources.splits import Given, Split
from tfpipe.tokens import words

ADVICE = 'Pass its encoding, such as encoding="cp1252".'
FEATURES = {"text": Feature("text"), "label": Feature("label")}


def text_lines(
    files: Mapping[str, Path],
    *,
    encoding: str = "utf-8",
    split: Split | Given | None = None,
    seed: int = 0,
    stratify: bool = False,
    name: str | None = None,
) -> Source:
    """Texts, one on each line of a file per class.

    A line is taken as it is, without its end. A line that is empty, or without anything that can
    be seen, is refused when it is written.

    Args:
        files: for each class, in order, its file, or a pattern that fits it alone ("data/*neg*").
        encoding: of the files; one in which a line ends with one byte.
        split: fractions of train, val and test, or a dict of them; or each example's split, as
            a mapping from its id or a function of it. None: (0.7, 0.2, 0.1).
        seed: another seed gives another split and another order on disk.
        stratify: whether each class is divided by these fractions (see `assign` in
            `tfpipe.records.sources.assignment`); otherwise chance does it.
        name: the dataset's name; the name of the first file's folder if None.

    Returns:
        A source of `text` and `label`. An id is the file's name and the line's number, from 1:
        "rt-polarity.neg:1"; with as many folders as the names need to differ. A line that is
        inserted renames the ones below it; one that is appended moves none.

    Raises:
        RequestError: there are fewer than two classes, not one file for each, or `encoding` or
            `split` do not fit.
        DataError: a byte is not of this encoding; says which.

    Example:

    >>> import tempfile
    >>> root = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (root / "bad.txt").write_text("dull .\\n"), (root / "good.txt").write_text("a joy .\\n")
    >>> source = text_lines({"bad": root / "bad.txt", "good": root / "good.txt"}, name="reviews")
    >>> sorted((example["id"], example["text"], example["label"]) for example in source)
    [('bad.txt:1', 'dull .', 0), ('good.txt:1', 'a joy .', 1)]
    """
    require_encoding(encoding)
    if not isinstance(files, Mapping) or len(files) < 2:
        raise RequestError(
            received("`files` to map each of two or more classes to its file", files=files)
        )
    paths = [one_file(path) for path in files.values()]
    ends = [line_ends(path, encoding, ADVICE) for path in paths]
    places = [(index, line) for index, each in enumerate(ends) for line in range(len(each))]
    names = _distinct(paths)
    ids = [f"{names[index]}:{line + 1}" for index, line in places]
    labels = [(index,) for index, _ in places] if stratify else None
    division = divide(ids, split, seed, labels=labels)

    def load(place: tuple[int, int]) -> Example:
        index, line = place
        start = ends[index][line - 1] if line else 0
        text = bytes_between(paths[index], start, ends[index][line]).decode(encoding)
        return {"text": _not_empty(text.rstrip("\r\n")), "label": index}

    return from_entries(
        dataset_name(name, paths[0].resolve().parent),
        [Entry(*entry) for entry in zip(ids, division.parts, places, strict=True)],
        load,
        features=FEATURES,
        class_names=tuple(files),
        rule=division.rule,
        seed=seed,
    )


def text_csv(
    csv: Path,
    *,
    text_column: str,
    label_column: Cell,
    class_names: Sequence[str] | None = None,
    encoding: str = "utf-8",
    split: Split | Mapping[str, str] | Cell | None = None,
    seed: int = 0,
    group: Cell | None = None,
    stratify: bool = False,
    name: str | None = None,
) -> Source:
    """Texts with their labels in a table: a row for each, separated by commas, tabs or semicolons.

    A text is taken as it is; one that is empty, or of what nobody sees, is refused when written.

    Args:
        csv: the table; its first row is the header.
        text_column: the column of the texts.
        label_column: the column of the labels, or a function of the row.
        class_names: the classes in their order; those in the table, sorted, if None.
        encoding: of the table; one in which a line ends with one byte.
        split: fractions of train, val and test, or a dict of them; or the column of the
            splits, a function of the row, or a mapping from id to split. None: (0.7, 0.2, 0.1).
        seed: another seed gives another split and another order on disk.
        group: the column of what must not be divided (the author, say), or a function of the row.
        stratify: whether each class is divided by these fractions (see `assign` in
            `tfpipe.records.sources.assignment`); otherwise chance does it.
        name: the dataset's name; the table's file name if None.

    Returns:
        A source of `text` and `label`. An id is the table's name and the line, from 1, in which
        the row begins: "reviews.csv:2".

    Raises:
        RequestError: the file or a column is missing, or `encoding`, `split` or `group` do not
            fit.
        DataError: a label is empty or unknown, or the table cannot be read.

    Example:

    >>> import tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "t.csv"
    >>> _ = file.write_text('text,label\\n"dull, very",bad\\na joy,good\\n')
    >>> source = text_csv(file, text_column="text", label_column="label")
    >>> sorted((example["id"], example["text"], example["label"]) for example in source)
    [('t.csv:2', 'dull, very', 0), ('t.csv:3', 'a joy', 1)]
    """
    require_encoding(encoding)
    columns = header(csv, encoding, ADVICE)
    require_columns(csv, columns, text_column=text_column)
    table = read_table(
        csv, encoding, ADVICE, label_column=label_column, group=group, split=of_row(split)
    )
    names, indices = as_indices(
        csv, table.lines, table.cells["label_column"], class_names=class_names
    )
    ids = [f"{pathlib.Path(csv).name}:{line}" for line in table.lines]
    division = divide_rows(
        table, ids, split, seed, group=group, labels=indices if stratify else None
    )
    at, delimiter = columns.index(text_column), separator(csv, encoding, ADVICE)

    def load(row: int) -> Example:
        data = bytes_between(csv, table.starts[row], table.ends[row])
        return {
            "text": _not_empty(parse_row(data, encoding, delimiter)[at]),
            "label": indices[row][0],
        }

    return from_entries(
        dataset_name(name, csv),
        [
            Entry(key, part, row)
            for row, (key, part) in enumerate(zip(ids, division.parts, strict=True))
        ],
        load,
        features=FEATURES,
        class_names=names,
        rule=division.rule,
        seed=seed,
    )


def _not_empty(text: str) -> str:
    if not text.strip():
        raise Refused("the text is empty")
    if not words(text):
        raise Refused("the text holds no word, only characters that nobody sees")
    return text


def _distinct(paths: Sequence[pathlib.Path]) -> list[str]:
    """The shortest ends of the paths that tell them apart."""
    for length in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-length:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    raise RequestError(
        f"Expected a file of its own for each class. Received: {os.fspath(paths[0])!r} twice"
    )
