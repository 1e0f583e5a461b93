"""A run's folder: one run, one process; nothing is mixed and nothing foreign is touched."""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

from tfpipe import runs
from tfpipe.errors import DataError, RequestError

ROOT = pathlib.Path(__file__).parents[1]

HOLDER = """
import signal, sys
from tfpipe import files, runs
with runs.folder(sys.argv[1], {"seed": 0}) as out:
    with files.staged(out / "model.keras") as aside:
        aside.write_text("half")
        print("ready", flush=True)
        signal.pause()
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def refused(path, settings, **options):
    with pytest.raises(RequestError) as caught, runs.folder(path, settings, **options):
        raise AssertionError("the run began")
    return str(caught.value)


def make(path, settings, *made):
    with runs.folder(path, settings) as out:
        for name in made:
            (out / name).write_text("made")


@pytest.fixture
def holder(tmp_path):
    """A live process at work in tmp_path / "run"."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.kill()


def test_a_new_run_gets_a_folder_and_its_settings(tmp_path):
    with runs.folder(tmp_path / "a" / "run", {"seed": 0, "data": None}) as out:
        assert out == tmp_path / "a" / "run"
        assert json.loads((out / "run.json").read_bytes()) == {
            "settings": {"seed": 0, "data": None}
        }
        assert names(out) == ["run.json"]


def test_an_empty_folder_will_do(tmp_path):
    make(tmp_path, {"seed": 0})
    assert names(tmp_path) == ["run.json"]


def test_the_same_settings_continue(tmp_path):
    settings = {"seed": 0, "size": (32, 32), "rate": 0.1}
    make(tmp_path, settings, "part.txt")
    with runs.folder(str(tmp_path), settings) as out:
        assert (out / "part.txt").read_text() == "made"


def test_other_settings_are_refused_and_every_difference_is_named(tmp_path):
    make(tmp_path, {"seed": 0, "source": "digits", "old": 1, "same": 5})
    assert refused(tmp_path, {"seed": 1, "source": "mnist", "new": 2, "same": 5}) == (
        f"'{tmp_path}' holds a run with other settings: seed=0 and not 1, source='digits' and not "
        "'mnist', old=1 and not None, new=None and not 2. Choose another folder, or --overwrite to "
        "begin anew."
    )


@pytest.mark.parametrize("overwrite", [False, True])
def test_files_of_no_run_are_refused_and_stay(tmp_path, overwrite):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert refused(tmp_path, {"seed": 0}, overwrite=overwrite) == (
        f"'{tmp_path}' holds files that are not of a run. Choose an empty or a new folder."
    )
    assert names(tmp_path) == ["thesis.tex"]


@pytest.mark.parametrize("content", ['{"name": "foreign"}', "[1]", "not JSON", '{"settings": 5}'])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_foreign_or_damaged_run_json_is_refused_and_all_stays(tmp_path, content, overwrite):
    (tmp_path / "run.json").write_text(content)
    (tmp_path / "thesis.tex").write_text("years of work")
    with (
        pytest.raises(DataError, match=r"run\.json: not the settings of a run \(.+\)$"),
        runs.folder(tmp_path, {"seed": 0}, overwrite=overwrite),
    ):
        raise AssertionError("the run began")
    assert names(tmp_path) == ["run.json", "thesis.tex"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "run").write_text("a file")
    assert (
        refused(tmp_path / "run", {}) == f"Expected '{tmp_path}/run' to be a folder. It is a file."
    )


def test_overwrite_begins_anew(tmp_path):
    make(tmp_path / "run", {"seed": 0}, "part.txt")
    (tmp_path / "run" / "records").mkdir()
    (tmp_path / "run" / "records" / "shard").write_text("made")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "a.txt").write_text("stays")
    (tmp_path / "run" / "link").symlink_to(tmp_path / "precious")
    with runs.folder(tmp_path / "run", {"seed": 1}, overwrite=True) as out:
        assert names(out) == ["run.json"]
        assert json.loads((out / "run.json").read_bytes()) == {"settings": {"seed": 1}}
    assert names(tmp_path / "precious") == ["a.txt"]


