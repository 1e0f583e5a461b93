"""The README is true: its code runs, its links lead somewhere, its commands exist."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

import tfpipe

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_python_code_runs_as_it_stands(number, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", BLOCKS[number]],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    if number == 0:
        assert "int8.tflite" in done.stdout


def test_the_first_block_is_about_twenty_lines():
    lines = [line for line in BLOCKS[0].splitlines() if line.strip()]
    assert len(lines) <= 24


def test_links_and_commands_lead_to_files():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    commands = re.findall(r"(?:bash|python) ((?:scripts|pipelines)/[\w./]+)", README)
    modules = [
        f"{m.replace('.', '/')}.py" for m in re.findall(r"python -m (pipelines\.\w+)", README)
    ]
    missing = [path for path in links + commands + modules if not (ROOT / path).exists()]
    assert not missing
    assert commands


def test_every_public_name_stands_in_its_rooms_row():
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", README.partition("\n## Names\n")[2], re.MULTILINE)
    found = {room: re.findall(r"`(\w+)`", names) for room, names in rows}
    rooms = set(tfpipe.__all__) - {"DataError", "RequestError", "__version__"}
    assert {room: sorted(names) for room, names in found.items()} == {
        room: sorted(getattr(tfpipe, room).__all__) for room in rooms
    }
