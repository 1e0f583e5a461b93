"""The page: self-contained, with the table, the pictures, and what a person added."""

import dataclasses
import html.parser
import re

import pytest

from tests.reports import HEAD, ROW
from tfpipe import export, ops, report
from tfpipe.export.bundling import page as page_module

FILE = dataclasses.replace(ROW, path="a.tflite", zipped_bytes=1, latency_ms=0.1, score=0.8)
REPORT = export.Report({**HEAD, "path": "the Keras model 'a<b'", "score": 0.8}, (FILE,))


class Links(html.parser.HTMLParser):
    """Everything that a browser would fetch."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [v for k, v in attributes if k in ("src", "href", "srcset", "data") and v]


@pytest.fixture
def text(bundled):
    return (bundled.path / "report.html").read_text(encoding="utf-8")


def test_a_bundle_s_page_needs_nothing_from_elsewhere(text):
    links = Links()
    links.feed(text)
    assert len(links.found) > 5
    assert all(link.startswith(("data:", "#")) for link in links.found)
    assert "<script" not in text
    assert not re.search(r"url\(\s*['\"]?(?!data:|#)", text)
    assert "@import" not in text


def test_a_bundle_s_page_has_the_row_of_every_file(bundled, text):
    for row in bundled.report.rows():
        assert re.search("".join(f"<td[^>]*>{re.escape(cell)}</td>" for cell in row), text)
    assert bundled.report.summary().replace("'", "&#x27;") in text


def test_names_are_escaped(tmp_path):
    path = export.to_page(tmp_path / "report.html", REPORT, [("More", "<p>x</p>")], title="a<b")
    text = path.read_text(encoding="utf-8")
    assert "the Keras model &#x27;a&lt;b&#x27;: accuracy 0.8000 (95 %: 0.967 to 0.982) on" in text
    assert "<title>a&lt;b" in text
    assert text.index("Files") < text.index("Size, latency and score") < text.index("More")
    assert "<p>x</p>" in text


def test_what_was_tried_and_missed_has_a_table_of_its_own():
    row = dataclasses.asdict(dataclasses.replace(REPORT.files[0], path="missed.tflite"))
    head = {**REPORT.reference, "missed": [row], "instead": ["Instead of int8 there is x."]}
    text = page_module.files_table(export.Report(head, REPORT.files))
    assert text.index("a.tflite") < text.index("Tried, and not in the bundle")
    assert text.index("Tried, and not in the bundle") < text.index("missed.tflite")
    assert "<p>Instead of int8 there is x.</p>" in text


def test_size_and_latency_are_drawn_against_the_score(monkeypatch):
    seen = []
    original = page_module.scatter
    monkeypatch.setattr(
        page_module,
        "scatter",
        lambda *arguments, **options: (
            seen.append((arguments, options)) or original(*arguments, **options)
        ),
    )
    ((heading, text),) = page_module.costs(REPORT)
    assert heading == "Size, latency and score"
    assert text.count("<img") == 2
    (names, sizes, scores), options = seen[0]
    assert (names, list(sizes), scores) == (["a.tflite"], [0.001], [0.8])
    assert options["cost_name"] == "kB, zipped"
    assert options["reference"] == 0.8
    assert list(seen[1][0][1]) == [0.1]
    assert seen[1][1]["cost_name"] == "ms for one example (threads: 1)"


def test_without_files_there_is_nothing_to_draw():
    assert page_module.costs(export.Report(REPORT.reference, ())) == []


def test_every_op_says_where_it_happens():
    chain = ops.Chain(
        [
            *(ops.Decode(1), ops.Resize((32, 32)), ops.RandomAffine(rotation=0.1)),
            *(ops.Clahe(), ops.ToFloat()),
        ]
    )
    cells = re.findall("<td[^>]*>(.*?)</td>", page_module.preprocessing(chain)[1])
    assert cells[1::2] == [
        *("before the file", "before the file", "in training only"),
        *("in the file", "in the file"),
    ]
    assert cells[0] == "Decode(channels=1)"


def test_notes_are_text_or_pictures():
    picture = report.curves({"loss": [0.9, 0.4]})
    table = report.text_table(["kind", "<n>"], [["crack", 3]])
    notes = {"Use": "a<b\n\nmore", "Training": picture, "Kinds": table}
    sections = dict(page_module.noted(notes))
    assert sections["Kinds"] == "<pre>kind   &lt;n&gt;\n-----  ---\ncrack    3</pre>"
    assert sections["Use"] == "<p>a&lt;b</p>\n<p>more</p>"
    assert 'alt="Training."' in sections["Training"]
