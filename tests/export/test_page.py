"""The page: self-contained, with the table, the right counts and the wrong answers first."""

import html.parser
import re

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import confusion_matrix

from tfpipe import export
from tfpipe.export import page as page_module

NAMES = ["cat", "dog", "<b>"]
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0])
GIVEN = np.array([0, 1, 2, 0, 1, 1, 0, 2, 2, 0])  # a 2 taken for 1, a 1 taken for 2
IMAGES = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1) * np.ones((8, 8, 1), np.uint8)

REPORT = export.Report(
    {
        "path": "the Keras model 'a<b'",
        "format": "keras",
        "score_name": "accuracy",
        "score": 0.8,
        "sparsity": 0.5,
        "num_examples": 10,
    },
    (
        export.FileReport(
            path="a.tflite",
            format="tflite",
            mode="int8",
            bytes=1,
            zipped_bytes=1,
            latency_ms=0.1,
            latency_p95_ms=0.1,
            threads=1,
            peak_memory_bytes=None,
            agreement=1.0,
            max_abs_diff=0.0,
            mean_abs_diff=0.0,
            score=0.8,
            score_lost=0.0,
            score_lost_low=0.0,
            score_lost_high=0.0,
            sparsity=0.5,
            operators={},
        ),
    ),
)


class Links(html.parser.HTMLParser):
    """Everything that a browser would fetch."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [v for k, v in attributes if k in ("src", "href", "srcset", "data") and v]


@pytest.fixture
def predictor():
    """Answers as GIVEN says; the grey of an image is its number."""

    def run(images):
        return np.eye(3, dtype=np.float32)[GIVEN[images[:, 0, 0, 0]]]

    return export.Predictor("by hand", "tflite", "int8", (8, 8, 1), "uint8", 0.0, run)


@pytest.fixture
def drawn(monkeypatch):
    """What is handed to the drawing functions."""
    seen = {}

    def confusion(counts, names):
        seen.update(counts=counts, names=names)
        return original["confusion"](counts, names)

    def grid(images, captions, *, wrong):
        seen.update(images=images, captions=captions, wrong=wrong)
        return original["grid"](images, captions, wrong=wrong)

    original = {"confusion": page_module.confusion, "grid": page_module.grid}
    monkeypatch.setattr(page_module, "confusion", confusion)
    monkeypatch.setattr(page_module, "grid", grid)
    return seen


def batches(batch_size=4):
    return tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(batch_size)


def test_the_confusion_counts_are_those_of_scikit_learn(predictor, drawn):
    export.answers(predictor, batches(), NAMES)
    np.testing.assert_array_equal(drawn["counts"], confusion_matrix(LABELS, GIVEN))
    assert drawn["names"] == NAMES


def test_the_wrong_answers_come_first_and_say_what_they_should_be(predictor, drawn):
    export.answers(predictor, batches(), NAMES)
    assert drawn["captions"][:3] == ["dog, not <b>", "<b>, not dog", "cat"]
    assert drawn["wrong"] == [True, True] + [False] * 8
    assert [image[0, 0, 0] for image in drawn["images"]] == [5, 7, 0, 1, 2, 3, 4, 6, 8, 9]


def test_of_many_examples_some_of_both_kinds_are_shown(drawn):
    images = np.zeros((200, 8, 8, 1), np.uint8)
    labels = np.arange(200) % 2
    always = export.Predictor(
        "a", "tflite", "int8", (8, 8, 1), "uint8", 0.0, lambda x: np.eye(2)[[0] * len(x)]
    )
    data = tf.data.Dataset.from_tensor_slices((images, labels)).batch(64)
    export.answers(always, data, ["a", "b"])
    assert drawn["wrong"] == [True] * 24 + [False] * 24
    np.testing.assert_array_equal(drawn["counts"], [[100, 0], [100, 0]])


def test_the_sections_have_headings(predictor):
    sections = export.answers(predictor, batches(), NAMES)
    assert [heading for heading, _ in sections] == ["Confusion matrix", "Examples"]


def test_the_page_needs_nothing_from_elsewhere(predictor, tmp_path):
    sections = export.answers(predictor, batches(), NAMES)
    path = export.to_page(tmp_path / "report.html", REPORT, sections, title="Cats & dogs")
    text = path.read_text(encoding="utf-8")
    links = Links()
    links.feed(text)
    assert all(link.startswith(("data:", "#")) for link in links.found)
    assert "<script" not in text
    assert not re.search(r"url\(\s*['\"]?(?!data:|#)", text)
    assert "@import" not in text


def test_the_page_holds_the_table_and_escapes_names(predictor, tmp_path):
    path = export.to_page(tmp_path / "report.html", REPORT, [("More", "<p>x</p>")], title="a<b")
    text = path.read_text(encoding="utf-8")
    assert "a.tflite" in text
    assert "the Keras model &#x27;a&lt;b&#x27;: accuracy 0.8000 on 10 examples" in text
    assert "<title>a&lt;b" in text
    assert text.index("Files") < text.index("More")
    assert "<p>x</p>" in text
