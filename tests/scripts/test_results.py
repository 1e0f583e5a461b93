"""scripts/results.py keeps what a pipeline said, and nothing of one that failed."""

import importlib.util
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def script():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("results", ROOT / "scripts" / "results.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def results(script, tmp_path, monkeypatch):
    """The script, in a repository with two pipelines of a line each."""
    pipelines = tmp_path / "pipelines"
    pipelines.mkdir()
    (pipelines / "good.py").write_text("import sys; print('score 0.9, in', sys.argv[-1])")
    (pipelines / "bad.py").write_text("print('half'); raise SystemExit(1)")
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(script, "machine", lambda: "a machine")
    return script


def test_the_command_and_the_output_are_kept_without_paths(results, tmp_path):
    assert results.main(["good", "--name", "other", "--data", "/home/me/tiles", "--seed", "1"]) == 0
    kept = (tmp_path / "docs" / "results" / "other.txt").read_text()
    assert kept == (
        "$ python -m pipelines.good --data DIR --seed 1 --out OUT\nscore 0.9, in OUT\n\na machine\n"
    )


def test_nothing_is_kept_of_a_run_that_failed(results, tmp_path):
    assert results.main(["bad"]) == 1
    assert not (tmp_path / "docs").exists()


def test_the_machine_is_named_by_cores_and_versions(script):
    assert " cores (" in script.machine()
    assert ", tensorflow 2." in script.machine()
