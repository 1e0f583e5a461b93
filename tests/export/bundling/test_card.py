"""The card: what was measured stands there, and what is not known is said to be unknown."""

import re

import pytest

from tfpipe.export.bundling.card import OPEN, card
from tfpipe.report import text_table


@pytest.fixture
def text(bundled):
    return (bundled.path / "model_card.md").read_text(encoding="utf-8")


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_its_sections_come_in_order(text):
    assert re.findall("^## (.*)$", text, re.MULTILINE) == [
        *("What it is", "Data", "Scores", "Files", "Preprocessing", "Limits", "Intended use"),
        *("Licence of the model", "Licence of the data", "Contact"),
    ]


def test_the_scores_are_the_reports(bundled, text):
    rows = [cells(line) for line in text.splitlines() if line.startswith("| `")]
    for file in bundled.report.files:
        interval = f"{file.score_lost_low:+.4f} to {file.score_lost_high:+.4f}"
        score = [f"`{file.path}`", f"{file.score:.4f}", f"{file.score_lost:+.4f}", interval]
        assert [*score, f"{file.agreement:.4f}"] in rows
    head = bundled.report.reference
    assert f"On {head['num_examples']} examples of the split 'test'" in text
    assert "Bars: score_lost 0.02." in text


def test_the_counts_are_the_manifests(manifest, text):
    rows = [cells(line) for line in text.splitlines() if line.startswith("| ")]
    splits = [manifest.splits[name] for name in manifest.splits]
    assert ["examples", *(str(split.num_examples) for split in splits)] in rows
    assert ["7", *(str(split.class_counts[7]) for split in splits)] in rows
    assert "by fractions (train 0.66, test 0.2, val 0.14), seed 0; stratified by class" in text


def test_what_a_person_said_is_there_and_nothing_else_is_invented(text):
    assert "## Intended use\n\nDigits. Not for clinical use.\n" in text
    assert text.count("Not stated. To be filled in") == len(OPEN) - 1
    assert "Groups within the data (such as age, sex, device, place): not measured." in text


def test_without_notes_nothing_is_said_of_its_use(bundled, manifest, prepare):
    head = {**bundled.report.reference, "notes": {}}
    plain = card(type(bundled.report)(head, bundled.report.files), manifest, prepare)
    assert "clinical" not in plain
    assert plain.count("Not stated. To be filled in") == len(OPEN)


def test_a_note_that_is_a_table_stands_as_it_is(bundled, manifest, prepare):
    table = text_table(["kind", "n"], [["crack", 3]])
    head = {**bundled.report.reference, "notes": {"Kinds": table}}
    text = card(type(bundled.report)(head, bundled.report.files), manifest, prepare)
    assert f"## Kinds\n\n```text\n{table}\n```\n" in text


def test_what_stands_instead_is_told(bundled, manifest, prepare):
    head = {**bundled.report.reference, "instead": ["Instead of int8 there is dynamic."]}
    text = card(type(bundled.report)(head, bundled.report.files), manifest, prepare)
    assert "\n\nInstead of int8 there is dynamic.\n" in text


def test_the_chain_is_told_by_where_it_happens(text):
    before, inside = text.index("1. `Decode(channels=1)`"), text.index("1. `ToFloat()`")
    assert text.index("Before the file") < before < text.index("In the file") < inside


def test_a_name_with_a_bar_does_not_break_its_table(bundled, manifest, prepare):
    import dataclasses

    named = dataclasses.replace(manifest, class_names=("a|b", *manifest.class_names[1:]))
    assert "| a\\|b |" in card(bundled.report, named, prepare)
