"""The page of a comparison: what drifted, over time, side by side, and the strangest examples.

Example:

    html = page(comparison, "Drift of the X-rays")
"""

import html
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfpipe import report
from tfpipe.drift.finding import COLUMNS
from tfpipe.drift.seeing import Seen

if TYPE_CHECKING:
    from tfpipe.drift.comparison import Comparison

Section = tuple[str, str]

MOST_PANELS = 24


def page(comparison: "Comparison", title: str) -> str:
    """One self-contained HTML document."""
    sections = [
        ("What drifted", _findings(comparison)),
        *_alarms(comparison),
        *_time(comparison),
        *_side_by_side(comparison),
        *_farthest(comparison),
        ("The profile", _profile(comparison)),
    ]
    return report.page(title, sections, subtitle=comparison.verdict())


def _findings(comparison: "Comparison") -> str:
    ordered = sorted(comparison.findings, key=lambda finding: finding.p_value)
    rows = [finding.cells() for finding in ordered]
    if not rows:
        return _paragraph("There were too few examples, or there was no look yet.")
    told = (
        "p is corrected for the number of tests (Benjamini and Hochberg); Jensen-Shannon goes from "
        "0, the same, to 1, nothing in common; a population stability index (PSI) over 0.25 is a "
        "large change. Medians stand for numbers, shares for classes, means for distances and "
        "doubt; a mean discrepancy is 0 where nothing differs. A layout is where in a picture it "
        "is light and where dark."
    )
    return f"{report.html_table(COLUMNS, rows)}\n{_paragraph(told)}"


def _alarms(comparison: "Comparison") -> list[Section]:
    if not comparison.alarms:
        return []
    parts = []
    for alarm in comparison.alarms:
        when = f"After {alarm.num_examples:,} examples: {alarm.finding}"
        parts.append(f"<h3>{html.escape(alarm.finding.feature)}</h3>\n{_paragraph(when)}")
        parts.append(_examples(alarm.moved))
    return [("Alarms, and the examples that moved most", "\n".join(parts))]


def _time(comparison: "Comparison") -> list[Section]:
    history = comparison.history
    if len(history) < 2:
        return []
    names = _names(comparison)
    at = [number for number, _ in history]
    lines = {name: [values.get(name, math.nan) for _, values in history] for name in names}
    levels = {f.feature: f.reference for f in comparison.findings}
    marks = {
        n: [a.num_examples for a in comparison.alarms if a.finding.feature == n] for n in names
    }
    picture = report.timelines(at, lines, levels=levels, marks=marks)
    told = (
        "Each look's value; the dotted line is the profile's, a red dot the beginning of an alarm."
    )
    return [("Over time", report.figure(picture, alt="Each feature over time.", caption=told))]


def _side_by_side(comparison: "Comparison") -> list[Section]:
    samples = {}
    for name in _names(comparison):
        if name not in comparison.profile.columns:
            continue
        place = comparison.profile.columns.index(name)
        both = (rows[:, place] for rows in (comparison.profile.rows, comparison.now.rows))
        reference, now = (values[np.isfinite(values)] for values in both)
        if len(reference) and len(now):
            samples[name] = (reference, now)
    if not samples:
        return []
    picture = report.histograms(samples, names=("profile", "now"))
    alt = "Histograms of the features in the profile and now."
    return [("Side by side", report.figure(picture, alt=alt))]


def _farthest(comparison: "Comparison") -> list[Section]:
    shown = _examples(comparison.farthest())
    return [("Farthest from the profile", shown)] if shown else []


def _profile(comparison: "Comparison") -> str:
    profile = comparison.profile
    facts = [
        ["examples", f"{profile.num_examples:,}"],
        ["kind", profile.kind],
        ["shape", str(profile.shape)],
        ["task", profile.task or "none: made without a model"],
    ]
    return report.html_table(["", "value"], facts)


def _names(comparison: "Comparison") -> list[str]:
    """The features, those that drifted first."""
    ordered = sorted(comparison.findings, key=lambda finding: not finding.drifted)
    return [finding.feature for finding in ordered][:MOST_PANELS]


def _examples(seen: Sequence[Seen]) -> str:
    """Pictures, or texts, over their ids; of anything else the ids alone."""
    captions = [[(each.id, False)] for each in seen]
    pictures = [each.shown for each in seen if isinstance(each.shown, np.ndarray)]
    texts = [each.shown for each in seen if isinstance(each.shown, str)]
    if pictures:
        return report.tiles(pictures, captions)
    if texts:
        return report.quotes(texts, captions)
    return _paragraph(", ".join(each.id for each in seen)) if seen else ""


def _paragraph(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"
