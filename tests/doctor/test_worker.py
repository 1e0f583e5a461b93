"""The worker's looks, in this process."""

import importlib.metadata

import pytest

from tfpipe.doctor import worker


@pytest.mark.parametrize("name", ["gradient", "gpu"])
def test_a_look_by_its_name(name):
    found = worker._start(None)((name, ""))
    assert found.name == name


def test_what_started():
    versions = [importlib.metadata.version(name) for name in ("tensorflow", "keras")]
    assert worker._look(("tensorflow", "")).found == "{} starts, with Keras {}".format(*versions)


def test_a_step_of_the_job(tmp_path, monkeypatch):
    from tfpipe.doctor import tour

    monkeypatch.setattr(tour, "STEPS", {"train": lambda folder: folder / "x"})
    assert worker._look(("train", str(tmp_path))) == tmp_path / "x"
