"""Records of pictures; sound ones of texts, and a copy of them that a test may damage."""

import shutil

import pytest

from tests.records.reading.small import pictures
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


@pytest.fixture(scope="package")
def manifest(tmp_path_factory):
    """45 colour images of three classes in several shards, and 15 in another split."""
    examples = [
        {"id": f"{n:06d}", "split": "train" if n % 4 else "val", "image": x, "label": n % 3}
        for n, x in enumerate(pictures())
    ]
    features = {"image": records.Feature("image", (8, 6, 3)), "label": records.Feature("label")}
    source = records.examples(examples, features, class_names=("a", "b", "c"), name="tiny")
    found = records.write(source, tmp_path_factory.mktemp("tiny") / "r", shard_bytes=1500)
    assert len(found.files("train")) > 3
    return found
