"""Killed at any moment (SIGKILL) and started again, `write` ends with the bytes of a quiet run.

A server with TensorFlow loaded forks a process for every run, so that a run takes a moment. The
processes are real, and so is the signal: from outside, once a random number of examples has been
encoded, or from the process to itself, just before a step in the file system.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[3]
NUM_EXAMPLES = 30
SHARD_BYTES = 500
PARTS = 12

SERVER = """
import json, os, pathlib, signal, sys
import tensorflow_datasets.core.folder_dataset
from tfpipe import records
from tfpipe.records import contents, images
from tfpipe.records.writing import batches, workers
from tfpipe.records.sources.base import Entry, Feature, from_entries

STEPS = ("fsync", "link", "mkdir", "open", "rename", "replace", "rmdir", "unlink")

def source():
    paths = sorted(pathlib.Path("pictures").iterdir())
    entries = [Entry(p.name, "val" if n % 5 == 4 else "train", (p, n % 2))
               for n, p in enumerate(paths)]
    return from_entries(
        "pictures", entries, lambda data: {"image": data[0], "label": data[1]},
        features={"image": Feature("image", (None, None, 1)), "label": Feature("label")},
        class_names=("even", "odd"), rule={"by": "hand"}, seed=0)

def say(**what):
    os.write(1, (json.dumps(what) + "\\n").encode())

def watch(name, kill_at, done):
    step = getattr(os, name)
    def watched(*arguments, **options):
        if done[0] == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        done[0] += 1
        return step(*arguments, **options)
    setattr(os, name, watched)

def run(path, num_workers, kill_at):
    finish = workers.finish
    def watched(drafts, *arguments, **options):
        results = finish(drafts, *arguments, **options)
        for draft in drafts:
            say(encoded=draft.example["id"])
        return results
    workers.finish = watched
    done = [0]
    for name in STEPS:
        watch(name, kill_at, done)
    records.write(source(), path, workers=num_workers, shard_bytes=int(sys.argv[1]))
    say(steps=done[0])

batches.BATCH_EXAMPLES = 1  # so that a run can be killed after any example
contents.GROUP = images.GROUP = 1  # for its graph is made in every run
say(ready=True)
for line in sys.stdin:
    request = json.loads(line)
    child = os.fork()
    if not child:
        try:
            run(**request)
        finally:
            os._exit(0)
    say(child=child)
    _, status = os.waitpid(child, 0)
    say(signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)
"""


class Server:
    """Runs `write` in one new process after the other."""

    def __init__(self, folder):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(SHARD_BYTES)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.heard() == {"ready": True}

    def heard(self):
        return json.loads(self.process.stdout.readline())

    def run(self, path, *, workers=0, kill_at=-1, kill_after=None):
        """One run; it may be killed at a step, or after so many examples.

        Returns the ids that were encoded, and the number of steps if it came to its end.
        """
        request = {"path": path, "num_workers": workers, "kill_at": kill_at}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        child = self.heard()["child"]
        encoded, steps = [], None
        while "signal" not in (said := self.heard()):
            if len(encoded) == kill_after:
                os.kill(child, signal.SIGKILL)
                kill_after = None
            if "encoded" in said:
                encoded.append(said["encoded"])
            steps = said.get("steps", steps)
        assert steps or said["signal"] == signal.SIGKILL, "it failed on its own"
        return encoded, steps


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crash")
    (folder / "pictures").mkdir()
    for number in range(NUM_EXAMPLES):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 5), np.uint8)
        data = cv2.imencode(".png", pixels)[1].tobytes() if number != 13 else b"no image"
        (folder / "pictures" / f"{number:02d}.png").write_bytes(data)
    server = Server(folder)
    yield server
    server.process.communicate()


@pytest.fixture(scope="module")
def expected(server):
    """What a quiet run writes, by name; and the number of its steps."""
    encoded, steps = server.run("quiet")
    assert len(encoded) == NUM_EXAMPLES
    found = contents(server.folder / "quiet")
    assert sum(".tfrecord-" in name for name in found) > 4
    return found, steps


@pytest.fixture
def path(server, request):
    return server.folder / request.node.name / "records"


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def finished(path):
    """The shards that are finished in the workshop: their inodes, times, and numbers of examples.

    A shard is known by its inode: it is linked into the folder that appears in the end.
    """
    shards = {}
    for facts in path.with_name(".records.writing").glob("*-?????.json"):
        value = json.loads(facts.read_bytes())
        there = facts.with_suffix("").stat()
        refused = sum(row[1] == "example" for row in value["refused"])
        shards[there.st_ino, there.st_mtime_ns] = value["num_examples"] + refused
    return shards


def require_whole_or_absent(path, expected):
    if path.exists():
        assert contents(path) == expected


def require_undisturbed(path, expected, kept):
    """The folder is what a quiet run writes, of the shards that were finished, and alone."""
    assert contents(path) == expected
    files = [file.stat() for file in path.iterdir()]
    assert set(kept) <= {(file.st_ino, file.st_mtime_ns) for file in files}
    assert [file.name for file in path.parent.iterdir()] == ["records"]


@pytest.mark.parametrize(
    "chance", [*range(10), *(pytest.param(n, marks=pytest.mark.slow) for n in range(10, 200))]
)
def test_killed_from_outside_again_and_again(server, expected, path, chance):
    draw = random.Random(chance)
    while not path.exists():
        kept = finished(path)
        encoded, _ = server.run(str(path), kill_after=draw.randint(0, NUM_EXAMPLES))
        # What was finished is not redone; what was not is done from its shard's beginning.
        assert len(encoded) <= NUM_EXAMPLES - sum(kept.values())
        assert len(set(encoded)) == len(encoded)
        require_whole_or_absent(path, expected[0])
    if path.with_name(".records.writing").exists():  # it was killed just after the end
        kept = {}
        assert server.run(str(path))[0] == []
    require_undisturbed(path, expected[0], kept)


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, PARTS))]
)
def test_killed_just_before_a_step_in_the_file_system(server, expected, path, part):
    quiet, steps = expected
    for step in range(part, steps, PARTS):  # all of them, if the slow tests run too
        server.run(str(path), kill_at=step)
        require_whole_or_absent(path, quiet)
        there = path.exists()
        kept = {} if there else finished(path)
        encoded, _ = server.run(str(path))
        assert len(encoded) == (0 if there else NUM_EXAMPLES - sum(kept.values()))
        require_undisturbed(path, quiet, kept)
        shutil.rmtree(path.parent)


@pytest.mark.parametrize(
    "chance", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 10))]
)
def test_killed_with_workers(server, expected, path, chance):
    quiet, steps = expected
    # The process that is killed has two more; they end when nobody speaks to them any more.
    server.run(str(path), workers=2, kill_at=random.Random(chance).randint(20, steps - 1))
    require_whole_or_absent(path, quiet)
    kept = {} if path.exists() else finished(path)
    server.run(str(path))
    require_undisturbed(path, quiet, kept)
