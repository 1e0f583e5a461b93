"""Model files that have been run and scored before anybody gets them."""

from tfpipe.export.file_report import FileReport
from tfpipe.export.keras_file import to_keras
from tfpipe.export.labels import to_labels
from tfpipe.export.load import load
from tfpipe.export.metadata import attach, attached
from tfpipe.export.onnx import to_onnx
from tfpipe.export.page import answers, to_page
from tfpipe.export.predictor import Predictor, from_keras
from tfpipe.export.report import Report, load_report
from tfpipe.export.running import Answers
from tfpipe.export.saved_model import to_saved_model
from tfpipe.export.tflite import to_tflite
from tfpipe.export.verify import examine, verify

__all__ = [
    "Answers",
    "FileReport",
    "Predictor",
    "Report",
    "answers",
    "attach",
    "attached",
    "examine",
    "from_keras",
    "load",
    "load_report",
    "to_keras",
    "to_labels",
    "to_onnx",
    "to_page",
    "to_saved_model",
    "to_tflite",
    "verify",
]
