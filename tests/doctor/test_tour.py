"""The small job: its pictures, its bars, and, as a slow test, all of it."""

import types

import keras
import numpy as np
import pytest
from scipy import ndimage

from tfpipe import models
from tfpipe.doctor import tour


@pytest.mark.parametrize(("name", "least", "most"), [("disc", 0.65, 0.85), ("square", 1.0, 1.0)])
def test_the_shapes_are_what_they_are_called(name, least, most):
    for seed in range(20):
        shape = tour.drawn(name, np.random.default_rng(seed)) > 100
        (box,) = ndimage.find_objects(shape.astype(int))
        assert least <= shape[box].mean() <= most


def test_a_cross_has_its_ends_in_the_corners():
    for seed in range(20):
        shape = tour.drawn("cross", np.random.default_rng(seed)) > 100
        (box,) = ndimage.find_objects(shape.astype(int))
        assert shape[box][[1, 1, -2, -2], [1, -2, 1, -2]].all()
        assert shape[box].mean() < 0.6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tour")
    found = tour.ingest(folder)
    assert (found.state, found.name) == ("good", "ingest")
    assert found.found == "drawn pictures to TFRecord shards: test 60, train 266, val 34"
    return folder


def test_files_that_answer_something_else_are_found(folder, monkeypatch):
    model = models.lenet5((32, 32, 1), num_classes=3)
    model.save(folder / "model.keras")
    monkeypatch.setattr(tour, "FILES", ("same.keras", "other.keras"))
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    for weights in other.layers[-1].trainable_weights:
        weights.assign(-weights)  # what was least likely is the most likely now
    for name, written in (("same.keras", model), ("other.keras", other)):
        tour.export.to_keras(written, folder / name, prepare=tour._prepare())
    found = tour.predict(folder)
    assert (found.state, found.todo) == ("wrong", tour.TODO)
    assert found.found == "answers as the Keras model does: same.keras 1.000, other.keras 0.000"


def test_a_model_that_does_not_learn_is_found(folder, monkeypatch):
    history = types.SimpleNamespace(history={"val_accuracy": [0.99, 0.89]})
    monkeypatch.setattr(tour.train, "fit", lambda *arguments, **options: history)
    found = tour.learn(folder)
    assert (found.name, found.state, found.todo) == ("train", "wrong", tour.TODO)
    assert found.found == "LeNet-5, 6 epochs: accuracy 0.890 on pictures that it has not seen"


@pytest.mark.slow
def test_all_of_it(tmp_path):
    found = [step(tmp_path) for step in tour.STEPS.values()]
    assert [finding.name for finding in found] == ["ingest", "train", "export", "predict"]
    assert [finding.state for finding in found] == ["good"] * 4
