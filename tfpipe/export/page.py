"""The page that comes with the files: the table, and what a file got right and wrong.

Example:

    sections = answers(load("out/int8.tflite"), pixels, class_names)
    to_page("out/report.html", report, sections, title="Digits")
"""

import html
import pathlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfpipe.export.file_report import COLUMNS
from tfpipe.export.predictor import Predictor
from tfpipe.export.report import Report
from tfpipe.files import Path, write_text
from tfpipe.report import confusion, figure, grid, html_table, page

NUM_EXAMPLES = 48

Section = tuple[str, str]
Example = tuple[np.ndarray, int, int]  # image, label, answer


def to_page(path: Path, report: Report, sections: Sequence[Section], *, title: str) -> pathlib.Path:
    """Writes one self-contained HTML file: the report's table, then the sections.

    Args:
        path: the file to write.
        report: what `verify` returned.
        sections: pairs of a heading and HTML.
        title: the page's title.

    Returns:
        The path.
    """
    table = html_table(COLUMNS, report.rows())
    files = ("Files", f"{table}<p>{html.escape(report.summary())}</p>")
    return write_text(path, page(title, [files, *sections]))


def answers(
    predictor: Predictor, data: tf.data.Dataset, class_names: Sequence[str]
) -> list[Section]:
    """The confusion matrix, and a grid of examples: the wrong answers first.

    Args:
        predictor: whose answers are shown.
        data: batches of (images, labels), uint8 images: the split that was verified.
        class_names: one name per class.

    Returns:
        Two sections for `to_page`.
    """
    counts = np.zeros((len(class_names), len(class_names)), np.int64)
    right: list[Example] = []
    wrong: list[Example] = []
    for images, labels in data.as_numpy_iterator():
        given = predictor.predict(images).argmax(-1)
        np.add.at(counts, (labels, given), 1)
        for example in zip(images, labels, given, strict=True):
            (right if example[1] == example[2] else wrong).append(example)
        # The page shows a few examples only: the rest need not stay in memory.
        del right[NUM_EXAMPLES:], wrong[NUM_EXAMPLES:]
    shown = (wrong[: NUM_EXAMPLES // 2] + right)[:NUM_EXAMPLES]
    return [
        ("Confusion matrix", figure(confusion(counts, class_names), alt="Confusion matrix.")),
        ("Examples", _examples(shown, class_names)),
    ]


def _examples(examples: Sequence[Example], class_names: Sequence[str]) -> str:
    captions = [
        class_names[given] if label == given else f"{class_names[given]}, not {class_names[label]}"
        for _, label, given in examples
    ]
    wrong = [bool(label != given) for _, label, given in examples]
    picture = grid([image for image, _, _ in examples], captions, wrong=wrong)
    caption = "Each image with its answer; the wrong answers come first."
    return figure(picture, alt="Test images with their answers.", caption=caption)
