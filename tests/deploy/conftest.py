"""A bundle of two files whose numbers nobody measured: deploying does not look at them."""

import dataclasses
import shutil

import pytest

from tests.reports import HEAD, ROW
from tfpipe import export, ops
from tfpipe.backend import keras
from tfpipe.export.bundling.bundled import seal
from tfpipe.files import write_json, write_text


def row(path, format):
    return dataclasses.replace(ROW, path=path, format=format)


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory):
    """A SavedModel that takes pixels or encoded images."""
    images = keras.Input((8, 8, 1))
    model = keras.Model(images, keras.layers.Flatten()(images)[:, :3])
    prepare = ops.Chain([ops.Decode(1), ops.Resize((8, 8)), ops.ToFloat()])
    path = tmp_path_factory.mktemp("saved") / "saved_model"
    return export.to_saved_model(model, path, prepare=prepare)


@pytest.fixture(scope="session")
def make_bundle(saved_model, tmp_path_factory):
    """Makes a bundle of some formats and a name."""

    def make(*formats, name="digits"):
        folder = tmp_path_factory.mktemp("bundle") / "bundle"
        folder.mkdir()
        rows = []
        for format in formats:
            if format == "saved_model":
                shutil.copytree(saved_model, folder / "saved_model")
                rows.append(row("saved_model", "saved_model"))
            else:
                write_text(folder / f"{format}.tflite", "a model")
                rows.append(row(f"{format}.tflite", "tflite"))
        export.Report(HEAD, tuple(rows)).to_json(folder / "report.json")
        write_json(folder / "manifest.json", {"name": name})
        write_text(folder / "labels.txt", "a\nb\nc\n")
        seal(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def bundle(make_bundle):
    return make_bundle("int8", "saved_model")
