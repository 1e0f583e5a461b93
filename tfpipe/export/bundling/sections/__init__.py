"""What the page shows of single examples and classes, by what the targets are.

Example:

    results = Results({"the model": expected, "int8.tflite": found}, data, run)
    sections = evidence("label", results, class_names)
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tfpipe.export.bundling.sections.boxes import box_sections
from tfpipe.export.bundling.sections.classes import class_sections
from tfpipe.export.bundling.sections.labels import label_sections
from tfpipe.export.bundling.sections.masks import mask_sections
from tfpipe.export.bundling.sections.numbers import number_sections
from tfpipe.export.bundling.sections.results import Results, Section

__all__ = ["Results", "Section", "evidence"]

_TASKS = {
    "label": class_sections,
    "mask": mask_sections,
    "boxes": box_sections,
    "target": number_sections,
}


def evidence(
    task: str,
    results: Results,
    class_names: Sequence[str],
    labels: Mapping[str, Any] | None = None,
) -> list[Section]:
    """The sections of the page that show classes and single examples.

    Args:
        task: the target's name: "label", "labels", "mask", "boxes" or "target"; of any other there
            is nothing to show.
        results: see there.
        class_names: one name per class.
        labels: what the report says of labels; only with the task "labels".

    Returns:
        Pairs of a heading and HTML.
    """
    if labels is not None:
        return label_sections(results, class_names, labels)
    return _TASKS[task](results, class_names) if task in _TASKS else []
