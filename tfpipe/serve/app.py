"""The routes: TensorFlow Serving's, a page for people, and what keeps a server running.

Example:

    app = make_app(service, limits=Limits(), token="")
    uvicorn.run(app)

Source of the shapes: https://www.tensorflow.org/tfx/serving/api_rest
"""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tfpipe.serve import metrics as counted
from tfpipe.serve.answers import HANDLERS, json_answer
from tfpipe.serve.body import Asked, parse_json, parse_labels, parse_upload, read_body
from tfpipe.serve.described import metadata, status
from tfpipe.serve.gate import gate
from tfpipe.serve.log import say
from tfpipe.serve.page import POLICY, page
from tfpipe.serve.service import Service


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a request may cost.

    Args:
        body_bytes: of its body.
        seconds: to arrive, and as many again to be answered.

    Example:

    >>> Limits(seconds=5)
    Limits(body_bytes=16777216, seconds=5)
    """

    body_bytes: int = 2**24
    seconds: float = 30.0


def make_app(service: Service, *, limits: Limits, token: str = "", watch_s: float = 0) -> ASGIApp:
    """The server as an ASGI application.

    Args:
        service: what answers.
        limits: what a request may cost.
        token: that a request must bring as `Authorization: Bearer TOKEN`; "" asks for none.
        watch_s: seconds between two looks for a newer version; 0 never looks.

    Example:

    >>> import httpx
    >>> from tfpipe.serve import Metrics, Versions, load_engine
    >>> versions = Versions(made.path, lambda path, version: load_engine(path, "keras"))
    >>> service = Service(versions, Metrics(), bound=8, most=4)
    >>> transport = httpx.ASGITransport(make_app(service, limits=Limits()))
    >>> client = httpx.AsyncClient(transport=transport, base_url="http://here")
    >>> asyncio.run(client.get("/v1/models/arrays")).json()["model_version_status"][0]["state"]
    'AVAILABLE'
    """

    @contextlib.asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(service.watch(watch_s)) if watch_s else None
        if watching:
            watching.add_done_callback(_stopped)
        yield
        if watching:
            watching.cancel()
        await service.close()

    routes = [
        Route("/", root),
        Route("/healthz", healthz),
        Route("/metrics", metrics),
        *(route for place in ("", "/versions/{version}") for route in _routes(service.name, place)),
    ]
    app = Starlette(routes=routes, exception_handlers=HANDLERS, lifespan=life)
    app.router.redirect_slashes = False  # to an address made of what the request says of its host
    app.state.service, app.state.limits, app.state.asks_token = service, limits, bool(token)
    return gate(app, token=token, told=service.metrics.answered)


def _stopped(watching: "asyncio.Task[None]") -> None:
    if not watching.cancelled():
        say(f"newer versions are no longer looked for, by a defect: {watching.exception()!r}")


def _routes(name: str, place: str) -> list[Route]:
    base = f"/v1/models/{name}{place}"
    return [
        Route(f"{base}:predict", predict, methods=["POST"]),
        Route(f"{base}:label", label, methods=["POST"]),
        Route(f"{base}/metadata", described),
        Route(base, model),
    ]


async def root(request: Request) -> Response:
    """The page on which one drops an image."""
    state = request.app.state
    html = page(
        state.service.name, state.service.servable.engine.form.name, asks_token=state.asks_token
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})


async def healthz(request: Request) -> Response:
    """That the server lives: it begins to listen when its model is loaded."""
    return json_answer({"status": "ok"})


async def metrics(request: Request) -> Response:
    """Prometheus' text."""
    return Response(request.app.state.service.metrics.text(), media_type=counted.TYPE)


async def model(request: Request) -> Response:
    """The versions and their states."""
    service = _of_version(request)
    return json_answer(status(service.servable.engine, service.versions.refused))


async def described(request: Request) -> Response:
    """The signature."""
    service = _of_version(request)
    return json_answer(metadata(service.servable.engine, max_instances=service.bound))


async def predict(request: Request) -> Response:
    """The scores of the instances, in their order."""
    service, limits, started = _of_version(request), request.app.state.limits, time.perf_counter()
    with service.places(1):  # before anything of it is read
        asked = await _asked(request, limits, service.bound)
        servable = service.servable
        examples = servable.engine.parse(asked.instances)
        with service.places(len(examples) - 1):
            scored = await service.scores(servable, examples, seconds=limits.seconds)
    if servable.watch:
        latency_ms = (time.perf_counter() - started) * 1000
        servable.watch.observe(examples, scored, latency_ms=latency_ms, ids=asked.ids)
    return json_answer({"predictions": servable.engine.answers(scored.scores).tolist()})


async def label(request: Request) -> Response:
    """Labels that came later join the answers of the same ids."""
    service, limits = _of_version(request), request.app.state.limits
    with service.places(1):
        body = await read_body(request, max_bytes=limits.body_bytes, seconds=limits.seconds)
        ids, labels = parse_labels(body)
        engine, watch = service.servable.engine, service.servable.watch
        if watch is None:
            raise HTTPException(404, "The bundle has no profile that labels could be compared by.")
        joined = await watch.label(ids, engine.targets(labels))
    return json_answer({"joined": joined})


async def _asked(request: Request, limits: Limits, most: int) -> Asked:
    body = await read_body(request, max_bytes=limits.body_bytes, seconds=limits.seconds)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await parse_upload(request.headers, body, most=most)
    return parse_json(body, most=most)


def _of_version(request: Request) -> Service:
    """The service, if the version in the path is the one that answers."""
    service: Service = request.app.state.service
    now, asked = str(service.servable.engine.version), request.path_params.get("version")
    if asked is not None and asked != now:
        raise HTTPException(404, f"Expected version {now}, the one that answers.")
    return service
