"""The command as a person runs it: real processes, real signals, versions that come and break."""

import base64
import re
import shutil
import socket
import subprocess
import sys
import threading

import httpx
import numpy as np
import pytest

from tests.serve.waiting import turns
from tfpipe import cli
from tfpipe.serve import __main__ as main


def sent(pictures):
    return {"instances": [{"b64": base64.b64encode(data).decode()} for data in pictures.values()]}


def test_it_says_what_answers_where(server):
    sentence = r"digits version 1 \(int8\.tflite\) answers at http://127\.0\.0\.1:\d+/v1/models/"
    assert re.fullmatch(sentence + "digits\n", server.said)


def test_the_answers_are_the_engines_to_the_bit(server, engine, pictures):
    answer = httpx.post(f"{server.model}:predict", json=sent(pictures))
    expected = engine.score(engine.parse(list(pictures.values()))).scores
    given = np.array(answer.json()["predictions"], np.float32)
    assert given.tobytes() == expected.tobytes()


def test_uploaded_files_are_answered_alike(server, pictures):
    files = [("image", (name, data)) for name, data in pictures.items()]
    uploaded = httpx.post(f"{server.model}:predict", files=files).json()
    assert uploaded == httpx.post(f"{server.model}:predict", json=sent(pictures)).json()


def test_many_at_once_are_answered_as_one_by_one(server, engine, pictures):
    """Fifty threads, and each gets the answer to its own question."""
    names = list(pictures) * 6
    expected = engine.score(engine.parse([pictures[name] for name in names])).scores
    found = [None] * len(names)

    def ask(place):
        one = sent({"one": pictures[names[place]]})
        found[place] = httpx.post(f"{server.model}:predict", json=one, timeout=60).json()

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(names))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer["predictions"] for answer in found] == [[row.tolist()] for row in expected]


def test_it_listens_on_this_machine_alone(server):
    port = int(server.root.rpartition(":")[2])
    with socket.socket() as other:
        other.settimeout(5)
        assert other.connect_ex(("127.0.0.2", port)) != 0


def test_a_large_upload_is_told_and_the_connection_lives_on(server):
    with httpx.Client() as client:
        for body in (bytes(17_000_000), iter([bytes(1_000_000)] * 17)):
            answer = client.post(f"{server.model}:predict", content=body, timeout=60)
            assert (answer.status_code, list(answer.json())) == (413, ["error"])
        assert client.get(f"{server.root}/healthz").is_success


def test_drift_is_noticed_and_labels_join_the_answers(server, digits):
    """The digits in negative: each is sent with an id, by which its label comes later."""
    negatives = 255 - digits[0][300:364]
    ids = [f"n{place}" for place in range(64)]
    for some in (slice(0, 32), slice(32, 64)):
        sent = {"instances": negatives[some].tolist(), "ids": ids[some]}
        answer = httpx.post(f"{server.model}:predict", json=sent, timeout=60)
        assert answer.is_success, answer.text
    late = {"ids": ids, "labels": digits[1][300:364].tolist()}
    joined = 0
    for _ in turns():  # they are observed after they were answered
        joined += httpx.post(f"{server.model}:label", json=late, timeout=60).json()["joined"]
        if joined == 64:
            break
    metrics = httpx.get(f"{server.root}/metrics").text
    assert float(re.search(r'tfpipe_drift\{name="alarms"\} (\S+)', metrics)[1]) > 0
    assert float(re.search(r'tfpipe_drift\{name="labels"\} (\S+)', metrics)[1]) == 64
    assert 'tfpipe_drift{name="failed"} 0.0' in metrics


def place(bundled, folder, version):
    """A version appears whole, as `export.bundle` writes it."""
    aside = shutil.copytree(bundled.path, folder / f".{version}")
    aside.rename(folder / str(version))


def test_versions_come_and_the_server_goes_on(starting, bundled, pictures):
    server = starting["versions"]
    folder = starting["versions folder"]
    assert "digits version 1 (int8.tflite)" in server.said
    codes, over = [], threading.Event()

    def ask():
        with httpx.Client() as client:
            while not over.is_set():
                answer = client.post(f"{server.model}:predict", json=sent(pictures), timeout=60)
                codes.append((answer.status_code, answer.json()))

    asking = threading.Thread(target=ask, daemon=True)  # it does not outlive a failure
    asking.start()
    broken = shutil.copytree(bundled.path, folder / ".2")
    (broken / "int8.tflite").write_bytes(b"broken")
    broken.rename(folder / "2")
    assert "changed since the bundle was written" in server.log_until("version 2 is refused: ")
    place(bundled, folder, 3)
    line = server.log_until("answers now")
    over.set()
    asking.join(60)
    assert line == "digits version 3 (int8.tflite) answers now; version 1 has ended\n"
    assert {code for code, _ in codes} == {200}
    assert all(answer == codes[0][1] for _, answer in codes)
    states = httpx.get(server.model).json()["model_version_status"]
    assert [(s["version"], s["state"]) for s in states] == [("3", "AVAILABLE"), ("2", "END")]
    metrics = httpx.get(f"{server.root}/metrics").text
    assert "tfpipe_versions_refused 1.0" in metrics
    assert "tfpipe_versions_switched_total 1.0" in metrics


def test_who_is_inside_is_answered_when_it_is_told_to_end(starting, pictures):
    server = starting["versions"]
    body = httpx.Request("POST", server.model, json=sent(pictures)).content
    host, port = server.root.removeprefix("http://").split(":")
    head = (
        "POST /v1/models/digits:predict HTTP/1.1\r\nHost: here\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=60) as client:
        client.sendall(head.encode())
        assert client.recv(100).startswith(b"HTTP/1.1 100")  # it is inside now
        server.process.terminate()
        assert "ending" in server.log_until("ending")
        client.sendall(body)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'{"predictions":[[' in answer
    code, log = server.end()
    assert (code, log) == (0, "ended\n")


def refused(capsys, *arguments):
    assert cli.run(main.main, main.Flags, doc=main.__doc__, arguments=list(arguments)) == 2
    return capsys.readouterr().err


def test_no_bundle_is_one_sentence(capsys, tmp_path):
    assert refused(capsys, str(tmp_path), "--port", "0") == (
        "Expected a bundle, or a folder of bundles whose names are numbers. "
        f"Received: {str(tmp_path)!r}\n"
    )


def test_an_engine_that_is_not_there_is_told_once(capsys, bundled):
    assert refused(capsys, str(bundled.path), "--port", "0", "--engine", "int9") == (
        f"Expected `engine` to be one of {', '.join(map(repr, bundled.engines))}. "
        "Received: engine='int9'. Did you mean 'int8'?\n"
    )


def test_a_port_that_is_taken_is_one_sentence(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        log = refused(capsys, "bundle", "--port", str(port))
    assert log == (
        "Expected an address and a free port to listen on. "
        f"Received: 127.0.0.1 and {port} (Address already in use).\n"
    )


def test_a_package_that_is_missing_is_named_in_one_sentence(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "tfpipe.serve.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert refused(capsys, "bundle") == (
        "Expected the package 'uvicorn', which is not installed. Install it with: "
        'pip install "tfpipe[serve]"\n'
    )


def test_help_does_not_load_tensorflow():
    code = "import sys, tfpipe.serve.__main__; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("flag", ["--batch", "--queue", "--threads"])
def test_a_limit_below_one_is_refused(flag, capsys):
    expected = f"Expected `{flag}` to be at least 1."
    assert refused(capsys, "bundle", flag, "0").startswith(expected)
