"""What is left after the refusals: enough, or an error that says what was refused.

Example:

    refuse_result(source, finished, 0.05, pathlib.Path("records.refused.csv"))
"""

import pathlib
from collections import Counter

from tfpipe.errors import RequestError
from tfpipe.records.sources.base import Source, has_classes
from tfpipe.records.sources.names import few
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
            raise RequestError(f"Every example of the split {split!r} was refused. {_hint(rows)}")
    counts = sum((facts.class_counts for facts in all_facts(finished)), Counter())
    missing = [name for label, name in enumerate(source.class_names) if not counts[label]]
    if "mask" in source.features:
        _require_two_classes(
            source, counts, "every mask", "Give `classes` that tell the masks' greys apart."
        )
        seen = sum((facts.class_counts for facts in finished.get("train", []) if facts), Counter())
        if "train" in finished:
            _require_two_classes(
                source, seen, "every mask of 'train'", "Divide the images in another way."
            )
    if "classes" in source.features and source.declared and counts:
        missing = [name for name in missing if any(f", {name!r}, " in row[2] for row in rows)]
    # Of several labels per example, a rare one may be absent, and nothing is wrong.
    if missing and has_classes(source) and "labels" not in source.features:
        raise RequestError(f"No example is left of {few(missing)}. {_hint(rows)}")


def _require_two_classes(source: Source, counts: Counter[int], where: str, advice: str) -> None:
    if len(counts) < min(2, len(source.class_names)):
        only = "".join(f"of the class {source.class_names[label]!r}" for label in counts)
        raise RequestError(f"Every pixel of {where} is {only or 'ignored'}. {advice}")


def _hint(rows: list[Row]) -> str:
    refused = [row for row in rows if row[1] == "example"]
    if not rows:
        return "None was refused: the source has none."
    key, _, reason = (refused or rows)[0]
    what = f"{len(refused):,} were refused" if refused else f"{len(rows):,} parts were left out"
    return f"{what}; the first: {key}: {reason}"
