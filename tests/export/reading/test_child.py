"""The script that runs a file alone: it loads nothing but the file's runtime."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tfpipe import export
from tfpipe.export.reading import child

LOADED = """
import json, runpy, sys
sys.argv = ["child.py", {job!r}]
runpy.run_path({script!r}, run_name="__main__")
print(sorted({{"tfpipe", "tensorflow", "keras", "onnx"}} & set(sys.modules)))
"""


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_neither_tensorflow_nor_tfpipe_is_loaded(files, trained, prepare, tmp_path, format):
    path = files["float32"]
    if format == "onnx":
        path = export.to_onnx(trained, tmp_path / "a.onnx", prepare=prepare)
    np.save(tmp_path / "inputs.npy", np.zeros((3, 32, 32, 1), np.uint8))
    job = {"format": format, "path": str(path), "threads": 1}
    job["inputs"] = str(tmp_path / "inputs.npy")
    code = LOADED.format(job=json.dumps(job), script=child.__file__)
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    *_, answer, loaded = done.stdout.splitlines()
    assert loaded == "[]", done.stderr
    found = json.loads(answer)
    assert len(found["seconds"]) == 3
    assert found["peak_memory_bytes"] > 0


def test_the_resident_memory_is_what_linux_says():
    before = child.resident_bytes("VmRSS")
    block = np.ones(20_000_000)
    grown = child.resident_bytes("VmHWM") - before
    assert grown >= block.nbytes * 0.95
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    assert child.resident_bytes("VmRSS") == pytest.approx(pages * 4096, rel=0.05)
