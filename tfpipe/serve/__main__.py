"""Serves a bundle over HTTP, by TensorFlow Serving's protocol and with a page for people.

    python -m tfpipe.serve out/digits/bundle --engine int8 --port 8501

GET /v1/models/NAME, GET /v1/models/NAME/metadata, POST /v1/models/NAME:predict (JSON with
`instances`, or a form with image files), GET /healthz, GET /metrics (Prometheus), and / in a
browser. NAME is the data's, and is printed. BUNDLE may be a folder of numbered bundles: the highest
number answers, and one that is put there later takes over without a failed request. SIGTERM
answers what is in flight, and ends.
"""

import dataclasses
import sys

from tfpipe import cli
from tfpipe.cli import flag


@dataclasses.dataclass(frozen=True)
class Flags:
    """The command line."""

    bundle: str = flag("", "a bundle, or a folder of numbered bundles", positional=True)
    engine: str = flag("", "float32, int8, onnx, saved_model, ...; without it, the first file")
    host: str = flag("127.0.0.1", "the address to listen on; 0.0.0.0 is reached from elsewhere")
    port: int = flag(8501, "0 takes a free one, which is printed", least=0, most=65535)
    token: str = flag("", "that requests must bring: Authorization: Bearer TOKEN")
    threads: int = flag(1, "in which TFLite and ONNX files run", least=1)
    batch: int = flag(32, "examples that are computed together; 1 is one by one", least=1)
    queue: int = flag(128, "examples in flight; beyond, the answer is 503", least=1)
    max_body_mb: float = flag(16.0, "megabytes of a request", least=0.001)
    max_pixels: int = flag(0, "of the images of a request together; 0: 33.6 million", least=0)
    timeout: float = flag(30.0, "seconds for a request to arrive, and to be answered", least=0.1)
    watch: float = flag(1.0, "seconds between two looks for a newer version; 0: none", least=0)


def main(flags: Flags) -> None:
    """Serves until SIGTERM or Ctrl-C."""
    from tfpipe.serve.server import serve  # loads TensorFlow; --help need not wait for it

    serve(flags)


if __name__ == "__main__":
    sys.exit(cli.run(main, Flags, doc=__doc__))
