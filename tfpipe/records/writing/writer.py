"""Writes a source as TFRecord shards in a folder that TensorFlow Datasets can open too.

Example:

    manifest = write(source, "records/digits")
"""

import contextlib
import os
import pathlib
import shutil
import sys
from collections.abc import Iterator, Sequence

from tfpipe.cores import num_cores
from tfpipe.errors import RequestError, received
from tfpipe.files import Path, locked, sync_entry
from tfpipe.records import manifest as manifests
from tfpipe.records.describe import describe
from tfpipe.records.images import MAX_PIXELS
from tfpipe.records.manifest import Manifest
from tfpipe.records.sources.base import Source
from tfpipe.records.writing import beam
from tfpipe.records.writing.assemble import assemble
from tfpipe.records.writing.duplicates import warn_of_duplicates
from tfpipe.records.writing.enough import refuse_result
from tfpipe.records.writing.plan import Plan, fingerprint, make_plan
from tfpipe.records.writing.shards import (
    Finished,
    ShardWriter,
    load_finished,
    pending,
    shard_path,
)
from tfpipe.records.writing.workers import encode_all
from tfpipe.report import progress

RECORD_FORMAT = 4  # of what is in the shards, and beside them until all are finished
FEW_EXAMPLES = 50_000  # below, starting workers (seconds each) takes longer than it may save


def write(
    source: Source,
    path: Path,
    *,
    max_refused: float = 0.05,
    workers: int | None = None,
    shard_bytes: int = 128 * 2**20,
    max_pixels: int = MAX_PIXELS,
    beam_options: Sequence[str] | None = None,
) -> Manifest:
    """Writes every example of `source` below `path`, and says what was written.

    Every image is decoded once: of a JPEG or PNG all that is stored, but few pixels are made of it,
    and all of them only where two splits may share them. What cannot be used is left out, with its
    reason, in `refused.csv`. The folder appears whole or not at all: an interrupted call, whatever
    ended it, is taken up again by the next one, and ends with the same bytes. A call for records
    that are there already returns their manifest.

    The folder holds the shards (`name-split.tfrecord-00000-of-00004`), TensorFlow Datasets' own
    description (`features.json`, `dataset_info.json`), `refused.csv` and `manifest.json`. (Its own
    decoder reads no GIF, and no BMP as grey; `tfds.decode.SkipDecoding` gives their bytes.)

    Args:
        source: what `records.image_folder`, `records.arrays` and the like return.
        path: the folder to make.
        max_refused: the largest fraction of examples that may be refused.
        workers: processes that decode; 0 decodes in this one. None: one per core, or none for
            less than 50,000 examples. The bytes written do not depend on it.
        shard_bytes: a shard is closed when what goes into it has reached this size.
        max_pixels: larger images are refused before anything is allocated for them.
        beam_options: Apache Beam writes the shards (`pip install "tfpipe[beam]"`), with these
            options: `["--runner=FlinkRunner", ...]`, or `["--runner=FnApiRunner"]` for this
            machine. The bytes written are the same. All workers must see the folder in which
            `path` lies, and the source's files, under the same absolute paths. What the source
            has in memory travels to them, and each of them holds one shard in memory.

    Returns:
        The manifest; `records.load(path)` gives it back. When it is new, what `records.describe`
        says of it is printed on standard error, and a warning names what is in two splits.

    Raises:
        RequestError: an argument is outside its range, `path` holds something else, another
            process writes there, the source holds no example, two examples have the same id, too
            many were refused, or none of a split or class is left; Beam is asked for and not
            installed, or its workers do not see the files.
        DataError: `path` holds records whose manifest is damaged.
        OSError: a shard cannot be written, such as on a full disk; finished ones are kept.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> from tfpipe import records
    >>> source = records.arrays(np.zeros((4, 8, 8), np.uint8), np.arange(4) % 2, split={"train": 1})
    >>> manifest = write(source, tempfile.mkdtemp() + "/dots")
    >>> manifest.splits["train"].num_examples, manifest.num_refused
    (4, 0)
    """
    _require_sensible(source.name, max_refused, workers, shard_bytes)
    if beam_options is not None:
        beam.check_options(beam_options, workers)
    target = pathlib.Path(path)
    salt = repr((RECORD_FORMAT, sorted(source.features.items()), source.class_names, max_pixels))
    plan = make_plan(source, salt=salt, shard_bytes=shard_bytes)
    if target.exists():
        manifest = _already_written(target, fingerprint(plan))
        # A call that was killed at its very end leaves its workshop.
        shutil.rmtree(_workshop_of(target), ignore_errors=True)
        return manifest
    with _workshop(target) as folder:
        if target.exists():  # another process has made it since
            return _already_written(target, fingerprint(plan))
        if beam_options is None:
            placed = _write_shards(source, plan, folder, workers=workers, max_pixels=max_pixels)
        else:
            placed = beam.write_shards(
                source, plan, folder, options=beam_options, max_pixels=max_pixels
            )
        listing = target.with_name(f"{target.name}.refused.csv")
        refuse_result(source, placed, max_refused, listing)
        assemble(source, plan, placed, folder)
        os.replace(folder / "whole", target)
        sync_entry(target.parent)
        listing.unlink(missing_ok=True)  # of an earlier call that refused too many
    manifest = manifests.load(target)
    print(describe(manifest), file=sys.stderr)
    warn_of_duplicates(manifest)
    return manifest


