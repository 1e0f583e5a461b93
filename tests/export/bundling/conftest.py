"""Answers as a bundle keeps them; and bundles, which tests must not change."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import export, models, ops, records, train
from tfpipe.export.bundling.sections.results import Results, same
from tfpipe.export.scoring.running import run_all

DIGITS = ("nil", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def review(number):
    """A text whose label is in one word; every tenth is told wrong, and every third is long."""
    label, spelt = number % 2, " ".join(DIGITS[int(digit)] for digit in f"{number:03d}")
    words = f"{spelt} <b>{'fine' if label else 'dull'}</b> & so on"
    more = " , and there is more of it" * (number % 3 == 0)
    return {"id": f"{number:03d}", "text": words + more, "label": label ^ (number % 10 == 0)}


@pytest.fixture(scope="session")
def texts(tmp_path_factory):
    """The manifest of 400 texts, with its words."""
    features = {"text": records.Feature("text"), "label": records.Feature("label")}
    source = records.examples(
        [review(number) for number in range(400)],
        features,
        class_names=("dull", "fine"),
        split=(0.6, 0.1, 0.3),
        name="reviews",
    )
    manifest = records.write(source, tmp_path_factory.mktemp("texts") / "reviews")
    return records.add_vocabulary(manifest, size=40)


@pytest.fixture(scope="session")
def text_model(texts):
    """A small LSTM that has learnt the two words."""
    first = ops.Chain([ops.Tokenize(texts.vocabulary), ops.Window(8)])
    batches = records.read(texts, "train", first, batch_size=32, shuffle_seed=0)
    with train.distribute(seed=0):
        model = models.lstm((8,), 2, vocabulary_size=len(texts.vocabulary), units=8)
        model.compile(train.cosine_adam(0.03, 4 * len(batches)), "sparse_categorical_crossentropy")
        train.fit(model, batches, epochs=4)
    return model


@pytest.fixture(scope="session")
def sliding(texts):
    """The chain of texts of any length."""
    return ops.Chain([ops.Tokenize(texts.vocabulary), ops.Window(8, stride=4)])


@pytest.fixture(scope="session")
def text_bundle(texts, text_model, sliding, tmp_path_factory):
    """As an int8 and an ONNX file."""
    path = tmp_path_factory.mktemp("text_bundle") / "reviews"
    return export.bundle(text_model, texts, path, prepare=sliding, formats=("int8", "onnx"))


@pytest.fixture(scope="session")
def series(tmp_path_factory):
    """The manifest of 600 windows of two columns, with the first column's next number."""
    random = np.random.default_rng(0)
    walks = 50 + np.cumsum(random.normal(size=(600, 13, 2)), axis=1) * (3, 1)
    source = records.arrays(walks[:, :12], walks[:, 12, 0], kind="sequence", name="walks")
    return records.write(source, tmp_path_factory.mktemp("series") / "walks")


@pytest.fixture(scope="session")
def standard(series):
    """The chain of the series."""
    return ops.Chain([ops.Standardize(*records.moments(series), target=(0,))])


@pytest.fixture(scope="session")
def series_bundle(series, standard, tmp_path_factory):
    """As an int8 and an ONNX file."""
    batches = records.read(series, "train", standard, batch_size=32, shuffle_seed=0)
    with train.distribute(seed=0):
        model = models.lstm((12, 2), 1, activation="linear", pooling="last", units=8)
        model.compile(train.cosine_adam(0.02, 4 * len(batches)), "mse")
        train.fit(model, batches, epochs=4)
    path = tmp_path_factory.mktemp("series_bundle") / "walks"
    return export.bundle(model, series, path, prepare=standard, formats=("int8", "onnx"))


@pytest.fixture
def results_of():
    """Inputs, targets, and scores by name, the reference's first, as the results of a bundle."""

    def make(inputs, targets, scores, restored=same):
        places = np.arange(len(targets), dtype=np.float32)[:, None]  # stand for the inputs

        def told(name):
            given = np.asarray(scores[name], np.float32)
            run = lambda chosen: given[chosen[:, 0].astype(int)]  # noqa: E731
            return export.Predictor(name, "keras", "float32", (1,), "float32", 0.0, run)

        predictors = [told(name) for name in scores]
        data = tf.data.Dataset.from_tensor_slices((places, targets)).batch(3)
        _, first, others = run_all(predictors[0], predictors[1:], data)
        answers = {found.name: found for found in (first, *others)}
        known = {np.asarray(each).tobytes(): place for place, each in enumerate(inputs)}

        def run(name, chosen):
            found = np.array([[known[each.tobytes()]] for each in chosen], np.float32)
            return predictors[list(scores).index(name)].predict(found)

        shown = tf.data.Dataset.from_tensor_slices((inputs, targets)).batch(4)
        return Results(answers, shown, run, restored)

    return make


@pytest.fixture(scope="session")
def cells(tmp_path_factory):
    """The manifest of 180 pictures of 4x4 cells: red and blue ones have boxes, most of them."""
    random = np.random.default_rng(0)
    features = {
        "image": records.Feature("image", (32, 32, 3)),
        "boxes": records.Feature("boxes"),
        "classes": records.Feature("classes"),
    }

    def picture(number):
        kinds = random.choice(3, (4, 4), p=(0.7, 0.2, 0.1))  # 0: nothing
        grey = random.integers(60, 120, 3)  # no two pictures are the same
        colours = np.array([grey, (230, 60, 60), (60, 60, 230)], np.uint8)
        image = colours[kinds].repeat(8, 0).repeat(8, 1)
        places = np.argwhere((kinds > 0) & (random.random((4, 4)) < 0.9))
        return {
            "id": f"{number:03d}",
            "image": image,
            "boxes": (np.concatenate([places, places + 1], 1) / 4).astype(np.float32),
            "classes": kinds[places[:, 0], places[:, 1]] - 1,
        }

    pictures = [picture(number) for number in range(180)]
    source = records.examples(
        pictures, features, class_names=("red", "blue"), split=(0.7, 0.3), name="cells"
    )
    return records.write(source, tmp_path_factory.mktemp("cells") / "cells")


@pytest.fixture(scope="session")
def detector():
    """Its weights are known: an anchor for each cell, whose scores go by the cell's colour."""
    images = keras.Input((32, 32, 3))
    means = keras.layers.Reshape((16, 3))(keras.layers.AveragePooling2D(8)(images))
    dense = keras.layers.Dense(2, "sigmoid", name="scores")
    fixed = keras.layers.Dense(64, name="boxes")
    boxes = keras.layers.Reshape((16, 4))(fixed(keras.layers.Flatten()(images)))
    model = keras.Model(images, keras.layers.Concatenate()([boxes, dense(means)]), name="detector")
    dense.set_weights([np.array([[9, -9], [0, 0], [-9, 9]]), np.array([-3, -3])])
    corners = np.stack(np.indices((4, 4)), -1).reshape(16, 2)
    places = np.concatenate([corners, corners + 1], 1) / 4
    fixed.set_weights([np.zeros((32 * 32 * 3, 64)), places.ravel()])
    return model


@pytest.fixture(scope="session")
def cell_bundle(cells, detector, tmp_path_factory):
    """As a float32 and an int8 file."""
    prepare = ops.Chain([ops.Decode(channels=3), ops.Resize((32, 32)), ops.ToFloat()])
    path = tmp_path_factory.mktemp("cell_bundle") / "cells"
    options = {"prepare": prepare, "formats": ("float32", "int8"), "split": "val"}
    return export.bundle(detector, cells, path, **options)
