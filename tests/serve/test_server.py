"""The parts of the server, by the command's flags."""

import gc
import socket

import httpx
import pytest

from tests.serve.toys import toy
from tests.serve.waiting import finished
from tfpipe.errors import RequestError
from tfpipe.serve import server
from tfpipe.serve.__main__ import Flags


@pytest.fixture
def served(monkeypatch, tmp_path):
    """The parts of a server by its flags, around a toy; and what its loader was asked."""
    asked = {}

    def load_engine(path, **options):
        asked.update(options)
        return toy()

    monkeypatch.setattr(server, "load_engine", load_engine)
    monkeypatch.setattr(server, "settle", lambda: None)
    (tmp_path / "1").mkdir()

    def make(**flags):
        given = Flags(str(tmp_path), **flags)
        service = server._service(given)
        return given, service, server._config(service, given), asked

    return make


def test_every_flag_reaches_the_server(served):
    files = {"engine": "int8", "threads": 3, "max_pixels": 99}
    limits = {"batch": 5, "queue": 7, "timeout": 2.5, "max_body_mb": 0.002, "token": "secret"}
    _, service, config, asked = served(**files, **limits)
    assert asked == {**files, "version": 1}
    assert (service.most, service.bound) == (5, 7)
    assert config.timeout_graceful_shutdown > 2 * 2.5  # to arrive, and to be answered
    sent = {"instances": [1]}

    async def codes():
        transport = httpx.ASGITransport(config.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            path, headers = "/v1/models/toy:predict", {"Authorization": "Bearer secret"}
            large = {"instances": [1] * 1000}
            answers = [
                await client.post(path, json=sent),
                await client.post(path, json=sent, headers=headers),
                await client.post(path, json=large, headers=headers),
            ]
            return [answer.status_code for answer in answers]

    assert finished(codes()) == [401, 200, 413]


def test_who_can_reach_it_without_a_token_is_told(served, capsys):
    for host, token, warned in (("0.0.0.0", "", True), ("0.0.0.0", "a", False), ("::1", "", False)):
        flags, service, *_ = served(host=host, token=token)
        said = server._sentence(service, flags, host, 8501)
        shown = "[::1]" if host == "::1" else host
        assert said.endswith(f" answers at http://{shown}:8501/v1/models/toy")
        sentence = f"Whoever reaches {host}:8501 can use it: there is no --token.\n"
        assert capsys.readouterr().err == (sentence if warned else "")


def test_what_is_loaded_is_left_out_of_pythons_collections(bundled):
    try:
        server._service(Flags(str(bundled.path), "int8"))
        assert gc.get_freeze_count() > 100_000
    finally:
        gc.unfreeze()


def test_an_answer_does_not_wait_for_an_acknowledgement():
    with server._listener("127.0.0.1", 0) as listener, socket.socket() as client:
        client.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_version_that_is_refused_at_the_start_is_told(served, monkeypatch, tmp_path, capsys):
    def load_engine(path, *, version, **options):
        if version == 2:
            raise RequestError("It is broken.")
        return toy()

    _ = served  # its `settle`, and version 1
    monkeypatch.setattr(server, "load_engine", load_engine)
    (tmp_path / "2").mkdir()
    server._service(Flags(str(tmp_path)))
    assert capsys.readouterr().err == "version 2 is refused: It is broken.\n"
