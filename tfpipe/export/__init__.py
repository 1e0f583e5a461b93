"""Model files that have been run and scored before anybody gets them.

Names load when they are first used, so that the command's `--help` need not wait for TensorFlow.
"""

from typing import TYPE_CHECKING

from tfpipe.lazy import lazy

if TYPE_CHECKING:  # what `__getattr__` loads, for type checkers and editors
    from tfpipe.export.bundling.bundle import bundle
    from tfpipe.export.bundling.bundled import Bundle, load_bundle
    from tfpipe.export.bundling.looks import looks_at
    from tfpipe.export.bundling.notes import against_last_value, overlap_by_group, score_and_size
    from tfpipe.export.bundling.page import to_page
    from tfpipe.export.reading.load import load
    from tfpipe.export.reading.predictor import Predictor, from_keras
    from tfpipe.export.reading.texts import TextPredictor, attach_vocabulary, load_texts, on_texts
    from tfpipe.export.scoring.file_report import FileReport
    from tfpipe.export.scoring.overlaps import overlap_table
    from tfpipe.export.scoring.report import Report, load_report
    from tfpipe.export.scoring.running import Answers
    from tfpipe.export.scoring.verify import examine, verify
    from tfpipe.export.writing.keras_file import to_keras
    from tfpipe.export.writing.labels import to_labels
    from tfpipe.export.writing.metadata import attach, attached
    from tfpipe.export.writing.onnx import to_onnx
    from tfpipe.export.writing.saved_model import to_saved_model
    from tfpipe.export.writing.tflite import to_tflite

_MODULES = {
    "Answers": "scoring.running",
    "Bundle": "bundling.bundled",
    "FileReport": "scoring.file_report",
    "Predictor": "reading.predictor",
    "Report": "scoring.report",
    "TextPredictor": "reading.texts",
    "against_last_value": "bundling.notes",
    "attach": "writing.metadata",
    "attach_vocabulary": "reading.texts",
    "attached": "writing.metadata",
    "bundle": "bundling.bundle",
    "examine": "scoring.verify",
    "from_keras": "reading.predictor",
    "load": "reading.load",
    "load_bundle": "bundling.bundled",
    "load_report": "scoring.report",
    "load_texts": "reading.texts",
    "looks_at": "bundling.looks",
    "on_texts": "reading.texts",
    "overlap_by_group": "bundling.notes",
    "overlap_table": "scoring.overlaps",
    "score_and_size": "bundling.notes",
    "to_keras": "writing.keras_file",
    "to_labels": "writing.labels",
    "to_onnx": "writing.onnx",
    "to_page": "bundling.page",
    "to_saved_model": "writing.saved_model",
    "to_tflite": "writing.tflite",
    "verify": "scoring.verify",
}

__all__ = [
    "Answers",
    "Bundle",
    "FileReport",
    "Predictor",
    "Report",
    "TextPredictor",
    "against_last_value",
    "attach",
    "attach_vocabulary",
    "attached",
    "bundle",
    "examine",
    "from_keras",
    "load",
    "load_bundle",
    "load_report",
    "load_texts",
    "looks_at",
    "on_texts",
    "overlap_by_group",
    "overlap_table",
    "score_and_size",
    "to_keras",
    "to_labels",
    "to_onnx",
    "to_page",
    "to_saved_model",
    "to_tflite",
    "verify",
]

__getattr__, __dir__ = lazy(__name__, _MODULES)
