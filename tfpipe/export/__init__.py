"""Model files that have been run and scored before anybody gets them."""

from tfpipe.export.convert import to_labels, to_tflite
from tfpipe.export.litert import load
from tfpipe.export.page import answers, to_page
from tfpipe.export.predictor import Predictor, from_keras
from tfpipe.export.report import FileReport, Report, load_report
from tfpipe.export.verify import verify

__all__ = [
    "FileReport",
    "Predictor",
    "Report",
    "answers",
    "from_keras",
    "load",
    "load_report",
    "to_labels",
    "to_page",
    "to_tflite",
    "verify",
]
