"""The AUROC of each label against scikit-learn, and the examples with other labels."""

import re

import numpy as np
from sklearn.metrics import roc_auc_score

from tfpipe.export.bundling.sections import Results, evidence

NAMES = ["mass", "nodule", "none seen"]


def test_a_table_per_label_and_the_examples_with_other_labels():
    truths = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]])
    model = np.array([[0.9, 0.1, 0.2], [0.2, 0.8, 0.1], [0.7, 0.6, 0.3], [0.1, 0.2, 0.3]])
    file = model.copy()
    file[1, 0] = 0.75
    results = Results(np.zeros((4, 8, 8, 1), np.uint8), truths, {"model": model, "f": file})
    sections = dict(evidence("labels", results, NAMES))
    cells = re.findall("<td[^>]*>(.*?)</td>", sections["Labels"])
    areas = [roc_auc_score(truths[:, 0], scores[:, 0]) for scores in (model, file)]
    assert cells[:4] == ["mass", "2", *(f"{area:.4f}" for area in areas)]
    assert cells[8:] == ["none seen", "0", "nan", "nan"]
    text = sections["Where a file leaves the model"]
    assert "✗ f: mass, nodule</span><br>model: nodule<br>labels: nodule" in text
    assert text.startswith("<p>1 of 4 examples.</p>")


def test_that_no_file_leaves_the_model_is_said():
    scores = np.array([[0.9, 0.1, 0.2]])
    results = Results(np.zeros((1, 8)), np.array([[1, 0, 0]]), {"model": scores, "f": scores})
    said = dict(evidence("labels", results, NAMES))["Where a file leaves the model"]
    assert said == "<p>Nowhere, on 1 examples, at a score of 0.5.</p>"
