"""Who has the token passes; every answer is counted."""

import types

import pytest

from tests.serve.waiting import finished
from tfpipe.serve.gate import gate, may_pass


def scope(authorization=None, path="/metrics"):
    headers = [] if authorization is None else [(b"authorization", authorization)]
    return {"type": "http", "path": path, "headers": headers}


@pytest.mark.parametrize(
    ("authorization", "passes"),
    [
        (b"Bearer secret", True),
        (b"Bearer secrets", False),
        (b"Bearer secre", False),
        (b"Bearer ", False),
        (b"bearer secret", False),
        (b"Basic secret", False),
        (b"Bearer s\xe9cret", False),
        (None, False),
    ],
)
def test_the_token_must_be_the_same(authorization, passes):
    assert may_pass(scope(authorization), "secret") is passes


def test_the_page_and_the_probe_are_open():
    assert may_pass(scope(path="/"), "secret")
    assert may_pass(scope(path="/healthz"), "secret")
    assert not may_pass(scope(path="/v1/models/xray"), "secret")


def test_without_a_token_everybody_passes():
    assert may_pass(scope(), "")
    assert may_pass(scope(b"Bearer anything"), "")


def test_a_token_beyond_ascii_can_be_sent():
    assert may_pass(scope("Bearer gehe\xedm".encode()), "gehe\xedm")


def test_an_answer_is_counted_even_where_the_application_fails(monkeypatch):
    told, clock = [], types.SimpleNamespace(perf_counter=iter((1.0, 3.5)).__next__)
    monkeypatch.setattr("tfpipe.serve.gate.time", clock)

    async def app(scope, receive, send):
        scope["endpoint"] = app
        await send({"type": "http.response.start", "status": 418})
        raise KeyError("a defect")

    async def send(message):
        pass

    called = gate(app, token="", told=lambda *facts: told.append(facts))(scope(), None, send)
    with pytest.raises(KeyError):
        finished(called)
    assert told == [("app", 418, 2.5)]
