"""Runs a pipeline in a new folder and keeps what it said in docs/results/.

    python scripts/results.py tile_defects --data DIR
    python scripts/results.py digits --name mnist --source idx --data DIR

The file begins with the command and ends with the commit, the machine and the versions; how many
cores it took, the pipeline says. Other arguments than --name, of the file, are the pipeline's; of
--data only the word DIR is kept.
"""

import argparse
import datetime
import importlib.metadata
import os
import pathlib
import platform
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence

ROOT = pathlib.Path(__file__).resolve().parents[1]
PACKAGES = ("tensorflow", "keras")


def main(arguments: Sequence[str]) -> int:
    """Runs, tells what is said as it comes, and writes the file if the pipeline ends well."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pipeline")
    parser.add_argument("--name", help="of the file; the pipeline's")
    options, rest = parser.parse_known_args(arguments)
    command, where = ["-m", f"pipelines.{options.pipeline}", *rest], machine()
    with tempfile.TemporaryDirectory() as out:
        said, code = run([*command, "--out", str(pathlib.Path(out) / "out")])
        said = said.replace(str(pathlib.Path(out) / "out"), "OUT")
    if code == 0:
        path = ROOT / "docs" / "results" / f"{options.name or options.pipeline}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"$ python {shlex.join(shown(command))} --out OUT\n{said}\n{where}\n")
        print(f"Kept: {path.relative_to(ROOT)}")
    return code


def run(command: Sequence[str]) -> tuple[str, int]:
    """What Python wrote to stdout, which is shown as it comes, and its exit code.

    It runs where the person stands, so that relative paths mean what they say. -P keeps a folder
    `pipelines` there from being taken for ours.
    """
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment, lines = {**os.environ, "PYTHONPATH": paths}, []
    python = [sys.executable, "-P", *command]
    with subprocess.Popen(python, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return "".join(lines), process.returncode


def shown(command: Sequence[str]) -> list[str]:
    """The command as anybody could type it.

    >>> shown(["-m", "pipelines.digits", "--data", "/home/me/mnist"])
    ['-m', 'pipelines.digits', '--data', 'DIR']
    """
    before = [None, *command[:-1]]
    return ["DIR" if b == "--data" else c for b, c in zip(before, command, strict=True)]


def machine() -> str:
    """Where and with what it runs; "-dirty" marks a commit with changes on top."""
    git = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    return (
        f"{datetime.date.today()}, commit {commit.strip()}, {platform.machine()}, "
        f"Python {platform.python_version()}, {', '.join(found)}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
