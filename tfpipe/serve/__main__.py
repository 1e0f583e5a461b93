"""Serves a bundle over HTTP, by TensorFlow Serving's protocol and with a page for people.

    python -m tfpipe.serve out/digits/bundle --engine int8 --port 8501

GET /v1/models/NAME, GET /v1/models/NAME/metadata, POST /v1/models/NAME:predict (JSON with
`instances`, or a form with image files), GET /healthz, GET /metrics (Prometheus), and / in a
browser. NAME is the data's, and is printed. BUNDLE may be a folder of numbered bundles: the highest
number answers, and one that is put there later takes over without a failed request. SIGTERM
answers what is in flight, and ends.
"""

import dataclasses
import functools
import signal
import socket
import sys

import uvicorn

from tfpipe import cli
from tfpipe.cli import flag
from tfpipe.errors import RequestError
from tfpipe.serve.app import Limits, make_app
from tfpipe.serve.engine import MAX_PIXELS, load_engine
from tfpipe.serve.log import say
from tfpipe.serve.memory import settle
from tfpipe.serve.metrics import Metrics
from tfpipe.serve.service import Service, described
from tfpipe.serve.versions import Versions

LOCAL = ("127.0.0.1", "localhost", "::1")


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
    max_pixels: int = flag(MAX_PIXELS, "of the images of a request together", least=1)
    timeout: float = flag(30.0, "seconds for a request to arrive, and to be answered", least=0.1)
    watch: float = flag(1.0, "seconds between two looks for a newer version; 0: none", least=0)


def main(flags: Flags) -> None:
    """Takes the port, loads, serves until SIGTERM or Ctrl-C."""
    with _listener(flags.host, flags.port) as listener:
        service = _service(flags)
        host, port, *_ = listener.getsockname()
        server = _Server(_config(service, flags))
        server.sentence = _sentence(service, flags, host, port)
        # uvicorn hands a signal on when it has ended; then there is nothing left to do.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: None)
        server.run(sockets=[listener])
    say("ended")


def _service(flags: Flags) -> Service:
    load = functools.partial(
        load_engine, engine=flags.engine, threads=flags.threads, max_pixels=flags.max_pixels
    )
    versions = Versions(
        flags.bundle, load, told=lambda number, why: say(f"version {number} is refused: {why}")
    )
    return Service(versions, Metrics(), bound=flags.queue, most=flags.batch, settle=settle)


def _config(service: Service, flags: Flags) -> uvicorn.Config:
    limits = Limits(int(flags.max_body_mb * 1_000_000), flags.timeout)
    app = make_app(service, limits=limits, token=flags.token, watch_s=flags.watch)
    return uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=int(2 * flags.timeout) + 1,
    )


class _Server(uvicorn.Server):
    """Says where it listens as soon as it does."""

    sentence = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self.sentence, flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        say("ending: what is in flight is answered")
        await super().shutdown(sockets)


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]
        expected = "Expected an address and a free port to listen on."
        raise RequestError(f"{expected} Received: {host} and {port} ({reason}).") from None
    # An answer's head and body are written one after the other; without this, the second waits
    # 40 ms for the first to be acknowledged. (asyncio sets it on sockets that it makes itself.)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _sentence(service: Service, flags: Flags, host: str, port: int) -> str:
    if flags.host not in LOCAL and not flags.token:
        say(f"Whoever reaches {host}:{port} can use it: there is no --token.")
    shown = f"[{host}]" if ":" in host else host
    return f"{described(service.servable.engine)} answers at http://{shown}:{port}/v1/models/{service.name}"


if __name__ == "__main__":
    sys.exit(cli.run(main, Flags, doc=__doc__))
