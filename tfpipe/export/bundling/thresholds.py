"""From which score on a label counts: chosen on the split "val", and shipped with the files.

Example:

    about = about_labels(results, manifest, prepare, reference, split="test")
    to_thresholds(folder / FILE, about)
"""

import pathlib
from typing import Any

import numpy as np

from tfpipe.export.bundling.data import examples_of
from tfpipe.export.bundling.sections.results import Results
from tfpipe.export.reading.predictor import Predictor
from tfpipe.export.scoring.labels import label_rows, youden
from tfpipe.files import write_json
from tfpipe.ops import Chain
from tfpipe.records import Manifest

FILE = "thresholds.json"
SPLIT = "val"


def about_labels(
    results: Results, manifest: Manifest, prepare: Chain, reference: Predictor, *, split: str
) -> dict[str, Any]:
    """What the report says of labels: `rows`, as `scoring.labels` has them, and `chosen_on`.

    Args:
        results: what the model and the files said to the split that is reported.
        manifest: the records; their split "val" is what thresholds are chosen on.
        prepare: the chain.
        reference: the model.
        split: the one that is reported. Where that is "val", or there is none, there are no
            thresholds: they would be judged on the examples that they were chosen for.

    Returns:
        Values that JSON can hold; `chosen_on` is None where there are no thresholds.
    """
    chosen_on = SPLIT if SPLIT in manifest.splits and split != SPLIT else None
    thresholds = None
    if chosen_on:
        data = examples_of(manifest, chosen_on, prepare)
        parts = [(reference.predict(x), y) for x, y in data.as_numpy_iterator()]
        thresholds = youden(*(np.concatenate(part) for part in zip(*parts, strict=True)))
    rows = label_rows(manifest.class_names, results.targets, results.label_scores, thresholds)
    return {"rows": rows, "chosen_on": chosen_on}


def to_thresholds(folder: pathlib.Path, about: dict[str, Any]) -> pathlib.Path:
    """Writes `thresholds.json`: a number for each label, or null where none was found.

    Returns:
        The path.
    """
    thresholds = {row["label"]: row["threshold"] for row in about["rows"]}
    value = {"rule": "Youden's J", "split": about["chosen_on"], "thresholds": thresholds}
    return write_json(folder / FILE, value)
