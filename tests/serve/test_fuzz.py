"""Malformed requests: none breaks the server, each is answered with a sentence or not at all."""

import itertools
import json
import re
import socket

import httpx
import pytest

from tests.serve import mutations


def answer(server, data, whole):
    """What comes back: always something for whole HTTP; for the rest, a closed connection may."""
    host, port = server.root.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60 if whole else 1) as client:
        try:
            client.sendall(data)
            return b"".join(iter(lambda: client.recv(65536), b""))
        except (ConnectionError, TimeoutError):
            assert not whole, data
            return b""


def require_sound(data, given):
    """No 5xx but 503; an error is JSON with a sentence, or the HTTP parser's own line."""
    head, _, body = given.partition(b"\r\n\r\n")
    code = int(re.match(rb"HTTP/1\.1 (\d{3})", head)[1])
    assert code < 500 or code == 503, (data, given)
    if code >= 400 and b"application/json" in head:
        value, _ = json.JSONDecoder().raw_decode(body.decode())  # another answer may follow
        assert list(value) == ["error"]
        assert 0 < len(value["error"]) <= 1003
        assert "Traceback" not in value["error"]
    return code


def fuzz(server, pictures, seed, count):
    codes = []
    for data, whole in itertools.islice(mutations.requests(seed, pictures), count):
        given = answer(server, data, whole)
        assert given or not whole, data
        codes.append(require_sound(data, given) if given else 0)
    return codes


def require_well(server, pictures):
    """It lives, none was a defect, and a valid request is answered."""
    assert server.process.poll() is None
    sent = {"instances": [mutations.b64(pictures["grey.png"])]}
    assert httpx.post(f"{server.model}:predict", json=sent, timeout=60).status_code == 200
    assert 'code="500"' not in httpx.get(f"{server.root}/metrics").text


def test_two_hundred_malformed_requests(server, pictures):
    codes = fuzz(server, pictures, seed=0, count=200)
    assert codes.count(400) > 100  # it is the requests that are bad, and they are told so
    assert codes.count(0) < 40
    require_well(server, pictures)


@pytest.mark.slow
def test_ten_thousand_malformed_requests(server, pictures):
    codes = fuzz(server, pictures, seed=1, count=10_000)
    assert codes.count(400) > 5000
    require_well(server, pictures)
