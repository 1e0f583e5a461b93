"""Writes what runs a bundle on more than one machine: Docker, Compose, Kubernetes.

    python -m tfpipe.deploy out/digits/bundle --out out/digits/deploy --engine int8

The folder's README.md has the commands. With "saved_model" among the bundle's formats, TensorFlow
Serving's files are there, too.
"""

import dataclasses
import sys

from tfpipe import cli
from tfpipe.cli import flag
from tfpipe.errors import RequestError


@dataclasses.dataclass(frozen=True)
class Flags:
    """The command line."""

    bundle: str = flag("", "a bundle's folder", positional=True)
    out: str = flag("", "the folder to make")
    engine: str = flag("", "float32, int8, onnx, saved_model, ...; without it, the first file")


def main(flags: Flags) -> None:
    """Writes, and says what is there."""
    if not flags.out:
        raise RequestError("Expected `--out DIR`, the folder to make. Received: nothing.")
    from tfpipe.deploy.containers import COMPOSE, to_containers

    path = to_containers(flags.bundle, flags.out, engine=flags.engine)
    print(f"{path}: {', '.join(sorted(entry.name for entry in path.iterdir()))}")
    if not (path / COMPOSE).exists():
        print('Nothing for TensorFlow Serving: "saved_model" is not among the bundle\'s formats.')


if __name__ == "__main__":
    sys.exit(cli.run(main, Flags, doc=__doc__))
