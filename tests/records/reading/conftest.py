"""Sound records, and a copy of them that a test may damage."""

import shutil

import pytest

from tfpipe import records


@pytest.fixture(scope="package")
def sound(tmp_path_factory):
    """Texts, the even ones of class "a": "train" in several shards, "val" in some, too."""

    def rows():
        for n in range(40):
            split = "val" if n % 4 == 0 else "train"
            yield {"id": f"{n:03d}", "split": split, "text": f"number {n:03d}", "label": n % 2}

    features = {"text": records.Feature("text"), "label": records.Feature("label")}
    source = records.examples(rows, features, class_names=("a", "b"), name="texts")
    path = tmp_path_factory.mktemp("sound") / "r"
    manifest = records.write(source, path, shard_bytes=200)
    assert len(manifest.files("train")) > 3
    return path


@pytest.fixture
def folder(sound, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(sound, tmp_path / "copy")