def _require_sensible(name: str, max_refused: float, workers: int | None, shard_bytes: int) -> None:
    if not name[:1].isalpha():
        raise RequestError(received("the source's name to begin with a letter", name=name))
    if not 0 <= max_refused <= 1:
        raise RequestError(
            received("`max_refused` to be a fraction from 0 to 1", max_refused=max_refused)
        )
    if workers is not None and workers < 0:
        raise RequestError(received("`workers` to be 0 or more, or None", workers=workers))
    if shard_bytes < 1:
        raise RequestError(received("`shard_bytes` to be at least 1", shard_bytes=shard_bytes))


@contextlib.contextmanager
def _workshop(target: pathlib.Path) -> Iterator[pathlib.Path]:
    """The folder beside `target` in which one process at a time works; gone if all went well."""
    folder = _workshop_of(target)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        yield folder
        shutil.rmtree(folder, ignore_errors=True)


def _workshop_of(target: pathlib.Path) -> pathlib.Path:
    return target.with_name(f".{target.name}.writing")


def _already_written(target: pathlib.Path, key: str) -> Manifest:
    if not (target / manifests.FILE).is_file():
        raise RequestError(
            f"{str(target)!r} is there already, and holds no records. Choose another path, or "
            "delete it."
        )
    manifest = manifests.load(target)
    if manifest.fingerprint != key:
        raise RequestError(
            f"{str(target)!r} holds other records: the source, its files or a setting has changed. "
            "Choose another path, or delete that folder."
        )
    return manifest


def _write_shards(
    source: Source, plan: Plan, folder: pathlib.Path, *, workers: int | None, max_pixels: int
) -> Finished:
    """Writes the shards that an earlier call did not finish; returns the facts of all."""
    finished = load_finished(plan, folder)
    total = sum(shard.num_inputs for shards in plan.values() for shard in shards)
    if workers is None:
        workers = 0 if total < FEW_EXAMPLES else num_cores()
    todo = pending(source, plan, finished)
    encoding = encode_all(todo, source.features, num_workers=workers, max_pixels=max_pixels)
    writers: dict[str, ShardWriter] = {}
    with (
        progress("records", total, unit="examples") as bar,
        contextlib.closing(encoding) as encoded,
    ):
        bar.advance(total - _num_pending(plan, finished))
        for example, result in encoded:
            split = example["split"]
            if split not in writers:
                number = example["shard"]
                writers[split] = ShardWriter(shard_path(folder, split, number), plan[split][number])
            if writers[split].add(example["id"], result):
                del writers[split]
            bar.advance()
    return load_finished(plan, folder)


def _num_pending(plan: Plan, finished: Finished) -> int:
    return sum(
        planned.num_inputs
        for split, shards in plan.items()
        for planned, facts in zip(shards, finished[split], strict=True)
        if facts is None
    )
