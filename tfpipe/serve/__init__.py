"""A bundle over HTTP; needs `pip install "tfpipe[serve]"`."""

import tfpipe.export.quiet  # noqa: F401  (first: see there)
from tfpipe.serve.app import Limits, make_app
from tfpipe.serve.engine import Engine, load_engine
from tfpipe.serve.metrics import Metrics
from tfpipe.serve.service import Service
from tfpipe.serve.versions import Versions

__all__ = ["Engine", "Limits", "Metrics", "Service", "Versions", "load_engine", "make_app"]
