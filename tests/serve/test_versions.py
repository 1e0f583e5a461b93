"""The highest version that can be loaded answers; a broken one is refused until it changes."""

import os

import pytest

from tfpipe.errors import DataError
from tfpipe.serve import Versions
from tfpipe.serve.versions import numbered


@pytest.fixture
def folder(tmp_path):
    """Three versions, and what is none."""
    for name in ("1", "2", "10", "draft", "-3", ".4"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("good")
    (tmp_path / "11").write_text("no folder")
    return tmp_path


def load(path, *, version):
    if (path / "file").read_text() != "good":
        raise DataError(path, "it is broken")
    return f"engine {version}"


def versions_of(folder):
    told = []
    return Versions(folder, load, told=lambda version, why: told.append((version, why))), told


def test_the_names_that_are_numbers_count(folder):
    assert sorted(numbered(folder)) == [1, 2, 10]


def test_a_bundle_is_version_1_of_itself(bundled):
    assert numbered(bundled.path) == {1: bundled.path}


def test_the_highest_is_loaded_once(folder):
    versions, told = versions_of(folder)
    assert [versions.newest(), versions.newest()] == ["engine 10", None]
    assert told == []


def test_a_newer_one_takes_over_and_an_older_one_does_not(folder):
    versions, _ = versions_of(folder)
    versions.newest()
    (folder / "5").mkdir()
    assert versions.newest() is None
    (folder / "12").mkdir()
    (folder / "12" / "file").write_text("good")
    assert versions.newest() == "engine 12"


def test_a_broken_one_is_refused_once_and_the_next_best_answers(folder):
    (folder / "10" / "file").write_text("bad")
    versions, told = versions_of(folder)
    assert versions.newest() == "engine 2"
    assert versions.newest() is None
    sentence = f"{folder / '10'}: it is broken"
    assert told == [(10, sentence)]
    assert versions.refused == {10: sentence}


def test_one_that_was_on_its_way_is_loaded_when_it_is_whole(folder):
    (folder / "12").mkdir()
    versions, told = versions_of(folder)
    assert versions.newest() == "engine 10"
    (folder / "12" / "file").write_text("good")
    assert versions.newest() == "engine 12"
    assert versions.refused == {}
    assert [version for version, _ in told] == [12]


def test_one_that_is_mended_is_loaded_though_its_size_is_the_same(folder):
    file = folder / "10" / "file"
    file.write_text("bad!")
    versions, _ = versions_of(folder)
    assert versions.newest() == "engine 2"
    file.write_text("good")
    os.utime(file, ns=(1, 1))  # the clock of a disk may be coarse
    assert versions.newest() == "engine 10"


def test_when_the_newest_is_taken_away_the_one_before_answers(folder):
    versions, _ = versions_of(folder)
    versions.newest()
    (folder / "10").rename(folder / "away")
    assert versions.newest() == "engine 2"


def test_a_refused_one_that_is_taken_away_is_forgotten(folder):
    (folder / "10" / "file").write_text("bad")
    versions, _ = versions_of(folder)
    versions.newest()
    (folder / "10").rename(folder / "away")
    assert versions.newest() is None
    assert versions.refused == {}


def test_where_there_is_nothing_nothing_is_loaded(tmp_path):
    assert versions_of(tmp_path / "none")[0].newest() is None
