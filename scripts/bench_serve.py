"""A served int8 LeNet-5: requests per second, latencies, overhead; memory over time.

    python scripts/bench_serve.py [--seconds 60] [--clients 50] [--rounds 4] [--soak 0]

The servers run on the cores 0 and 1, the clients on the others. Each client sends one encoded
32x32 digit as JSON, waits for the answer, and sends it again. First `--seconds` with tfpipe's
server alone; then it takes turns with the same without micro-batching (`--batch 1`) and with a
bare Starlette handler around the interpreter (scripts/_peer.py), ten seconds each, and the ratios
of each turn are compared. The overhead is the median latency of a single client less what the same
request costs without a server. `--soak 600` goes on for so long at a steady load and tells how
the server's memory grew after the first minute.
"""

import argparse
import asyncio
import base64
import itertools
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import cv2
import keras
import numpy as np
from sklearn.datasets import load_digits

import tfpipe as tp

SERVERS = {0, 1}
PEER = "bare Starlette"
HERE = pathlib.Path(__file__).parent


def make_bundle(folder: pathlib.Path) -> pathlib.Path:
    source = load_digits()
    images = [cv2.resize(image, (32, 32)) for image in source.images * 255 / 16]
    greys = np.stack(images).round().astype(np.uint8)[..., None]
    split = {"train": 0.8, "test": 0.2}
    arrays = tp.records.arrays(greys, source.target, split=split, seed=0, name="digits")
    manifest = tp.records.write(arrays, folder / "records")
    prepare = tp.ops.Chain([tp.ops.Decode(1), tp.ops.Resize((32, 32)), tp.ops.ToFloat()])
    train = tp.records.read(manifest, "train", prepare, batch_size=32, shuffle_seed=0)
    keras.utils.set_random_seed(0)
    model = tp.models.lenet5()
    model.compile(
        keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    tp.train.fit(model, train, epochs=5)
    path = folder / "bundle"
    return tp.export.bundle(model, manifest, path, prepare=prepare, formats=["int8"]).path


class Server:
    """A process on two cores, and where it listens."""

    def __init__(self, *arguments: str):
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            preexec_fn=lambda: os.sched_setaffinity(0, SERVERS),
        )
        assert self.process.stdout
        said = self.process.stdout.readline().split()
        root = next(word for word in said if word.startswith("http://"))
        self.port = int(root.split("/")[2].rpartition(":")[2])

    def memory_bytes(self) -> int:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def end(self) -> None:
        self.process.terminate()
        self.process.communicate()


