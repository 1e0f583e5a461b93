"""A pipeline: from a command line to a bundle, with everything that all pipelines share.

Example:

    from tfpipe.pipeline import flag, run

    @dataclasses.dataclass(frozen=True)
    class Flags:
        out: str = flag("out/xray", "the folder for everything")
        overwrite: bool = flag(False, "begin anew where --out holds a run already")

    def load_source(flags: Flags) -> tp.records.Source: ...
    def make(flags: Flags, manifest: tp.records.Manifest, out: pathlib.Path) -> tp.export.Bundle:
        ...                             # a model, and tp.export.bundle(..., out / "bundle")

    if __name__ == "__main__":
        raise SystemExit(run(load_source, make, Flags, doc=__doc__))
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import tfpipe as tp
from tfpipe import cli, runs
from tfpipe.cli import flag
from tfpipe.errors import RequestError
from tfpipe.report.tables import is_table

if TYPE_CHECKING:
    from tfpipe.export import Bundle
    from tfpipe.records import Manifest, Source

__all__ = ["PRECISIONS", "flag", "judged", "run"]

Flags = TypeVar("Flags")

# Those of `train.distribute`, which loads TensorFlow.
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
BUNDLE = "bundle"
PAGE = f"{BUNDLE}/report.html"
SHORT = 110  # characters of a note that is printed, its heading included


def run(
    load_source: Callable[[Flags], Source],
    make: Callable[[Flags, Manifest, pathlib.Path], Bundle],
    flags: type[Flags],
    *,
    doc: str,
    arguments: Sequence[str] | None = None,
) -> int:
    """Runs a pipeline, or goes on with what an interrupted run of the same flags left.

    The source comes first: what is wrong with the data ends the job before anything is written.
    Its records lie in `records` in the run's folder. Printed are the bundle's table, those of its
    notes that fit on a line or are tables, how long it took on how many cores, and where the page
    is. A run that is finished already is told again from its bundle.

    Args:
        load_source: the labelled data.
        make: trains, and writes the bundle as `bundle` in the folder that it is given. It keeps
            finished parts there with `train.keep`, so that they need not be made again.
        flags: a dataclass of `cli.flag`s, among them `out`, the run's folder, and `overwrite`.
        doc: the pipeline's docstring, for `--help`.
        arguments: the command line; `sys.argv` if None.

    Returns:
        The exit code, as `cli.run` says: 2, too, where there are too few examples to train,
        to validate or to score, before the training. Classes of which train or what is scored
        has no example are told.

    Example:

    >>> import dataclasses
    >>> @dataclasses.dataclass(frozen=True)
    ... class Flags:
    ...     out: str = flag("out/dots", "the folder for everything")
    ...     overwrite: bool = flag(False, "begin anew")
    >>> def load_source(flags):
    ...     raise RequestError("There are no dots.")  # printed, and nothing is written
    >>> run(load_source, lambda flags, manifest, out: None, Flags, doc="A job.", arguments=[])
    2
    """

    def main(chosen: Flags) -> None:
        source = load_source(chosen)
        with runs.job(chosen, PAGE) as (out, finished):
            if finished:
                bundle = tp.export.load_bundle(out / BUNDLE)
            else:
                manifest = tp.records.write(source, out / "records")
                _require_splits(manifest)
                bundle = make(chosen, manifest, out)
            print("\n".join([str(bundle), *_short(bundle.report.reference["notes"])]))

    return cli.run(main, flags, doc=doc, arguments=arguments)


def judged(manifest: Manifest) -> str:
    """The split that a bundle's files are scored on: "test", or "val" where there is none.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> dots = np.arange(256, dtype=np.uint8).reshape(4, 8, 8)
    >>> source = tp.records.arrays(dots, np.arange(4), split={"train": 0.5, "val": 0.5})
    >>> judged(tp.records.write(source, tempfile.mkdtemp() + "/records"))
    'val'
    """
    return "test" if "test" in manifest.splits else "val"


def _require_splits(manifest: Manifest) -> None:
    """What the training would need in vain: told before it begins."""
    from tfpipe.records.sources.names import few  # loads TensorFlow

    counts = {name: split.num_examples for name, split in manifest.splits.items()}
    scored = judged(manifest)
    if not {"train", "val"} <= counts.keys() or counts[scored] < 2:
        found = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        raise RequestError(
            "Expected examples to train on ('train'), others to watch the training with ('val'), "
            f"and two or more to score the files on ({scored!r}). Found: {found}. Add examples, or "
            "divide them yourself."
        )
    told = {"train": "a model cannot learn that", scored: "the scores say nothing of that"}
    for part, what in told.items():
        missing = _missing(manifest, part)
        if len(missing) == manifest.num_classes and missing:
            raise RequestError(
                f"Expected examples of {few(manifest.class_names)} in the split {part!r}. Found "
                "none; divide the examples in another way."
            )
        if missing:
            print(f"No example of {few(missing)} is in {part!r}: {what}.", file=sys.stderr)


def _missing(manifest: Manifest, part: str) -> list[str]:
    counts = manifest.splits[part].class_counts
    return [name for name, count in zip(manifest.class_names, counts, strict=False) if not count]


def _short(notes: dict[str, Any]) -> list[str]:
    """The notes that fit on a line, and tables."""
    lines = [f"{heading}: {note}" for heading, note in notes.items() if not is_table(note)]
    tables = [f"{heading}:\n{note}" for heading, note in notes.items() if is_table(note)]
    return [line for line in lines if "\n" not in line and len(line) <= SHORT] + tables
