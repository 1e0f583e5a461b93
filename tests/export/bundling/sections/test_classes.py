"""Confusion matrices against scikit-learn, and the examples where a file leaves the model."""

import re

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from tfpipe.export.bundling.sections import classes, evidence

NAMES = ["cat", "dog", "<b>"]
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0])
MODEL = np.array([0, 1, 2, 0, 1, 1, 0, 2, 2, 0])  # a 2 taken for 1, a 1 taken for 2
FILE = np.array([0, 1, 2, 0, 0, 2, 0, 2, 2, 0])  # leaves the model at 4 (wrong) and 5 (right)
IMAGES = np.zeros((10, 8, 8, 1), np.uint8)


@pytest.fixture
def results(results_of):
    def make(**given):
        scores = {name: np.eye(len(NAMES))[row] for name, row in given.items()}
        return results_of(IMAGES, LABELS, scores)

    return make


@pytest.fixture
def drawn(monkeypatch):
    """The counts and names that are handed to the picture."""
    seen = []
    original = classes.confusion
    monkeypatch.setattr(
        classes, "confusion", lambda counts, names: seen.append(counts) or original(counts, names)
    )
    return seen


def test_the_counts_are_those_of_scikit_learn(results, drawn):
    evidence("label", results(model=MODEL, file=FILE), NAMES)
    np.testing.assert_array_equal(drawn[0], confusion_matrix(LABELS, MODEL))
    np.testing.assert_array_equal(drawn[1], confusion_matrix(LABELS, FILE))


def test_files_with_the_same_counts_share_a_picture(results, drawn):
    sections = dict(evidence("label", results(model=MODEL, a=MODEL, b=FILE), NAMES))
    assert len(drawn) == 2
    assert re.findall("<h3>(.*)</h3>", sections["Confusion matrix"]) == ["model, a", "b"]


def test_where_a_file_leaves_the_model_all_three_answers_are_shown(results):
    text = dict(evidence("label", results(model=MODEL, f=FILE), NAMES))[
        "Where a file leaves the model"
    ]
    assert text.startswith("<p>2 of 10 examples.</p>")
    captions = re.findall("<figcaption>(.*?)</figcaption>", text)
    assert captions == [
        '<span class="wrong">✗ f: cat</span><br>model: dog<br>label: dog<br>example 4',
        'f: &lt;b&gt;<br><span class="wrong">✗ model: dog</span><br>label: &lt;b&gt;<br>example 5',
    ]


def test_that_no_file_leaves_the_model_is_said(results):
    text = dict(evidence("label", results(model=MODEL, f=MODEL), NAMES))
    assert text["Where a file leaves the model"] == "<p>None of 10 examples.</p>"
    assert "2 of 10 examples" in text["Wrong answers"]
    right = dict(evidence("label", results(model=LABELS), NAMES))
    assert right["Wrong answers"] == "<p>Of model.</p>\n<p>None of 10 examples.</p>"


def test_of_many_classes_those_with_the_most_errors_are_shown(results_of, drawn):
    names = [f"class {n}" for n in range(60)]
    labels = np.repeat(np.arange(60), 10)
    given = labels.copy()
    given[:3] = 59  # three times class 0 taken for 59
    given[555:557] = 7  # twice 55 for 7
    scores = {"model": np.eye(60, dtype=np.float32)[given]}
    sections = evidence("label", results_of(np.zeros((600, 2)), labels, scores), names)
    text = dict(sections)["Confusion matrix"]
    assert drawn[0].shape == (20, 20)
    assert drawn[0].sum() - np.trace(drawn[0]) == 5
    assert "20 of 60 classes: those with the most errors. 5 of 5 errors are between them." in text
    cells = re.findall("<td[^>]*>(.*?)</td>", text)
    assert cells == ["class 0", "class 59", "3", "10", "class 55", "class 7", "2", "10"]


def test_one_score_of_two_classes_is_enough(results_of):
    scores = {"model": np.array([[0.2], [0.7]], np.float32)}
    answered = results_of(np.zeros((2, 4, 4, 3), np.uint8), np.array([0, 1]), scores)
    said = dict(evidence("label", answered, ["no", "yes"]))["Wrong answers"]
    assert "None of 2 examples" in said


def test_of_an_unknown_task_there_is_nothing_to_show(results):
    assert evidence("none", results(model=MODEL), NAMES) == []


def test_texts_are_shown_as_texts_and_escaped(results_of):
    texts = np.array([f"review {n} <i>of</i> a film".encode() for n in range(10)], object)
    scores = {"model": np.eye(3)[MODEL], "f": np.eye(3)[FILE]}
    sections = dict(evidence("label", results_of(texts, LABELS, scores), NAMES))
    left = re.findall("<blockquote>(.*?)</blockquote>", sections["Where a file leaves the model"])
    assert left == [f"review {n} &lt;i&gt;of&lt;/i&gt; a film" for n in (4, 5)]
    wrong = re.findall("<blockquote>(.*?)</blockquote>", sections["Wrong answers"])
    assert wrong == [f"review {n} &lt;i&gt;of&lt;/i&gt; a film" for n in (5, 7)]
    assert "<img" not in sections["Wrong answers"]


def test_sequences_are_shown_as_lines(results_of):
    series = np.zeros((10, 3, 2), np.float32)
    series[7] = [[0, 2], [1, 2], [2, 0]]
    sections = dict(evidence("label", results_of(series, LABELS, {"m": np.eye(3)[MODEL]}), NAMES))
    lines = re.findall('points="([^"]*)"', sections["Wrong answers"])
    assert lines[2:] == ["0,80 120,40 240,0", "0,0 120,0 240,80"]  # of example 7