def test_overwrite_makes_a_new_folder_too(tmp_path):
    with runs.folder(tmp_path / "run", {"seed": 1}, overwrite=True) as out:
        assert names(out) == ["run.json"]


def test_what_is_cleared_by_half_is_no_run_to_continue(tmp_path, monkeypatch):
    make(tmp_path, {"seed": 0}, "a.txt", "b.txt")

    def killed(path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt), runs.folder(tmp_path, {"seed": 0}, overwrite=True):
            pass
    assert "other settings: seed=None and not 0." in refused(tmp_path, {"seed": 0})
    with runs.folder(tmp_path, {"seed": 0}, overwrite=True):
        assert names(tmp_path) == ["run.json"]


def test_a_second_process_is_refused(tmp_path, holder):
    assert refused(tmp_path / "run", {"seed": 0}) == (
        f"Another process is at work in '{tmp_path}/run'. Wait for it, or choose another folder."
    )
    assert "Another process is at work" in refused(tmp_path / "run", {"seed": 0}, overwrite=True)
    assert holder.poll() is None
    assert "run.json" in names(tmp_path / "run")


def test_after_a_kill_the_run_continues_without_rubbish(tmp_path, holder):
    assert len(names(tmp_path / "run")) == 2
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with runs.folder(tmp_path / "run", {"seed": 0}) as out:
        assert names(out) == ["run.json"]


def test_rubbish_alone_is_an_empty_folder(tmp_path):
    (tmp_path / ".run.json-12345678.part").mkdir()  # killed before it wrote its settings
    make(tmp_path, {"seed": 0})
    assert names(tmp_path) == ["run.json"]


def test_the_folder_is_free_after_the_block(tmp_path):
    for _ in range(2):
        make(tmp_path, {"seed": 0})
    with pytest.raises(KeyError), runs.folder(tmp_path, {"seed": 0}):
        raise KeyError
    make(tmp_path, {"seed": 0})


def test_the_jobs_own_blocking_error_is_not_taken_for_the_lock(tmp_path):
    with pytest.raises(BlockingIOError), runs.folder(tmp_path, {"seed": 0}):
        raise BlockingIOError("the job's own")


@dataclasses.dataclass(frozen=True)
class Flags:
    out: str
    epochs: int = 1
    overwrite: bool = False


def test_a_job_runs_once_and_says_where_its_page_is(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(runs, "num_cores", lambda: 4)
    flags = Flags(str(tmp_path / "run"))
    page = tmp_path / "run" / "page.html"
    with runs.job(flags, "page.html") as (out, finished):
        assert (out, finished) == (tmp_path / "run", False)
        page.write_text("x")
    assert capsys.readouterr().out == f"0 s on 4 cores. Pictures: {page}\n"
    assert runs.load_settings(tmp_path / "run") == {"epochs": 1}
    with runs.job(flags, "page.html") as (_, finished):
        assert finished
    assert capsys.readouterr().out == (
        f"{tmp_path / 'run'} holds this run, finished; --overwrite runs it again.\n"
        f"Pictures: {page}\n"
    )
    with runs.job(dataclasses.replace(flags, overwrite=True), "page.html") as (_, finished):
        assert not finished


def test_the_time_is_that_of_the_job_and_of_this_process(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(runs.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(runs, "num_cores", lambda: 1)
    flags = Flags(str(tmp_path / "run"))
    with runs.job(flags, "page.html"):
        now[0] += 12.4
        assert runs.time_taken() == "12 s on 1 core"
    assert runs.time_taken() == ""
    with runs.job(flags, "page.html"):
        now[0] += 3
        assert runs.time_taken() == "3 s on 1 core, since it was continued"
    with runs.job(dataclasses.replace(flags, overwrite=True), "page.html"):
        assert runs.time_taken() == "0 s on 1 core"
