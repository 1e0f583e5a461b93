"""A look that fails, dies or cannot be made is a finding, and the others go on."""

import itertools
import signal
import types

import pytest

from tfpipe.doctor import checks, examine
from tfpipe.process import Worker, WorkerDied

ALL = [name for names in checks.SECTIONS.values() for name in names]


class Tensorflow:
    """Stands in for the process with TensorFlow: `fails` says what happens in which look."""

    fails: dict = {}  # noqa: RUF012
    started = 0
    folders: list = []  # noqa: RUF012

    def __init__(self, program, job, *, environment):
        type(self).started += 1
        if "start" in self.fails:
            raise self.fails["start"]

    def ask(self, request):
        name, folder = request
        self.folders.append(folder)
        if name in self.fails:
            raise self.fails[name]
        return checks.Finding(name, "good", "as it should be")

    def close(self):
        pass


@pytest.fixture
def machine(monkeypatch):
    for name in ("started", "folders"):
        monkeypatch.setattr(Tensorflow, name, 0 if name == "started" else [])
    monkeypatch.setattr(checks, "Worker", Tensorflow)

    def make(**fails):
        monkeypatch.setattr(Tensorflow, "fails", fails)

    return make


def states(found):
    return {f.name: f.state for f in found if f.name not in ("packages", "extras", "cores")}


def test_all_looks_in_their_order(machine, tmp_path):
    machine()
    assert [f.name for f in examine(str(tmp_path))] == ALL
    assert Tensorflow.started == 1
    assert list(tmp_path.iterdir()) == []


def test_each_look_is_timed(machine, tmp_path, monkeypatch):
    machine()
    clock = types.SimpleNamespace(perf_counter=itertools.count().__next__)
    monkeypatch.setattr(checks, "time", clock)
    assert {f.seconds for f in examine(str(tmp_path), quick=True)} == {1}


def test_the_job_has_one_folder_where_it_was_told(machine, tmp_path):
    machine()
    list(examine(str(tmp_path)))
    (job,) = {folder for folder in Tensorflow.folders if folder}
    assert job.startswith(str(tmp_path))


def test_quick_leaves_out_the_job(machine, tmp_path):
    machine()
    assert [f.name for f in examine(str(tmp_path), quick=True)] == ALL[:-4]


def test_a_look_that_kills_the_process_is_told_and_the_next_has_a_new_one(machine, tmp_path):
    machine(precision=WorkerDied(-signal.SIGKILL), train=WorkerDied(3))
    found = {f.name: f for f in examine(str(tmp_path))}
    assert found["precision"].found == "the process died of it, by SIGKILL"
    assert found["precision"].todo == "Most likely there was not enough memory: see `memory`"
    assert found["train"].found == "the process ended by itself, with code 3"
    assert (found["ingest"].state, Tensorflow.started) == ("good", 2)
    skipped = ("skipped", "not tried: it needs `train`")
    assert [(found[n].state, found[n].found) for n in ("export", "predict")] == [skipped] * 2


def test_tensorflow_that_does_not_start(machine, tmp_path):
    said = "a worker process did not start; it said:\nTraceback ...\nImportError: bad protobuf\n"
    machine(start=RuntimeError(said))
    found = {f.name: f for f in examine(str(tmp_path))}
    assert found["tensorflow"].found == "ImportError: bad protobuf"
    assert found["tensorflow"].rows[1:] == (("Traceback ...",), ("ImportError: bad protobuf",))
    assert {found[name].state for name in ALL[8:]} == {"skipped"}
    assert Tensorflow.started == 1


def test_a_folder_that_cannot_be_written_stands_in_the_way_of_the_job(machine, tmp_path):
    machine()
    found = {f.name: f for f in examine(str(tmp_path / "missing"))}
    assert (found["disk"].state, found["gradient"].state) == ("wrong", "good")
    assert found["ingest"].found == "not tried: it needs `disk`"


def test_a_package_that_a_look_itself_needs(machine, tmp_path, monkeypatch):
    machine()
    monkeypatch.setitem(__import__("sys").modules, "psutil", None)
    found = {f.name: f for f in examine(str(tmp_path), quick=True)}
    assert found["memory"].state == "wrong"
    assert found["memory"].found.startswith("ModuleNotFoundError: import of psutil halted")
    assert found["memory"].todo == "python -m pip install psutil"
    assert found["disk"].found.startswith(repr(str(tmp_path)))


def test_a_real_process_that_is_told_to_use_another_backend(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    found = checks._Looks(".", checks.contextlib.ExitStack()).look("tensorflow", {})
    assert (found.state, found.todo) == ("wrong", "")
    assert found.found.startswith(
        "tfpipe runs on Keras' TensorFlow backend. Received: backend='jax'. Set the environment "
        "variable KERAS_BACKEND=tensorflow"
    )


def test_the_real_worker_takes_a_gpu_where_there_is_one():
    program = (
        "import os\nfrom tfpipe.process import serve\n"
        "serve(lambda job: lambda name: [os.environ.get(name)])"
    )
    worker = Worker(program, None, environment=checks.ENVIRONMENT)
    try:
        assert worker.ask("CUDA_VISIBLE_DEVICES") == [None]
        assert worker.ask("TF_FORCE_GPU_ALLOW_GROWTH") == ["true"]
    finally:
        worker.close()
