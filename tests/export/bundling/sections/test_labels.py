"""The table of the labels, and the examples with other labels at the thresholds."""

import re

import numpy as np
import pytest

from tfpipe.export.bundling.sections import evidence
from tfpipe.export.scoring.labels import cells, label_rows

NAMES = ["mass", "nodule", "none seen"]
TRUTHS = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]])
MODEL = np.array([[0.9, 0.1, 0.2], [0.2, 0.8, 0.1], [0.7, 0.6, 0.3], [0.1, 0.2, 0.3]])


@pytest.fixture
def sections(results_of):
    def make(file, thresholds):
        scores = {"model": MODEL, "f": file}
        results = results_of(np.zeros((4, 8, 8, 1), np.uint8), TRUTHS, scores)
        rows = label_rows(NAMES, TRUTHS, scores, thresholds)
        about = {"rows": rows, "chosen_on": "val"}
        return rows, dict(evidence("labels", results, NAMES, about))

    return make


def test_the_table_is_that_of_the_report(sections):
    rows, found = sections(MODEL, np.array([0.5, 0.7, np.nan]))
    shown = re.findall("<td[^>]*>(.*?)</td>", found["Labels"])
    assert shown == [cell for row in rows for cell in cells(row)]
    assert "chosen on the split &#x27;val&#x27; by Youden&#x27;s J" in found["Labels"]


@pytest.mark.parametrize(
    ("threshold", "said"),
    [
        (0.5, "✗ f: mass, nodule</span><br>model: nodule<br>labels: nodule"),
        (np.nan, "✗ f: mass, nodule</span><br>model: nodule<br>labels: nodule"),  # then it is 0.5
        (0.8, None),
    ],
)
def test_a_file_leaves_the_model_at_the_thresholds(sections, threshold, said):
    file = MODEL.copy()
    file[1, 0] = 0.75
    text = sections(file, np.array([threshold, 0.5, np.nan]))[1]["Where a file leaves the model"]
    if said is None:
        assert text.endswith("<p>None of 4 examples.</p>")
    else:
        assert "<p>1 of 4 examples.</p>" in text
        assert said in text
