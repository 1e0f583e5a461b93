"""How a program of a bundle is run: in a process that has only what its user would have."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[4]
GUARD = """
import runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
heavy = {"tensorflow", "keras", "tf_keras", "onnxruntime", "cv2", "torch", "tfpipe.ops"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert {allowed!r} or "tfpipe" not in sys.modules
"""


@pytest.fixture
def use(tmp_path):
    """Runs a bundle's `use.py` with one argument and returns the lines that it printed."""

    def run(bundle, argument, *, tfpipe=False):
        guard = GUARD.replace("{allowed!r}", repr(tfpipe))
        done = subprocess.run(
            [sys.executable, "-c", guard, str(bundle.path / "use.py"), str(argument)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT) if tfpipe else ""},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run
