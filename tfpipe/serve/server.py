"""The server that `python -m tfpipe.serve` runs: it takes the port, loads, and serves.

Example:

    serve(Flags("out/digits/bundle", port=8501))
"""

from __future__ import annotations  # the flags are the command's, which loads this room later

import functools
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn

from tfpipe.errors import RequestError
from tfpipe.serve.app import Limits, make_app
from tfpipe.serve.engine import MAX_PIXELS, load_engine
from tfpipe.serve.log import say
from tfpipe.serve.memory import settle
from tfpipe.serve.metrics import Metrics
from tfpipe.serve.service import Service, described
from tfpipe.serve.versions import Versions

if TYPE_CHECKING:
    from tfpipe.serve.__main__ import Flags

LOCAL = ("127.0.0.1", "localhost", "::1")


def serve(flags: Flags) -> None:
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
    most = flags.max_pixels or MAX_PIXELS
    load = functools.partial(
        load_engine, engine=flags.engine, threads=flags.threads, max_pixels=most
    )
    versions = Versions(flags.bundle, load)
    service = Service(versions, Metrics(), bound=flags.queue, most=flags.batch, settle=settle)
    # Where nothing answers, the error has the reasons: they are not told before, too.
    versions.told = lambda number, why: say(f"version {number} is refused: {why}")
    for number, why in versions.refused.items():
        versions.told(number, why)
    return service


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
