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
from tfpipe.errors import DataError, RequestError

BATCH_SIZE = 64
TAKES = {"image": "a folder of images", "text": "a text file"}
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
    data, ids = examples(pathlib.Path(flags.data), flags.split, prepare, kind=profile.kind)
    comparison = tp.drift.compare(profile, data, prepare=prepare, alert=flags.alert, ids=ids)
    print(comparison)
    if flags.out:
        print(f"Pictures: {comparison.to_page(flags.out, title=f'{flags.data} beside {bundle}')}")
    if comparison.drifted:
        sys.exit(1)


def examples(
    path: pathlib.Path, split: str, prepare: tp.ops.Chain, *, kind: str
) -> tuple[Any, list[str]]:
    """Batches of encoded images, texts or sequences, and the examples' names.

    Args:
        path: a records folder, a folder of images or a text file.
        split: of a records folder.
        prepare: the bundle's chain.
        kind: of the bundle's examples, as its profile has it.

    Raises:
        RequestError: there is nothing of that name that holds examples of this kind.
        DataError: the text file is not UTF-8.
    """
    if (path / "manifest.json").is_file():
        manifest = tp.records.load(path)
        return tp.drift.stored(manifest, split, prepare), tp.records.ids(manifest, split)
    if path.is_file() and kind == "text":
        texts = _lines(path)
        return texts, [f"line {place}" for place in range(1, len(texts) + 1)]
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in IMAGES)
    if kind == "image" and files:
        return _images(files), [str(file.relative_to(path)) for file in files]
    of_kind = f"{TAKES[kind]}, " if kind in TAKES else ""
    raise RequestError(
        f"Expected a records folder{' or ' if of_kind else ', '}{of_kind}as the bundle's examples "
        f"are of kind {kind!r}. Received: {str(path)!r}"
    )


def _lines(path: pathlib.Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DataError(path, f"line {line} is not UTF-8. Save it as UTF-8.") from None


def _images(files: list[pathlib.Path]) -> Iterator[list[bytes]]:
    for start in range(0, len(files), BATCH_SIZE):
        yield [file.read_bytes() for file in files[start : start + BATCH_SIZE]]


if __name__ == "__main__":
    sys.exit(cli.run(main, Flags, doc=__doc__))
