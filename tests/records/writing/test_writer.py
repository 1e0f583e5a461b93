"""`write` end to end: bytes that depend on the data alone, refusals, and paths that are taken."""

import csv
import os
import pathlib
import random
import shutil
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records.writing.small import (
    FEATURES,
    contents,
    names,
    picture,
    pictures,
    refusal,
    source_of,
    texts,
)
from tfpipe.records import load, write
from tfpipe.records.sources.base import Entry, Source, from_entries
from tfpipe.records.writing import writer

ROOT = pathlib.Path(__file__).parents[3]

# The same bytes


def test_the_bytes_do_not_depend_on_the_workers_or_the_run(tmp_path):
    source = source_of(pictures(tmp_path / "pictures"))
    for run, workers in enumerate((0, 0, 1, 3)):
        write(source, tmp_path / f"run{run}", workers=workers, shard_bytes=2000)
    first = contents(tmp_path / "run0")
    assert sum(name.startswith("pictures-train.tfrecord") for name in first) > 2
    for run in (1, 2, 3):
        assert contents(tmp_path / f"run{run}") == first


@given(st.integers(0, 2**32))
@settings(max_examples=5)
def test_the_bytes_do_not_depend_on_the_order_in_which_files_are_listed(tmp_path_factory, seed):
    folder = tmp_path_factory.mktemp("order")
    paths = sorted(pictures(folder / "pictures", count=20, bad=()).iterdir())
    write(source_of(None, paths=paths), folder / "sorted", shard_bytes=1000)
    random.Random(seed).shuffle(paths)
    write(source_of(None, paths=paths), folder / "shuffled", shard_bytes=1000)
    assert contents(folder / "shuffled") == contents(folder / "sorted")


def test_another_process_writes_the_same_bytes(tmp_path, python):
    folder = pictures(tmp_path / "pictures", count=12, bad=())
    shutil.copy(__file__, tmp_path / "helpers.py")
    write(source_of(folder), tmp_path / "here")
    code = (
        f"import pathlib, sys; sys.path.insert(0, {str(tmp_path)!r}); import helpers; "
        f"helpers.write(helpers.source_of(pathlib.Path({str(folder)!r})), "
        f"{str(tmp_path / 'there')!r})"
    )
    done = python(code, PYTHONHASHSEED="1", TZ="Asia/Tokyo", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_another_seed_is_another_order_of_the_same_examples(tmp_path):
    folder = pictures(tmp_path / "pictures", count=20, bad=())
    one = write(source_of(folder, seed=0), tmp_path / "one")
    two = write(source_of(folder, seed=1), tmp_path / "two")
    assert one.splits["train"].class_counts == two.splits["train"].class_counts
    assert one.splits["train"].shards[0].sha256 != two.splits["train"].shards[0].sha256


# What comes back, and what is left


def test_the_manifest_is_what_load_gives_back(tmp_path, capsys):
    manifest = write(source_of(pictures(tmp_path / "pictures")), tmp_path / "r")
    assert load(tmp_path / "r") == manifest
    assert names(tmp_path) == ["pictures", "r"]
    said = capsys.readouterr()
    assert said.out == ""
    assert "refused: 2 examples (refused.csv lists them)" in said.err
    assert f"pictures: image (image), label (label); in {tmp_path}/r" in said.err


def test_folders_above_are_made(tmp_path):
    write(texts(("train", 0), ("train", 1)), tmp_path / "a" / "b" / "r")
    assert names(tmp_path / "a" / "b") == ["r"]


def test_names_of_every_kind_are_written_and_refused(tmp_path):
    strange = ["a b", "größe 犬", "line\nbreak", 'says "no", twice', os.fsdecode(b"\xff\xfe")]
    rows = []
    for number, name in enumerate(strange):
        good, bad = tmp_path / f"{name}.png", tmp_path / f"{name}.jpg"
        good.write_bytes(picture(number))
        bad.write_bytes(b"<html>")
        rows += [Entry(path.name, "train", path) for path in (good, bad)]
    source = from_entries(
        "strange",
        rows,
        lambda path: {"image": path, "label": 0},
        features=FEATURES,
        class_names=("a",),
        rule={},
        seed=0,
    )
    manifest = write(source, tmp_path / "r", max_refused=0.5)
    assert manifest.num_refused == manifest.splits["train"].num_examples == len(strange)
    with open(tmp_path / "r" / "refused.csv", newline="", errors="surrogateescape") as file:
        head, *found = csv.reader(file)
    assert head == ["file", "refused", "reason"]
    reason = "not an image; it begins with b'<html>'"
    assert found == sorted([f"{name}.jpg", "example", reason] for name in strange)


def test_a_png_named_jpg_is_accepted_as_its_content_decodes(tmp_path):
    (tmp_path / "0.jpg").write_bytes(picture(0))
    (tmp_path / "1.png").write_bytes(b"plain text")
    paths = [tmp_path / "0.jpg", tmp_path / "1.png"]
    manifest = write(
        source_of(None, paths=paths, class_names=("even",)), tmp_path / "r", max_refused=0.5
    )
    assert manifest.splits["train"].num_examples == 1
    refused = (tmp_path / "r" / "refused.csv").read_text().splitlines()[1]
    assert refused == "1.png,example,not an image; it begins with b'plain text'"


def test_max_pixels_is_handed_on(tmp_path):
    folder = pictures(tmp_path / "pictures", count=4, bad=())
    sentence = refusal(source_of(folder), tmp_path / "r", max_pixels=29)
    assert sentence.endswith("The first: 000.png: 6x5 is larger than 29 pixels")


# Requests that cannot be met


def test_an_empty_source_is_an_error(tmp_path):
    sentence = "The source 'texts' holds no example; nothing was written."
    assert refusal(texts(), tmp_path / "r") == sentence
    assert names(tmp_path) == []


def test_two_equal_ids_are_an_error(tmp_path):
    source = texts(("train", 0), ("train", 1))
    twice = Source(
        "twice", source.features, ("a", "b"), {}, lambda: (e for _ in range(2) for e in source)
    )
    assert refusal(twice, tmp_path / "r") == (
        "Expected every example of 'twice' to have an id of its own. "
        "Received: 2 examples with id='id0'"
    )
    assert names(tmp_path) == []


def test_a_source_that_can_be_iterated_over_only_once_is_an_error(tmp_path):
    source = texts(("train", 0), ("train", 1))
    examples = iter(list(source))
    once = Source("once", source.features, ("a", "b"), {}, lambda: examples)
    assert refusal(once, tmp_path / "r") == (
        "The source 'once' gave other examples when it was iterated over again. It must give the "
        "same ones, in the same order, every time."
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"max_refused": 5},
            "Expected `max_refused` to be a fraction from 0 to 1. Received: max_refused=5",
        ),
        ({"workers": -1}, "Expected `workers` to be 0 or more, or None. Received: workers=-1"),
        ({"shard_bytes": 0}, "Expected `shard_bytes` to be at least 1. Received: shard_bytes=0"),
    ],
)
def test_a_setting_that_makes_no_sense_is_an_error(tmp_path, options, sentence):
    assert refusal(texts(("train", 0)), tmp_path / "r", **options) == sentence
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["", "3d", "_x"])
def test_a_name_that_cannot_begin_a_shards_name_is_an_error(tmp_path, name):
    assert refusal(texts(("train", 0), name=name), tmp_path / "r") == (
        f"Expected the source's name to begin with a letter. Received: name={name!r}"
    )