def request_of(data: bytes) -> bytes:
    body = b'{"instances":[{"b64":"' + base64.b64encode(data) + b'"}]}'
    head = (
        "POST /v1/models/digits:predict HTTP/1.1\r\nHost: here\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def client(port: int, request: bytes, until: float) -> tuple[list[float], int]:
    """The seconds of each answer, and how many were no predictions."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    seconds, errors = [], 0
    while time.perf_counter() < until:
        started = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        seconds.append(time.perf_counter() - started)
        errors += not (head.startswith(b"http/1.1 200") and body.startswith(b'{"predictions":[['))
    writer.close()
    return seconds, errors


def load(server: Server, request: bytes, clients: int, seconds: float) -> tuple[list[float], int]:
    """The seconds of all answers that many clients got in this time, and the errors."""

    async def run() -> list[tuple[list[float], int]]:
        until = time.perf_counter() + seconds
        return await asyncio.gather(*(client(server.port, request, until) for _ in range(clients)))

    found = asyncio.run(run())
    return [each for part, _ in found for each in part], sum(errors for _, errors in found)


def row(name: str, seconds: list[float], errors: int, over_s: float, ratio: float) -> list[str]:
    quantiles = np.percentile(seconds, (50, 95, 99)) * 1000
    latencies = [f"{each:.1f}" for each in quantiles]
    return [name, f"{len(seconds) / over_s:,.0f}", *latencies, f"{errors}", f"{ratio:.2f}"]


def take_turns(servers: dict[str, Server], request: bytes, clients: int, rounds: int) -> None:
    """Ten seconds each, A B C A B C ..., and the medians of each turn's ratios."""
    counts: dict[str, list[int]] = {name: [] for name in servers}
    seconds: dict[str, list[float]] = {name: [] for name in servers}
    errors = dict.fromkeys(servers, 0)
    for _, (name, server) in itertools.product(range(rounds), servers.items()):
        found, wrong = load(server, request, clients, 10)
        counts[name].append(len(found))
        seconds[name] += found
        errors[name] += wrong
    rows = []
    for name in servers:
        ratios = [its / own for its, own in zip(counts[name], counts["tfpipe"], strict=True)]
        ratio = statistics.median(ratios)
        rows.append(row(name, seconds[name], errors[name], 10 * rounds, ratio))
    heads = ["server", "requests/s", "p50 ms", "p95 ms", "p99 ms", "errors", "its / tfpipe's"]
    print(tp.report.text_table(heads, rows), flush=True)


def overhead(servers: dict[str, Server], bundle: pathlib.Path, data: bytes) -> None:
    """A single client's median, less that of the same request without a server."""
    engine = tp.serve.load_engine(bundle, "int8")
    (pixels,) = engine.form.prepare(engine.parse([data]))[None]
    bare, scoring = [], []
    for place in range(600):
        started = time.perf_counter()
        engine.score(engine.parse([data]))
        between = time.perf_counter()
        engine.predictor.predict(pixels)
        if place >= 100:
            bare.append(between - started)
            scoring.append(time.perf_counter() - between)
    without = statistics.median(bare)
    its = f"without a server {without * 1000:.2f} ms, the file alone"
    print(f"one client, {its} {statistics.median(scoring) * 1000:.2f} ms")
    for name, server in servers.items():
        found, _ = load(server, request_of(data), 1, 5)
        rest = f"; overhead {(statistics.median(found) - without) * 1000:.2f} ms"
        shown = rest if name != PEER else ""  # it decodes in its own way
        print(f"one client, {name}: {statistics.median(found) * 1000:.2f} ms{shown}", flush=True)


def soak(server: Server, request: bytes, seconds: float) -> None:
    """Five clients, and the memory every ten seconds."""
    memory, total, wrong = [], 0, 0
    for _ in range(round(seconds / 10)):
        found, errors = load(server, request, 5, 10)
        total, wrong = total + len(found), wrong + errors
        memory.append(server.memory_bytes())
    steady = memory[6:]
    print(
        f"{seconds:.0f} s, 5 clients: {total:,} requests, {wrong} errors; memory after the first "
        f"minute {steady[0] / 1e6:.1f} MB, at the end {steady[-1] / 1e6:.1f} MB, highest over "
        f"lowest {max(steady) / min(steady):.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--soak", type=float, default=0)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bundle = make_bundle(pathlib.Path(folder))
        serve = ("-m", "tfpipe.serve", str(bundle), "--port", "0", "--engine", "int8")
        servers = {
            "tfpipe": Server(*serve),
            "one by one": Server(*serve, "--batch", "1"),
            PEER: Server(str(HERE / "_peer.py"), str(bundle / "int8.tflite")),
        }
        data = cv2.imencode(".png", np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8))
        request = request_of(data[1].tobytes())
        try:
            os.sched_setaffinity(0, SERVERS)
            overhead(servers, bundle, data[1].tobytes())
            os.sched_setaffinity(0, (set(range(os.cpu_count() or 1)) - SERVERS) or SERVERS)
            load(servers["tfpipe"], request, flags.clients, 5)
            found, wrong = load(servers["tfpipe"], request, flags.clients, flags.seconds)
            heads = ["server", "requests/s", "p50 ms", "p95 ms", "p99 ms", "errors", ""]
            first = row(f"tfpipe, {flags.seconds:.0f} s", found, wrong, flags.seconds, 1)
            print(tp.report.text_table(heads, [first]), flush=True)
            take_turns(servers, request, flags.clients, flags.rounds)
            if flags.soak:
                soak(servers["tfpipe"], request, flags.soak)
        finally:
            for server in servers.values():
                server.end()


if __name__ == "__main__":
    main()
