"""What every request passes first: its token is looked at, and its answer is counted.

Example:

    app = gate(app, token="secret", told=metrics.answered)
"""

import hmac
import time
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tfpipe.serve.answers import json_answer

OPEN = ("/", "/healthz")  # a page without data, and whether the server lives

Told = Callable[[str, int, float], None]  # the endpoint's name, the status code, seconds


def gate(app: ASGIApp, *, token: str, told: Told) -> ASGIApp:
    """Puts the gate before an application.

    Args:
        app: made by Starlette, which notes the endpoint of a request in its scope.
        token: that must come as `Authorization: Bearer TOKEN`; "" lets everybody in.
        told: called after each answer.
    """

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI hands it on."""
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        started, code = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal code
            code = message.get("status", code)
            await send(message)

        try:
            inner = app if may_pass(scope, token) else _refusal
            await inner(scope, receive, sending)
        finally:
            endpoint = getattr(scope.get("endpoint"), "__name__", "none")
            told(endpoint, code, time.perf_counter() - started)

    return call


def may_pass(scope: Scope, token: str) -> bool:
    """Whether a request brings the token, or needs none; how far it is right does not show.

    >>> may_pass({"path": "/metrics", "headers": [(b"authorization", b"Bearer b")]}, "a")
    False
    """
    given = Headers(scope=scope).get("authorization", "")
    right = hmac.compare_digest(given.encode("latin-1"), f"Bearer {token}".encode())
    return not token or right or scope["path"] in OPEN


async def _refusal(scope: Scope, receive: Receive, send: Send) -> None:
    sentence = "Expected the header `Authorization: Bearer TOKEN` with the server's token."
    answer = json_answer({"error": sentence}, 401, {"WWW-Authenticate": "Bearer"})
    await answer(scope, receive, send)