# Paths that are taken


def test_the_same_records_are_not_written_twice(tmp_path, capsys):
    source = source_of(pictures(tmp_path / "pictures"))
    first = write(source, tmp_path / "r")
    facts = {path: path.stat() for path in (tmp_path / "r").iterdir()}
    capsys.readouterr()
    assert write(source, tmp_path / "r", workers=3) == first
    assert {path: path.stat() for path in (tmp_path / "r").iterdir()} == facts
    assert capsys.readouterr().err == ""


def test_other_records_are_not_written_over(tmp_path):
    folder = pictures(tmp_path / "pictures")
    write(source_of(folder), tmp_path / "r")
    before = contents(tmp_path / "r")
    sentence = (
        f"'{tmp_path}/r' holds other records: the source, its files or a setting has changed. "
        "Choose another path, or delete that folder."
    )
    assert refusal(source_of(folder, seed=1), tmp_path / "r") == sentence
    assert refusal(source_of(folder), tmp_path / "r", max_pixels=1000) == sentence
    (folder / "000.png").write_bytes(picture(99))
    assert refusal(source_of(folder), tmp_path / "r") == sentence
    assert contents(tmp_path / "r") == before
    assert names(tmp_path) == ["pictures", "r"]


@pytest.mark.parametrize("kind", ["file", "empty folder", "folder", "workshop of another"])
def test_what_is_no_records_folder_is_not_touched(tmp_path, kind):
    path = tmp_path / "r"
    if kind == "file":
        path.write_text("mine")
    else:
        path.mkdir()
    if kind == "folder":
        (path / "thesis.txt").write_text("mine")
    sentence = f"{str(path)!r} is there already, and holds no records. Choose another path, or "
    assert refusal(texts(("train", 0), ("train", 1)), path) == sentence + "delete it."
    assert path.is_file() or names(path) == (["thesis.txt"] if kind == "folder" else [])


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file") as error:
        write(texts(("train", 0), ("train", 1)), tmp_path / "file" / "r")
    assert error.value.strerror == "Not a directory"


def run(tmp_path, code, *arguments, **options):
    """Runs code that may import this file as `helpers`, with `tmp_path` as working directory."""
    shutil.copy(__file__, tmp_path / "helpers.py")
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
        **options,
    )


FORBIDDEN = """
import ctypes, pathlib
import helpers
# Root may read and write everything, but for these capabilities, which Linux lets it give up.
version_3, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
assert ctypes.CDLL(None).capset(version_3, none) == 0
source = helpers.source_of(pathlib.Path("pictures"))
helpers.write(source, "r", max_refused=0.5)
helpers.write(source, "closed/r")
"""


