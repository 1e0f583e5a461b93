"""A headless Chromium, driven by the DevTools protocol.

Source: https://chromedevtools.github.io/devtools-protocol/
"""

import contextlib
import itertools
import json
import shutil
import subprocess

from websockets.sync.client import connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-port=0",
)


def executable():
    """Where a Chromium is, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@contextlib.contextmanager
def page(folder):
    """A function that calls the protocol on an empty page: `call("Page.navigate", url=...)`."""
    command = [executable(), *FLAGS, f"--user-data-dir={folder}", "about:blank"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        address = next(line.split()[-1] for line in process.stderr if "DevTools listening" in line)
        with connect(address, max_size=None) as socket:
            call = _caller(socket)
            target = call("Target.createTarget", url="about:blank")["targetId"]
            session = call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            yield _caller(socket, sessionId=session)
    finally:
        process.kill()
        process.communicate()


def _caller(socket, **envelope):
    numbers = itertools.count(1000 if envelope else 1)

    def call(method, **params):
        number = next(numbers)
        socket.send(json.dumps({"id": number, "method": method, "params": params, **envelope}))
        while True:
            message = json.loads(socket.recv(timeout=60))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    return call
