"""scripts/results.py keeps what a pipeline said, and nothing of one that failed."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / "scripts" / "results.py"


@pytest.fixture
def clone(tmp_path):
    """A repository with the script, and two pipelines of a line each."""
    root = tmp_path / "clone"
    for name in ("scripts", "pipelines"):
        (root / name).mkdir(parents=True)
    shutil.copy(SCRIPT, root / "scripts")
    say = "import pathlib, sys; print('score 0.9 on', pathlib.Path(sys.argv[2]).read_text()"
    (root / "pipelines" / "good.py").write_text(f"{say}, 'in', sys.argv[-1])")
    (root / "pipelines" / "bad.py").write_text("print('half'); raise SystemExit(1)")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], cwd=root, check=True)
    return root


def run(clone, *arguments):
    """As a person runs it, from beside the clone, with nothing on PYTHONPATH."""
    return subprocess.run(
        [sys.executable, "clone/scripts/results.py", *arguments],
        cwd=clone.parent,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_and_the_output_are_kept_without_paths(clone):
    (clone.parent / "tiles").write_text("70 tiles")
    (clone.parent / "pipelines").mkdir()  # is not taken for the clone's
    done = run(clone, "good", "--name", "other", "--data", "tiles", "--seed", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nKept: docs/results/other.txt\n")
    kept = (clone / "docs" / "results" / "other.txt").read_text()
    assert re.fullmatch(
        r"\$ python -m pipelines\.good --data DIR --seed 1 --out OUT\n"
        r"score 0\.9 on 70 tiles in OUT\n\n"
        r"20\d\d-\d\d-\d\d, commit [0-9a-f]{7,}, \w+, Python 3\.[\d.]+, "
        r"tensorflow 2\.[\d.]+, keras 3\.[\d.]+\n",
        kept,
    )


def test_a_commit_with_changes_on_top_says_so(clone):
    (clone / "pipelines" / "good.py").write_text("print('mended')")
    assert run(clone, "good").returncode == 0
    kept = (clone / "docs" / "results" / "good.txt").read_text()
    assert re.search(r"commit [0-9a-f]{7,}-dirty, ", kept)


def test_nothing_is_kept_of_a_run_that_failed(clone):
    done = run(clone, "bad")
    assert (done.returncode, done.stdout) == (1, "half\n")
    assert not (clone / "docs").exists()
