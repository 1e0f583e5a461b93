"""The pictures and the page a person looks at; knows plain numbers and arrays only.

print(text_table(["file", "bytes"], [["float32.tflite", human_bytes(61_234)]]))

picture = figure(curves(history), alt="loss and accuracy by epoch")
html = page("Chest X-rays", [("Files", html_table(columns, rows)), ("Training", picture)])

with progress("records", 60_000, unit="images") as bar:
    bar.advance(64)
"""

from tfpipe.report.bars import progress
from tfpipe.report.flow import flow
from tfpipe.report.heat import heatmaps
from tfpipe.report.images import grid
from tfpipe.report.lines import curves
from tfpipe.report.matrices import confusion
from tfpipe.report.pages import figure, page
from tfpipe.report.panels import histograms, timelines
from tfpipe.report.scatter import scatter
from tfpipe.report.tables import html_table, text_table
from tfpipe.report.tiles import quotes, tiles, traces
from tfpipe.report.words import human_bytes, human_seconds

__all__ = [
    "confusion",
    "curves",
    "figure",
    "flow",
    "grid",
    "heatmaps",
    "histograms",
    "html_table",
    "human_bytes",
    "human_seconds",
    "page",
    "progress",
    "quotes",
    "scatter",
    "text_table",
    "tiles",
    "timelines",
    "traces",
]
