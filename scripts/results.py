"""Runs a pipeline in a new folder and keeps what it said in docs/results/.

    python scripts/results.py tile_defects --data DIR
    python scripts/results.py digits --name mnist --source idx --data DIR

The file begins with the command and ends with the machine and the versions. Other arguments than
--name, of the file, are the pipeline's; of --data only the word DIR is kept.
"""

import argparse
import datetime
import importlib.metadata
import pathlib
import platform
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from tfpipe.cores import num_cores
from tfpipe.files import write_text

ROOT = pathlib.Path(__file__).parents[1]
PACKAGES = ("tensorflow", "keras")


def main(arguments: Sequence[str]) -> int:
    """Runs, tells what is said as it comes, and writes the file if the pipeline ends well."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pipeline")
    parser.add_argument("--name", help="of the file; the pipeline's")
    options, rest = parser.parse_known_args(arguments)
    command = ["-m", f"pipelines.{options.pipeline}", *rest]
    with tempfile.TemporaryDirectory() as out:
        said, code = run([sys.executable, *command, "--out", str(pathlib.Path(out) / "out")])
        said = said.replace(str(pathlib.Path(out) / "out"), "OUT")
    if code == 0:
        path = ROOT / "docs" / "results" / f"{options.name or options.pipeline}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, f"$ python {shlex.join(shown(command))} --out OUT\n{said}\n{machine()}\n")
        print(f"Kept: {path.relative_to(ROOT)}")
    return code


def run(command: Sequence[str]) -> tuple[str, int]:
    """What the command wrote to stdout, which is shown as it comes, and its exit code."""
    lines = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
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
    """Where and with what it ran."""
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    return (
        f"{datetime.date.today()}, commit {commit.strip()}, {num_cores()} cores "
        f"({platform.machine()}), Python {platform.python_version()}, {', '.join(found)}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
