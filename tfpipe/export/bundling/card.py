"""The model card: what it is, what it was measured to do, and what nobody knows of it.

After Mitchell et al., "Model Cards for Model Reporting", FAT* 2019. Nothing is invented: what
tfpipe cannot know is said to be unknown, or left for a person to fill in.

Example:

    text = card(bundle.report, manifest, prepare)
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tfpipe.export.bundling.snippets import lacking
from tfpipe.export.scoring import labels
from tfpipe.export.scoring.file_report import FileReport
from tfpipe.export.scoring.report import Report
from tfpipe.ops import Chain, Standardize
from tfpipe.records import Manifest
from tfpipe.records.describe import rule_in_words
from tfpipe.report import human_bytes
from tfpipe.report.tables import is_table

MOST_CLASSES = 100
# A person's to say; `notes` with the same headings take their places.
OPEN = {
    "Intended use": "Not stated. To be filled in: who may use this model, and for what.",
    "Licence of the model": "Not stated. To be filled in.",
    "Licence of the data": "Not stated. To be filled in.",
    "Contact": "Not stated. To be filled in.",
}


def card(
    report: Report, manifest: Manifest, prepare: Chain, *, programs: Sequence[str] = ()
) -> str:
    """The card as Markdown.

    Args:
        report: the bundle's, with its `facts`; its notes are what a person knows.
        manifest: the data that the model was trained with and run on.
        prepare: the chain.
        programs: the names of the programs that show how a file is used.
    """
    notes = report.reference["notes"]
    told = {
        head: f"```text\n{note}\n```" if is_table(note) else note for head, note in notes.items()
    }
    given = {**told, **{head: text for head, text in OPEN.items() if head not in notes}}
    sections = {
        "What it is": _what(report, manifest),
        "Data": _data(manifest),
        "Scores": _scores(report),
        "Files": _files(report, programs, lacking(prepare)),
        "Preprocessing": _preprocessing(prepare),
        "Limits": _limits(report, manifest),
        **given,
    }
    parts = [f"## {heading}\n\n{text}\n" for heading, text in sections.items()]
    return f"# {manifest.name}\n\n" + "\n".join(parts)


def _what(report: Report, manifest: Manifest) -> str:
    head = report.reference
    gives = f"{manifest.num_classes} classes" if manifest.class_names else "numbers"
    made = head["measured"]
    return (
        f"{head['path'][0].upper()}{head['path'][1:]} ({head['num_parameters']:,} parameters, "
        f"{head['sparsity']:.3f} of its kernels zero), which takes {head['takes']} and gives "
        f"{gives}. Written by tfpipe {made['tfpipe']} on {made['date']}."
    )


def _data(manifest: Manifest) -> str:
    names = list(manifest.splits)
    rows = [["examples", *(f"{manifest.splits[s].num_examples:,}" for s in names)]]
    if any(any(split.class_counts) for split in manifest.splits.values()):
        rows += [
            [name, *(f"{manifest.splits[s].class_counts[place]:,}" for s in names)]
            for place, name in enumerate(manifest.class_names[:MOST_CLASSES])
        ]
    more = manifest.num_classes - MOST_CLASSES
    rest = f"\n\nAnd {more:,} more classes; `manifest.json` has them." if more > 0 else ""
    twice = manifest.duplicates["num_contents"]
    return (
        f"Split: {rule_in_words(manifest.rule)}. Left out as unusable: {manifest.num_refused:,}. "
        f"Contents that stand in more than one split: {twice:,}.\n\n"
        f"{_table(['', *names], rows)}{rest}"
    )


def _scores(report: Report) -> str:
    head = report.reference
    rows = [[head["path"], f"{head['score']:.4f} ({report.interval()})", "", "", ""]]
    rows += [
        [
            f"`{f.path}`",
            f"{f.score:.4f}",
            f"{f.score_lost:+z.4f}",
            _interval(f),
            f"{f.agreement:.4f}",
        ]
        for f in report.files
    ]
    columns = ["", head["score_name"], "lost", "95 % interval of what is lost", "agreement"]
    bars = ", ".join(f"{name} {value:g}" for name, value in head["require"].items()) or "none"
    return "\n\n".join(
        [
            f"On {head['num_examples']:,} examples of the split {head['split']!r}, every one of "
            f"them run by the file itself; intervals: {head['measured']['intervals']}. "
            f"Bars: {bars}.",
            _table(columns, rows),
            *_labels(head),
            *head["instead"],
        ]
    )


def _labels(head: Mapping[str, Any]) -> list[str]:
    if "labels" not in head:
        return []
    rows = head["labels"]["rows"]
    table = _table(labels.columns(rows), [labels.cells(row) for row in rows])
    return [table, labels.how_chosen(head["labels"])]


def _files(report: Report, programs: Sequence[str], lacking: str) -> str:
    columns = ["file", "bytes", "zipped", "ms (median)", "ms (p95)", "threads"]
    rows = [
        [
            f"`{f.path}`",
            human_bytes(f.bytes),
            human_bytes(f.zipped_bytes),
            f"{f.latency_ms:.3f}",
            f"{f.latency_p95_ms:.3f}",
            str(f.threads),
        ]
        for f in report.files
    ]
    measured = report.reference["measured"]
    listed = ", ".join(f"`{name}`" for name in programs)
    shown = f" How a program uses a file: {listed}. {lacking}".rstrip() if programs else ""
    return (
        f"{_table(columns, rows)}\n\nOne {report.reference['timed']} at a time, on "
        f"{measured['processor']} "
        f"({measured['cores']} cores may be used). Other machines will differ.{shown}"
    )


def _preprocessing(prepare: Chain) -> str:
    restored = any(isinstance(op, Standardize) and op.target for op in prepare.ops)
    after = (
        "After the file: its numbers, times the `std` of the columns that `target` names, plus "
        "their `mean`, are in the units of the data."
    )
    return (
        "Before the file (the caller's to do; `chain.json` has it all):\n\n"
        f"{_listed(prepare.outside())}\n\nIn the file:\n\n{_listed(prepare.inside())}"
        + (f"\n\n{after}" if restored else "")
    )


def _limits(report: Report, manifest: Manifest) -> str:
    head = report.reference
    of_classes = [
        "Whether a score can be read as a probability: not measured.",
        "Inputs that belong to no class: not measured; the model has no answer for them.",
    ]
    unknown = [
        f"Data of another origin than this dataset: not measured. Only the split "
        f"{head['split']!r} was run.",
        "Groups within the data (such as age, sex, device, place): not measured.",
        *(of_classes if manifest.class_names else ["How sure a single forecast is: not measured."]),
        f"Whether the {'labels' if manifest.class_names else 'targets'} are right: not known.",
    ]
    return "\n".join(f"- {line}" for line in unknown)


def _interval(file: FileReport) -> str:
    return f"{file.score_lost_low:+z.4f} to {file.score_lost_high:+z.4f}"


def _listed(chain: Chain) -> str:
    return "\n".join(f"{n}. `{op!r}`" for n, op in enumerate(chain.ops, 1)) or "Nothing."


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    def line(cells: Sequence[Any]) -> str:
        return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"

    return "\n".join([line(columns), line(["---"] * len(columns)), *map(line, rows)])
