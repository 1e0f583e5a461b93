"""What is left after the refusals: enough, or an error that says what was refused.

Example:

    refuse_result(source, finished, 0.05, pathlib.Path("records.refused.csv"))
"""

import pathlib
from collections import Counter

from tfpipe.errors import RequestError
from tfpipe.records.sources.base import Source, has_classes
from tfpipe.records.writing.refused import Row, refused_rows, save_refused
from tfpipe.records.writing.shards import Finished, all_facts


def refuse_result(
    source: Source, finished: Finished, max_refused: float, listing: pathlib.Path
) -> None:
    """Raises if too much was refused, or if nothing is left of a class or of a split."""
    rows = refused_rows(finished)
    refused = [row for row in rows if row[1] == "example"]
    total = len(refused) + sum(facts.num_examples for facts in all_facts(finished))
    if len(refused) > max_refused * total:
        listed = save_refused(rows, listing)
        key, _, reason = refused[0]
        raise RequestError(
            f"{len(refused):,} of {total:,} examples were refused, more than "
            f"max_refused={max_refused}; {str(listed)!r} lists them. The first: {key}: {reason}"
        )
    for split, shards in finished.items():
        if not any(facts and facts.num_examples for facts in shards):
            raise RequestError(
                f"Every example of the split {split!r} was refused. {_hint(refused)}"
            )
    counts = sum((facts.class_counts for facts in all_facts(finished)), Counter())
    missing = [name for label, name in enumerate(source.class_names) if not counts[label]]
    # Of several labels per example, a rare one may be absent, and nothing is wrong.
    if missing and has_classes(source) and "labels" not in source.features:
        raise RequestError(
            f"No example is left of {', '.join(map(repr, missing))}. {_hint(refused)}"
        )


def _hint(refused: list[Row]) -> str:
    if not refused:
        return "None was refused: the source has none."
    key, _, reason = refused[0]
    return f"{len(refused):,} were refused; the first: {key}: {reason}"
