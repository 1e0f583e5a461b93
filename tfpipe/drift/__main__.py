"""Other data beside a bundle's profile: what of the inputs has drifted.

    python -m tfpipe.drift out/xray records/other --split test --out drift.html
    python -m tfpipe.drift out/xray other_hospital/images

BUNDLE is a folder with `profile.json` and `chain.json`; DATA a records folder, a folder of images,
or a text file with a text on each line. No model runs here: scores and embeddings are compared by
`tfpipe.drift.compare(profile, data, model=model)`. The exit code is 1 if anything has drifted, 2
if something is wrong with what was asked for.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import dataclasses
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import tfpipe as tp
from tfpipe import cli
from tfpipe.cli import flag
from tfpipe.errors import RequestError

BATCH_SIZE = 64
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")


@dataclasses.dataclass(frozen=True)
class Flags:
    """The command line."""

    bundle: str = flag("", "the bundle's folder", positional=True)
    data: str = flag("", "a records folder, a folder of images or a text file", positional=True)
    split: str = flag("test", "the split of a records folder")
    alert: float = flag(0.01, "the chance of a false alarm")
    out: str = flag("", "an HTML page to write")


def main(flags: Flags) -> None:
    """Prints the table, and writes the page."""
    from tfpipe.drift.profiles import FILE

    bundle = pathlib.Path(flags.bundle)
    profile = tp.drift.load_profile(bundle / FILE)
    prepare = tp.ops.Chain.from_json(bundle / "chain.json")
    data = examples(pathlib.Path(flags.data), flags.split, prepare)
    comparison = tp.drift.compare(profile, data, prepare=prepare, alert=flags.alert)
    print(comparison)
    if flags.out:
        print(f"Pictures: {comparison.to_page(flags.out, title=f'{flags.data} beside {bundle}')}")
    if comparison.drifted:
        sys.exit(1)


def examples(path: pathlib.Path, split: str, prepare: tp.ops.Chain) -> Any:
    """Batches of encoded images, texts or sequences.

    Raises:
        RequestError: there is nothing of that name, or no image in it.
    """
    if (path / "manifest.json").is_file():
        return tp.drift.stored(tp.records.load(path), split, prepare)
    if path.is_file():
        return path.read_text(encoding="utf-8").splitlines()
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in IMAGES)
    if not files:
        raise RequestError(
            f"Expected a records folder, a folder of images or a text file. Received: {str(path)!r}"
        )
    return _images(files)


def _images(files: list[pathlib.Path]) -> Iterator[list[bytes]]:
    for start in range(0, len(files), BATCH_SIZE):
        yield [file.read_bytes() for file in files[start : start + BATCH_SIZE]]


if __name__ == "__main__":
    sys.exit(cli.run(main, Flags, doc=__doc__))
