"""What was left out of the records, and why: `refused.csv`."""

import csv
import io
import pathlib

from tfpipe.files import Path, write_bytes
from tfpipe.records.writing.shards import Finished, all_facts

FILE = "refused.csv"
Row = tuple[str, str, str]


def refused_rows(finished: Finished) -> list[Row]:
    """(id, "example" or "part", reason), in the order of the ids."""
    return sorted(row for facts in all_facts(finished) for row in facts.refused)


def save_refused(rows: list[Row], path: Path) -> pathlib.Path:
    """Writes the rows as CSV, with a head, and returns the path."""
    text = io.StringIO()
    writer = csv.writer(text)  # its line ends, \r\n, have it quote names with either of the two
    writer.writerow(("file", "refused", "reason"))
    writer.writerows(rows)
    return write_bytes(path, text.getvalue().encode("utf-8", "surrogateescape"))