def test_files_and_folders_without_permission_are_named(tmp_path):
    pictures(tmp_path / "pictures", count=9, bad=())
    (tmp_path / "pictures" / "004.png").chmod(0)
    (tmp_path / "closed").mkdir(mode=0o555)
    process = run(tmp_path, FORBIDDEN)
    _, said = process.communicate(timeout=120)
    assert (tmp_path / "r").exists(), said
    assert (tmp_path / "r" / "refused.csv").read_text().splitlines()[1:] == [
        "004.png,example,the file cannot be read (Permission denied)"
    ]
    assert process.returncode == 1
    assert said.splitlines()[-1] == (
        "PermissionError: [Errno 13] Permission denied: 'closed/.r.writing'"
    )


LIMITED = """
import pathlib, resource, sys
import helpers
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
helpers.write(helpers.source_of(pathlib.Path("pictures")), "r", shard_bytes=int(sys.argv[1]))
"""


def test_after_a_full_disk_the_next_call_goes_on(tmp_path):
    folder = pictures(tmp_path / "pictures")
    source = source_of(folder, paths=[pathlib.Path("pictures") / name for name in names(folder)])
    process = run(tmp_path, LIMITED, "20000")  # a file of 6,000 bytes fills this disk
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    assert said.splitlines()[-1].startswith(
        "OSError: [Errno 5] A shard cannot be written (.r.writing/"
    )
    assert said.splitlines()[-1].endswith(
        "; File too large). Once it can, call again: finished shards are kept: "
        "'.r.writing/train-00000.aside'"
    )
    assert not (tmp_path / "r").exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        write(source, "r", shard_bytes=20000)
        write(source, "expected", shard_bytes=20000)
    assert contents(tmp_path / "r") == contents(tmp_path / "expected")
    assert not (tmp_path / ".r.writing").exists()


WAITING = """
import pathlib, sys
import helpers
def slow(data):
    print("at work", flush=True)
    sys.stdin.readline()
    return {"text": "x", "label": data}
source = helpers.texts(("train", 0), ("train", 1))
entries = [helpers.Entry(f"id{n}", "train", n) for n in range(2)]
source = helpers.from_entries("texts", entries, slow, features=source.features,
                              class_names=("a", "b"), rule={}, seed=0)
helpers.write(source, "r")
"""


def test_a_second_writer_at_the_same_time_is_refused(tmp_path):
    source = texts(("train", 0), ("train", 1))
    with run(tmp_path, WAITING) as first:
        for _ in range(2):  # planning
            assert first.stdout.readline() == "at work\n"
            first.stdin.write("\n")
            first.stdin.flush()
        assert first.stdout.readline() == "at work\n"  # writing
        assert refusal(source, tmp_path / "r") == (
            f"Another process is at work in '{tmp_path}/.r.writing'. Wait for it, or choose "
            "another folder."
        )
        _, said = first.communicate("\n\n", timeout=120)
    assert first.returncode == 0, said
    assert names(tmp_path / "r") == names(written_alone(tmp_path, source))
    assert write(source, tmp_path / "r") == load(tmp_path / "r")


def written_alone(tmp_path, source):
    write(source, tmp_path / "alone")
    return tmp_path / "alone"


def test_what_another_process_finished_in_the_meantime_is_taken_as_it_is(tmp_path, monkeypatch):
    source = texts(("train", 0), ("train", 1))
    other = written_alone(tmp_path, source)
    locked = writer.locked

    def lock_late(folder):
        other.rename(tmp_path / "r")
        return locked(folder)

    monkeypatch.setattr(writer, "locked", lock_late)
    assert write(source, tmp_path / "r") == load(tmp_path / "r")
    assert names(tmp_path) == ["r"]


# Memory

MANY = """
import json, resource, sys
from tfpipe.records import write
from tfpipe.records.sources.base import Feature, Source

def examples():
    for number in range(int(sys.argv[1])):
        yield {"id": str(number), "split": "train", "text": f"text {number}", "label": number % 2}

features = {"text": Feature("text"), "label": Feature("label")}
write(Source("many", features, ("a", "b"), {}, examples), sys.argv[2], workers=0)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize(
    ("count", "limit_kib"),
    # 90,000 examples that are kept would not fit under the first limit.
    [(100_000, 45_000), pytest.param(1_000_000, 100_000, marks=pytest.mark.slow)],
)
def test_memory_does_not_grow_with_the_number_of_records(tmp_path, count, limit_kib):
    counts = (10_000, count)
    processes = [run(tmp_path, MANY, str(number), f"r{number}") for number in counts]
    said = [process.communicate(timeout=1200) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    few_kib, many_kib = (int(output) for output, _ in said)
    assert load(tmp_path / f"r{count}").splits["train"].num_examples == count
    assert many_kib - few_kib < limit_kib
