"""Workers keep the order, may die of an example, and are gone when the work is over."""

import os
import pathlib
import pickle
import select
import signal
import subprocess
import sys

import numpy as np
import pytest

from tfpipe.records.sources.base import Feature
from tfpipe.records.writing import workers
from tfpipe.records.writing.batches import BATCH_EXAMPLES
from tfpipe.records.writing.encode import encode
from tfpipe.records.writing.workers import encode_all

ROOT = pathlib.Path(__file__).parents[3]
LABEL = {"label": Feature("label")}
DIED = "the process that decoded it died of it"

# Workers that know nothing of TensorFlow, and so start at once.
ECHO = """
import pickle, sys
replies = sys.stdout.buffer
def reply(value):
    pickle.dump(value, replies)
    replies.flush()
pickle.load(sys.stdin.buffer)
reply("ready")
while True:
    try:
        batch = pickle.load(sys.stdin.buffer)
    except EOFError:
        break
    {before}
    reply([f"done {{example['id']}}" for example in batch])
"""


class Poison:
    """Ends the process that unpickles it."""

    def __reduce__(self):
        return os._exit, (1,)


class Chatty:
    """Is unpickled to 5, with noise on standard output."""

    def __reduce__(self):
        return eval, ("__import__('os').write(1, b'noise') and 5",)


