"""The page that comes with the files: what each costs, what it lost, and where it is wrong.

Example:

    to_page("out/report.html", report, sections, title="Digits")
"""

import html
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from tfpipe.export.bundling.sections import Section
from tfpipe.export.scoring.file_report import COLUMNS, FileReport
from tfpipe.export.scoring.report import Report
from tfpipe.files import Path, write_text
from tfpipe.ops import Chain
from tfpipe.report import figure, html_table, page, scatter
from tfpipe.report.tables import is_table

PNG = b"\x89PNG"


def to_page(path: Path, report: Report, sections: Sequence[Section], *, title: str) -> pathlib.Path:
    """Writes one self-contained HTML file: the report's table and pictures, then the sections.

    Args:
        path: the file to write.
        report: what `verify` returned.
        sections: pairs of a heading and HTML.
        title: the page's title.

    Returns:
        The path.

    Example:

    >>> to_page(folder / "report.html", made.report, [], title="Digits").name
    'report.html'
    """
    files = [("Files", files_table(report)), *costs(report)]
    return write_text(path, page(title, [*files, *sections]))


def files_table(report: Report) -> str:
    """The table of the files, what was tried and is not among them, and the reference."""
    head = report.reference
    told = [report.summary(), *report.notes(), *head.get("instead", [])]
    parts = [html_table(COLUMNS, report.rows()), *map(paragraph, told)]
    missed = tuple(FileReport(**row) for row in head.get("missed", []))
    if missed:
        parts += ["<h3>Tried, and not in the bundle</h3>"]
        parts += [html_table(COLUMNS, Report(head, missed).rows())]
    return "\n".join(parts)


def costs(report: Report) -> list[Section]:
    """Size against score, and latency against score."""
    if not report.files:
        return []
    names = [file.path for file in report.files]
    scores = [file.score for file in report.files]
    threads = sorted({file.threads for file in report.files})
    unit, divisor = ("MB", 1e6) if max(f.zipped_bytes for f in report.files) > 1e6 else ("kB", 1e3)
    axes = {
        f"{unit}, zipped": [file.zipped_bytes / divisor for file in report.files],
        f"ms for one {report.reference['timed']} (threads: {', '.join(map(str, threads))})": [
            file.latency_ms for file in report.files
        ],
    }
    pictures = [
        figure(
            scatter(
                names,
                values,
                scores,
                cost_name=cost,
                score_name=report.reference["score_name"],
                reference=report.reference["score"],
            ),
            alt=f"The files' score against {cost}.",
        )
        for cost, values in axes.items()
    ]
    line = paragraph("Further left is cheaper, higher is better; the dotted line is the reference.")
    joined = "\n".join(pictures)
    return [("Size, latency and score", f'{line}\n<div class="side">\n{joined}\n</div>')]


def noted(notes: Mapping[str, str | bytes]) -> list[Section]:
    """What a person added: headings to text, or to a picture as PNG bytes."""
    return [
        (
            heading,
            figure(note, alt=f"{heading}.")
            if isinstance(note, bytes)
            else "\n".join(paragraph(part) for part in note.split("\n\n")),
        )
        for heading, note in notes.items()
    ]


def preprocessing(chain: Chain) -> Section:
    """Every op of the chain, and where it happens."""
    left = len(chain.outside().ops)
    rows = []
    for op in chain.ops:
        where = "before the file" if left > 0 else "in the file"
        rows.append([repr(op), "in training only" if op.random else where])
        left -= not op.random
    return "Preprocessing", html_table(["step", "where"], rows)


def measured(facts: Mapping[str, Any]) -> Section:
    """How the numbers came about, as a table of names and values."""
    rows = [[name, str(value)] for name, value in facts.items()]
    return "How it was measured", html_table(["", "value"], rows)


def paragraph(text: str) -> str:
    """Plain text as a paragraph; a `text_table` as it stands."""
    tag = "pre" if is_table(text) else "p"
    return f"<{tag}>{html.escape(text)}</{tag}>"
