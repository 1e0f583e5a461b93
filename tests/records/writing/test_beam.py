"""Beam's own local runner writes, to the byte, what the local writer writes."""

import logging
import os
import pathlib
import pickle
import re
import shutil
import signal
import sys

import cv2
import numpy as np
import pytest

from tfpipe import records
from tfpipe.errors import RequestError
from tfpipe.records.sources.base import Entry, Feature, Source, from_entries
from tfpipe.records.writing import beam
from tfpipe.records.writing.encode import encode
from tfpipe.records.writing.plan import make_plan

pytest.importorskip("apache_beam", reason="Apache Beam is not installed (tfpipe[beam])")

LOCAL = ["--runner=FnApiRunner"]  # the DirectRunner would download a program first
PROCESSES = [*LOCAL, "--direct_num_workers=2", "--direct_running_mode=multi_processing"]
SHARD_BYTES = 2000


def pixels(number):
    return np.random.default_rng(number).integers(0, 256, (12, 10, 1), np.uint8)


def some_arrays(folder):
    x = np.stack([pixels(i) for i in range(90)])
    return records.arrays(x, np.arange(90) % 3)


def some_files(folder):
    """Good images, one of them with a name that is not UTF-8, and one of each kind of bad ones."""
    names = [os.fsdecode(b"caf\xe9.png"), *(f"{i:02d}.png" for i in range(59))]
    for i, name in enumerate(names):
        folder.joinpath(name).write_bytes(cv2.imencode(".png", pixels(i))[1].tobytes())
    folder.joinpath("05.png").write_bytes(b"<html>")
    folder.joinpath("06.png").write_bytes(b"")
    folder.joinpath("07.png").write_bytes(folder.joinpath("08.png").read_bytes()[:90])
    entries = [
        Entry(name, ("train", "val")[i % 2], folder / name)
        for i, name in enumerate([*names, "lost.png", "nul\0.png"])
    ]
    features = {"image": Feature("image", (None, None, 1)), "label": Feature("label")}
    return from_entries(
        "files",
        entries,
        lambda path: {"image": path, "label": 0, "notes": ["a note"]},
        features=features,
        class_names=["all"],
        rule={},
        seed=0,
    )


def some_texts(folder):
    examples = [
        {"id": f"{i}", "split": "train", "text": f"Zeile {i} – naïve" * 9, "label": i % 2}
        for i in range(60)
    ]
    features = {"text": Feature("text"), "label": Feature("label")}
    return Source("texts", features, ("no", "yes"), {}, lambda: iter(examples))


def some_boxes(folder):
    examples = [
        {
            "id": f"{i}",
            "split": "train",
            "image": pixels(i),
            "boxes": np.tile(np.float32([0.1, 0.2, 0.7, 1]), (i % 3, 1)),
            "classes": np.arange(i % 3),
        }
        for i in range(40)
    ]
    features = {
        "image": Feature("image", (None, None, 1)),
        "boxes": Feature("boxes"),
        "classes": Feature("classes"),
    }
    return Source("boxes", features, ("cell", "plate"), {}, lambda: iter(examples))


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def write(source, path, **arguments):
    return records.write(source, path, max_refused=0.2, shard_bytes=SHARD_BYTES, **arguments)


def numbered_file(folder, at_the_end):
    """A source of one file; `at_the_end` is called when the pass after the plan's has ended."""
    path = folder / "a.png"
    path.write_bytes(cv2.imencode(".png", pixels(0))[1].tobytes())
    passes = []

    def iterate():
        yield {"id": "a", "split": "train", "image": path.relative_to(folder)}
        passes.append("one")
        if len(passes) == 2:
            at_the_end()

    return Source("one", {"image": Feature("image", (None, None, 1))}, (), {}, iterate)


@pytest.mark.parametrize("make", [some_arrays, some_files, some_texts, some_boxes])
def test_the_folder_is_the_local_writers_to_the_byte(make, tmp_path):
    (tmp_path / "data").mkdir()
    source = make(tmp_path / "data")
    local = write(source, tmp_path / "local", workers=0)
    beams = write(source, tmp_path / "beam", beam_options=LOCAL)
    assert sum(len(split.shards) for split in local.splits.values()) > 2
    assert files_of(tmp_path / "beam") == files_of(tmp_path / "local")
    assert beams.splits == local.splits
    assert sorted(path.name for path in tmp_path.iterdir()) == ["beam", "data", "local"]


def test_so_it_is_when_other_processes_work(tmp_path):
    (tmp_path / "data").mkdir()
    source = some_files(tmp_path / "data")
    write(source, tmp_path / "local", workers=0)
    manifest = write(source, tmp_path / "beam", beam_options=PROCESSES)
    assert manifest.num_refused == 5
    assert files_of(tmp_path / "beam") == files_of(tmp_path / "local")


