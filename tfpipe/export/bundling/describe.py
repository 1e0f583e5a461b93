"""What goes with the model files in a bundle: for the person who looks, and for the next program.

Example:

    describe(folder, Parts(manifest, prepare, "label", report, results, notes))
"""

import pathlib
from collections.abc import Mapping
from typing import NamedTuple

from tfpipe.export.bundling.bundled import CARD, LABELS, REPORT
from tfpipe.export.bundling.card import card
from tfpipe.export.bundling.excerpt import excerpt
from tfpipe.export.bundling.page import measured, noted, preprocessing, to_page
from tfpipe.export.bundling.sections import Results, evidence
from tfpipe.export.bundling.snippets import snippets
from tfpipe.export.bundling.thresholds import to_thresholds
from tfpipe.export.scoring.report import Report
from tfpipe.export.writing.labels import to_labels
from tfpipe.files import write_json, write_text
from tfpipe.ops import Chain
from tfpipe.records import Manifest


class Parts(NamedTuple):
    """What the descriptions are made of."""

    manifest: Manifest
    prepare: Chain
    task: str
    report: Report
    results: Results
    notes: Mapping[str, str | bytes]


def describe(folder: pathlib.Path, parts: Parts) -> None:
    """Writes all that goes with the model files."""
    manifest, prepare, task, report, results, notes = parts
    if manifest.class_names:
        to_labels(manifest.class_names, folder / LABELS)
    prepare.to_json(folder / "chain.json")
    write_json(folder / "manifest.json", excerpt(manifest))
    report.to_json(folder / REPORT)
    labels = report.reference.get("labels")
    if labels and labels["chosen_on"]:
        to_thresholds(folder, labels)
    sections = [
        *evidence(task, results, manifest.class_names, labels),
        *noted(notes),
        preprocessing(prepare),
        measured(report.reference["measured"]),
    ]
    to_page(folder / "report.html", report, sections, title=manifest.name)
    tflite = [file for file in report.files if file.format == "tflite"]
    programs: dict[str, str] = {}
    if tflite:
        smallest = min(tflite, key=lambda file: file.bytes)
        programs = snippets(folder / smallest.path, prepare, task=task)
    for name, text in programs.items():
        write_text(folder / name, text)
    write_text(folder / CARD, card(report, manifest, prepare, programs=list(programs)))
