"""Answers, and what is answered where something is wrong: {"error": "..."}, never a traceback.

Example:

    json_answer({"predictions": [[0.1, 0.9]]})
    Starlette(routes=routes, exception_handlers=HANDLERS)
"""

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tfpipe.errors import RequestError

_LONGEST = 1000  # of a sentence, which may quote what was sent


def json_answer(value: Any, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A value as JSON; its floats are read back as the same numbers."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Response(text, code, headers, "application/json")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence, headers = error.detail, dict(error.headers or {})
    if error.status_code == 404 and sentence == "Not Found":
        service = request.app.state.service
        sentence = f"Nothing is here. The model is at /v1/models/{service.name}."
    if error.status_code == 405:
        sentence = f"{request.method} is not for this path; {headers['Allow']} is."
    return _error(sentence, error.status_code, headers)


async def _wrong(request: Request, error: Exception) -> Response:
    return _error(str(error), 400)


async def _gone(request: Request, error: Exception) -> Response:
    return _error("The client went away.", 400)  # which nobody reads


async def _defect(request: Request, error: Exception) -> Response:
    """Starlette raises it again, and so the traceback is in the log."""
    return _error("The server failed; its log says more.", 500)


def _error(sentence: str, code: int, headers: dict[str, str] | None = None) -> Response:
    shown = sentence if len(sentence) <= _LONGEST else f"{sentence[:_LONGEST]}..."
    return json_answer({"error": shown}, code, headers)


HANDLERS: Any = {
    HTTPException: _http,
    RequestError: _wrong,
    ClientDisconnect: _gone,
    Exception: _defect,
}
