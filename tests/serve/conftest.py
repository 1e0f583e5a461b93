"""A bundle of the digits' model, servers in processes of their own."""

import contextlib
import os
import queue
import re
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from tests.pictures import encoded
from tfpipe import export, ops, records
from tfpipe.serve import load_engine

ADDRESS = re.compile(r"http://\S+")


@pytest.fixture(scope="session")
def bundled(trained, prepare, digits, tmp_path_factory):
    """A bundle of the trained digits' model in several formats; tests must not change it."""
    folder = tmp_path_factory.mktemp("serve")
    source = records.arrays(
        digits[0][:220],
        digits[1][:220],
        split={"train": 0.6, "test": 0.4},
        stratify=True,
        name="digits",
    )
    manifest = records.write(source, folder / "records")
    formats = ("int8", "float32", "onnx", "saved_model")
    return export.bundle(
        trained, manifest, folder / "bundle", prepare=prepare, formats=formats, require={}
    )


@pytest.fixture(scope="session")
def engine(bundled):
    """The int8 file in this process."""
    return load_engine(bundled.path, "int8")


@pytest.fixture(scope="session")
def pictures():
    """Encoded images of several formats, kinds and sizes."""
    random = np.random.default_rng(0)
    grey = Image.fromarray(random.integers(0, 256, (40, 28), np.uint8))
    colour = Image.fromarray(random.integers(0, 256, (31, 50, 3), np.uint8))
    turned = Image.Exif()
    turned[0x0112] = 6
    return {
        "grey.png": encoded(grey),
        "colour.png": encoded(colour),
        "palette.png": encoded(colour.quantize(16)),
        "opaque.png": encoded(colour.convert("RGBA")),
        "grey.jpg": encoded(grey, "JPEG"),
        "turned.jpg": encoded(colour, "JPEG", exif=turned),
        "progressive.jpg": encoded(colour, "JPEG", progressive=True),
        "moving.gif": encoded(grey, "GIF", save_all=True, append_images=[grey.rotate(90)]),
        "colour.bmp": encoded(colour, "BMP"),
    }


class Server:
    """A server in a process of its own, which has said where it listens."""

    def __init__(self, *arguments):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tfpipe.serve", *map(str, arguments), "--port", "0"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._said, self._out, self._log = None, queue.Queue(), queue.Queue()
        # Read all along: a full pipe would hold the server up.
        self.listening = [
            threading.Thread(target=self._listen, args=pair, daemon=True)
            for pair in ((self.process.stdout, self._out), (self.process.stderr, self._log))
        ]
        for thread in self.listening:
            thread.start()

    @property
    def said(self):
        """The line that it prints when it listens."""
        if self._said is None:
            self._said = self._out.get(timeout=120)
            assert self._said, "".join(self.log())
        return self._said

    @property
    def model(self):
        return ADDRESS.search(self.said)[0]

    @property
    def root(self):
        return self.model.partition("/v1/")[0]

    def log_until(self, word):
        """The log's next line that holds a word."""
        for line in self.log():
            if word in line:
                return line
        raise AssertionError(f"the server ended and never said {word!r}")

    def log(self):
        """The lines of the log from here to its end."""
        return iter(lambda: self._log.get(timeout=120), "")

    def end(self):
        self.process.terminate()
        return self.process.wait(timeout=60), "".join(self.log())

    def _listen(self, pipe, lines):
        with pipe:
            for line in pipe:
                lines.put(line)
        lines.put("")


@pytest.fixture(scope="session")
def starting(bundled, tmp_path_factory):
    """The servers of the tests, which start at the same time; one is for versions."""
    versions = tmp_path_factory.mktemp("versions")
    shutil.copytree(bundled.path, versions / "1")
    fast = ("--engine", "int8", "--watch", "0.05")
    servers = {
        "int8": Server(bundled.path, "--engine", "int8"),
        "versions": Server(versions, *fast),
    }
    yield {**servers, "versions folder": versions}
    for server in servers.values():
        with contextlib.suppress(ProcessLookupError):
            server.process.kill()
        server.process.wait()
        for thread in server.listening:
            thread.join()


@pytest.fixture(scope="session")
def server(starting):
    """The int8 file behind a server."""
    return starting["int8"]


@pytest.fixture
def chain():
    return ops.Chain([ops.Decode(channels=1), ops.Resize((32, 32)), ops.ToFloat()])
