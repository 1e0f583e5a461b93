"""Shards written by an Apache Beam pipeline: the same bytes, on many machines.

The plan is made, and the folder put together, in the process that asks. What travels to the
workers is what the source yields: a file's name rather than its bytes, but the whole of what is
in memory. A shard is known by its path, which has to mean the same file everywhere.

Two things differ from the local writer: Beam shows no progress, and an image that the decoder
dies of ends the pipeline, once the runner has tried it again, instead of being refused.

Example:

    finished = write_shards(source, plan, folder, options=["--runner=FlinkRunner"])
"""

import contextlib
import logging
import os
import pathlib
import pickle
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tfpipe.errors import RequestError, received
from tfpipe.records.images import MAX_PIXELS
from tfpipe.records.sources.base import Example, Feature, Source
from tfpipe.records.writing.encode import encode
from tfpipe.records.writing.plan import Plan, PlannedShard
from tfpipe.records.writing.shards import (
    Finished,
    ShardWriter,
    load_finished,
    pending,
    save_facts,
    shard_path,
)

# Pickled here, not by Beam: its coder for strings refuses file names that are not UTF-8.
Placed = tuple[bytes, tuple[int, bytes]]  # a shard's path, and a place and a pickle


def check_options(options: Sequence[str], workers: int | None) -> None:
    """Refuses what cannot work, before anything is done.

    Raises:
        RequestError: Apache Beam is not installed, `workers` is given too, or a string came
            instead of a list of them.
    """
    if workers is not None:
        expected = "`workers` or `beam_options`, not both: Beam's runner has workers of its own"
        raise RequestError(received(expected, workers=workers, beam_options=options))
    if isinstance(options, str):
        expected = "`beam_options` to be a list of strings, one for each option"
        raise RequestError(received(expected, beam_options=options))
    _import_beam()


def write_shards(
    source: Source,
    plan: Plan,
    folder: pathlib.Path,
    *,
    options: Sequence[str],
    max_pixels: int = MAX_PIXELS,
) -> Finished:
    """Writes the shards that an earlier call did not finish; returns the facts of all.

    Args:
        source: what is written.
        plan: its shards.
        folder: where they go; all workers must see it.
        options: Beam's, as on a command line.
        max_pixels: larger images are refused.

    Raises:
        RequestError: a worker does not see a file of the source, or wrote somewhere else.
    """
    folder = folder.absolute()  # workers have working directories of their own
    todo = pending(source, plan, load_finished(plan, folder))
    placed = [_placed(place, example, folder) for place, example in enumerate(todo)]
    if placed:
        job = (dict(source.features), max_pixels)
        _run(placed, job, _planned(plan, folder), options)
    finished = load_finished(plan, folder)
    _require_all(finished, folder)
    return finished


def _run(
    placed: list[Placed],
    job: tuple[dict[str, Feature], int],
    planned: dict[bytes, PlannedShard],
    options: Sequence[str],
) -> None:
    beam = _import_beam()
    # Options, even none, keep Beam from reading this program's own command line.
    with _logging_kept(), beam.Pipeline(argv=list(options)) as pipeline:
        (
            pipeline
            | beam.Create(placed)
            | "Encode" >> beam.Map(_encode, *job)
            | beam.GroupByKey()
            | "Write" >> beam.Map(_write, planned)
        )


def _planned(plan: Plan, folder: pathlib.Path) -> dict[bytes, PlannedShard]:
    return {
        os.fsencode(shard_path(folder, split, number)): planned
        for split, shards in plan.items()
        for number, planned in enumerate(shards)
    }


def _require_all(finished: Finished, folder: pathlib.Path) -> None:
    missing = sum(facts is None for shards in finished.values() for facts in shards)
    if missing:
        raise RequestError(
            f"Beam has ended, and {missing} shards are not in {str(folder)!r}. Choose a `path` on "
            "a file system that all workers share, and call again: the others are kept."
        )


def _import_beam() -> Any:
    with _logging_kept():
        # Its import warns of a Google Cloud library, which is not needed here.
        logging.getLogger().addHandler(logging.NullHandler())
        try:
            import apache_beam
        except ModuleNotFoundError as error:
            if error.name != "apache_beam":
                raise
            raise RequestError(
                "`beam_options` needs Apache Beam, which is not installed. Install it with: "
                'pip install "tfpipe[beam]"'
            ) from None
    return apache_beam


@contextlib.contextmanager
def _logging_kept() -> Iterator[None]:
    """Takes away what Beam adds to the program's logging."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    try:
        yield
    finally:
        root.handlers[:] = handlers


def _placed(place: int, example: Example, folder: pathlib.Path) -> Placed:
    example = {
        key: value.absolute() if isinstance(value, pathlib.Path) else value
        for key, value in example.items()
    }
    path = shard_path(folder, example["split"], example["shard"])
    return os.fsencode(path), (place, pickle.dumps((example, _unreadable(example))))


def _unreadable(example: Example) -> list[pathlib.Path]:
    paths = (value for value in example.values() if isinstance(value, pathlib.Path))
    return [path for path in paths if not (os.path.exists(path) and os.access(path, os.R_OK))]


def _encode(placed: Placed, features: dict[str, Feature], max_pixels: int) -> Placed:
    path, (place, data) = placed
    example, unreadable = pickle.loads(data)
    # To refuse it would finish the shard without it, and hide the cause.
    for lost in set(_unreadable(example)) - set(unreadable):
        raise RequestError(
            f"A Beam worker cannot read {str(lost)!r}, which the process that started it can. Put "
            "the source's files where all workers find them under the same paths."
        )
    encoded = encode(example, features, max_pixels=max_pixels)
    return path, (place, pickle.dumps((example["id"], encoded)))


def _write(
    group: tuple[bytes, Iterable[tuple[int, bytes]]], planned: dict[bytes, PlannedShard]
) -> None:
    path = pathlib.Path(os.fsdecode(group[0]))
    # In a folder of its own: runners may try the same shard twice at the same time.
    with tempfile.TemporaryDirectory(dir=path.parent) as room:
        writer = ShardWriter(pathlib.Path(room) / path.name, planned[group[0]])
        for _, data in sorted(group[1]):
            writer.add(*pickle.loads(data))
        writer.path.replace(path)
    save_facts(writer.facts, path)