KILLED = """
import os, pathlib, signal, sys
from tests.records.writing.test_beam import LOCAL, beam, some_arrays, write

save, saved = beam.save_facts, []
def save_two(facts, path):
    save(facts, path)
    saved.append(path)
    if len(saved) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
beam.save_facts = save_two
folder = pathlib.Path(sys.argv[1])
write(some_arrays(folder), folder / "records", beam_options=LOCAL)
"""


def test_a_killed_call_is_taken_up_without_redoing_finished_shards(python, tmp_path):
    killed = python(KILLED, str(tmp_path))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    workshop = tmp_path / ".records.writing"
    inodes = {path.with_suffix("").stat().st_ino for path in workshop.glob("*.json")}
    assert len(inodes) == 2
    shutil.copytree(workshop, tmp_path / ".local.writing")
    write(some_arrays(tmp_path), tmp_path / "records", beam_options=LOCAL)
    assert inodes < {path.stat().st_ino for path in (tmp_path / "records").iterdir()}
    write(some_arrays(tmp_path), tmp_path / "local", workers=0)  # takes it up as well
    write(some_arrays(tmp_path), tmp_path / "undisturbed", workers=0)
    undisturbed = files_of(tmp_path / "undisturbed")
    assert files_of(tmp_path / "records") == files_of(tmp_path / "local") == undisturbed
    assert not workshop.exists()


def test_a_shards_examples_may_come_in_any_order_and_a_shard_twice(tmp_path):
    source = some_texts(tmp_path)
    plan = make_plan(source, salt="", shard_bytes=10**6)
    path = os.fsencode(tmp_path / "train-00000")
    encoded = [
        (place, pickle.dumps((example["id"], encode(example, source.features))))
        for place, example in enumerate(source)
    ]
    results = []
    for group in (encoded, encoded[::-1]):
        beam._write((path, group), {path: plan["train"][0]})
        results.append(files_of(tmp_path))
    assert results[0] == results[1]
    assert set(results[0]) == {
        "train-00000",
        "train-00000.json",
        "train-00000.digests",
    }


def test_workers_may_have_another_working_directory(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    source = numbered_file(tmp_path, lambda: os.chdir("there"))
    plan = make_plan(source, salt="", shard_bytes=10**6)
    finished = beam.write_shards(source, plan, pathlib.Path(), options=LOCAL)
    assert finished["train"][0].num_examples == 1
    assert (tmp_path / "train-00000").is_file()


def test_a_file_that_only_the_workers_cannot_read_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = numbered_file(tmp_path, lambda: os.unlink("a.png"))
    sentence = (
        f"A Beam worker cannot read {str(tmp_path / 'a.png')!r}, which the process that started "
        "it can. Put the source's files where all workers find them under the same paths."
    )
    with pytest.raises(RequestError, match=re.escape(sentence)):
        write(source, "records", beam_options=LOCAL)
    assert list(tmp_path.glob(".records.writing/*")) == []


def test_shards_that_were_written_somewhere_else_are_missed(tmp_path, monkeypatch):
    monkeypatch.setattr(beam, "_run", lambda *arguments: None)
    source = some_texts(tmp_path)
    with pytest.raises(RequestError) as caught:
        records.write(source, tmp_path / "records", beam_options=LOCAL)
    assert str(caught.value) == (
        f"Beam has ended, and 1 shards are not in {str(tmp_path / '.records.writing')!r}. Choose "
        "a `path` on a file system that all workers share, and call again: the others are kept."
    )


def test_workers_and_beam_do_not_go_together(tmp_path):
    with pytest.raises(RequestError) as caught:
        records.write(some_texts(tmp_path), tmp_path / "r", workers=2, beam_options=LOCAL)
    assert str(caught.value) == (
        "Expected `workers` or `beam_options`, not both: Beam's runner has workers of its own. "
        "Received: workers=2, beam_options=['--runner=FnApiRunner']"
    )


def test_options_are_a_list(tmp_path):
    with pytest.raises(RequestError) as caught:
        records.write(some_texts(tmp_path), tmp_path / "r", beam_options="--runner=FnApiRunner")
    assert str(caught.value) == (
        "Expected `beam_options` to be a list of strings, one for each option. "
        "Received: beam_options='--runner=FnApiRunner'"
    )


def test_without_beam_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(RequestError) as caught:
        records.write(some_texts(tmp_path), tmp_path / "r", beam_options=[])
    assert str(caught.value) == (
        "`beam_options` needs Apache Beam, which is not installed. Install it with: "
        'pip install "tfpipe[beam]"'
    )
    assert list(tmp_path.iterdir()) == []


def test_the_programs_logging_stays_as_it_was(tmp_path, monkeypatch):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    write(some_texts(tmp_path), tmp_path / "records", beam_options=LOCAL)
    assert root.handlers == []