@pytest.fixture
def started(monkeypatch):
    """The worker processes that were started."""
    processes = []
    start = subprocess.Popen

    def popen(*arguments, **options):
        processes.append(start(*arguments, **options))
        return processes[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    return processes


@pytest.fixture
def program(monkeypatch):
    """Replaces what the workers run."""
    return lambda text: monkeypatch.setattr(workers, "_PROGRAM", text)


def numbered(count):
    return [{"id": str(n), "label": n} for n in range(count)]


def encoded(examples, num_workers, features=None):
    # Without features there is nothing of tfpipe in what a worker unpickles.
    return list(encode_all(examples, features or {}, num_workers=num_workers))


@pytest.mark.parametrize("num_workers", [1, 3])
def test_results_come_in_order_from_so_many_processes(program, started, num_workers):
    program(ECHO.format(before=""))
    examples = numbered(1000)
    expected = [(example, f"done {example['id']}") for example in examples]
    assert encoded(examples, num_workers) == expected
    assert 1 <= len(started) <= num_workers
    assert all(process.returncode is not None for process in started)


def test_examples_are_read_a_few_batches_ahead_and_not_all_at_once(program):
    program(ECHO.format(before=""))
    read = []

    def source():
        for example in numbered(5000):
            read.append(example)
            yield example

    results = encode_all(source(), {}, num_workers=2)
    next(results)
    assert len(read) <= 6 * BATCH_EXAMPLES
    results.close()


def test_a_real_worker_dies_of_one_example_and_the_others_are_encoded():
    examples = [*numbered(3), {"id": "c", "label": Chatty()}, {"id": "p", "label": Poison()}]
    found = dict(zip("012cp", (result for _, result in encoded(examples, 1, LABEL)), strict=True))
    assert found.pop("p").refused == DIED
    assert found.pop("c") == encode({"id": "c", "label": 5}, LABEL)
    expected = [encode(example, LABEL) for example in numbered(3)]
    assert list(found.values()) == expected


def test_in_this_process_examples_are_encoded_as_one_by_one_with_the_same_limit():
    features = {
        "image": Feature("image", (None, None, 1)),
        "mask": Feature("mask", table=(0,) * 256),
    }
    pixels = [np.zeros((side, side, 1), np.uint8) for side in (2, 5)]
    sizes = [(n % 3 // 2, n % 5 // 4) for n in range(150)]  # of the image, and of its mask
    examples = [
        {"id": str(n), "image": pixels[image], "mask": pixels[mask]}
        for n, (image, mask) in enumerate(sizes)
    ]
    found = list(encode_all(examples, features, num_workers=0, max_pixels=10))
    expected = [(example, encode(example, features, max_pixels=10)) for example in examples]
    assert [encoded for _, encoded in found] == [encoded for _, encoded in expected]
    assert [example["id"] for example, _ in found] == [str(n) for n in range(150)]
    assert {encoded.refused for _, encoded in found} == {
        "",
        "5x5 is larger than 10 pixels",
        "the mask: 5x5 is larger than 10 pixels",
    }


def test_only_the_examples_that_kill_are_refused(program, started):
    program(ECHO.format(before=""))
    examples = numbered(200)
    for place in (0, 70, 71, 199):
        examples[place]["label"] = Poison()
    results = [result for _, result in encoded(examples, 2)]
    dead = [n for n, result in enumerate(results) if result != f"done {n}"]
    assert dead == [0, 70, 71, 199]
    assert {results[n].refused for n in dead} == {DIED}
    assert all(process.returncode is not None for process in started)


def test_a_worker_that_dies_in_mid_sentence_has_died(program):
    half = pickle.dumps(["x" * 10**5])[:1000]
    program(ECHO.format(before=f"replies.write({half!r}); replies.flush(); sys.exit()"))
    assert [result.refused for _, result in encoded(numbered(2), 1)] == [DIED] * 2


def test_a_worker_that_cannot_start_raises_what_it_said(program, started):
    program("raise SystemExit('no TensorFlow here')")
    with pytest.raises(RuntimeError) as error:
        encoded(numbered(2), 2)
    assert str(error.value) == "a worker process did not start; it said:\nno TensorFlow here\n"
    assert all(process.returncode is not None for process in started)


def test_after_an_early_end_no_process_is_left_and_none_is_started_anew(program, started):
    program(ECHO.format(before=""))
    results = encode_all(numbered(5000), {}, num_workers=3)
    next(results)
    results.close()
    assert len(started) <= 3
    assert all(process.returncode is not None for process in started)


def test_an_error_of_the_source_is_raised_and_no_process_is_left(program, started):
    program(ECHO.format(before=""))

    def broken():
        yield from numbered(100)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        encoded(broken(), 2)
    assert started
    assert all(process.returncode is not None for process in started)


ENDLESS = """
import itertools, os, subprocess, sys
from tfpipe.records.writing import workers
start = subprocess.Popen
def popen(*arguments, **options):
    process = start(*arguments, **options)
    os.write(1, f"{process.pid}\\n".encode())
    return process
subprocess.Popen = popen
workers._PROGRAM = sys.argv[1]
examples = ({"id": str(n), "label": n} for n in itertools.count())
for _ in workers.encode_all(examples, {}, num_workers=2):
    pass
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_caller(number):
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, ECHO.format(before="")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        worker_ids = [int(process.stdout.readline()) for _ in range(2)]
        left = [os.pidfd_open(worker_id) for worker_id in worker_ids]
        groups = [os.getpgid(worker_id) for worker_id in worker_ids]
        os.killpg(process.pid, number)  # as Ctrl-C does it: to the whole group
        try:
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()  # one that goes on would be waited for
    # Else Ctrl-C would end the workers too, and new ones would take their places.
    assert process.pid not in groups
    for descriptor in left:
        ready, _, _ = select.select([descriptor], [], [], 60)
        os.close(descriptor)
        assert ready, "a worker goes on"
    if number == signal.SIGINT:
        assert said.decode().rstrip().endswith("KeyboardInterrupt")


def test_a_script_without_a_main_guard_works_where_modules_are_named_like_pythons(tmp_path):
    (tmp_path / "random.py").write_text("raise SystemExit('not the random of Python')")
    script = tmp_path / "scripts" / "script.py"
    script.parent.mkdir()
    script.write_text(
        "from tfpipe.records.sources.base import Feature\n"
        "from tfpipe.records.writing.workers import encode_all\n"
        "examples = [{'id': str(n), 'label': 1} for n in range(100)]\n"
        "print(len(list(encode_all(examples, {'label': Feature('label')}, num_workers=1))))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "100\n", done.stderr


class Broken:
    """A label whose conversion fails as only a defect of ours does."""

    def __array__(self, *arguments, **options):
        raise ZeroDivisionError("a defect")


def test_a_defect_in_a_worker_is_raised_and_not_taken_for_bad_data():
    examples = [{"id": "a", "split": "train", "label": Broken()}]
    with pytest.raises(RuntimeError, match=r"a worker process failed:(.|\n)*a defect"):
        list(workers.encode_all(examples, LABEL, num_workers=1))
