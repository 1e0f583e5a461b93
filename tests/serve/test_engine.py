"""A bundle's file answers as `export.load` does, to the bit; what cannot be served is told."""

import base64
import json
import shutil

import keras
import numpy as np
import pytest

from tfpipe import export, models, ops, records
from tfpipe.errors import DataError, RequestError
from tfpipe.export.bundling.bundled import seal
from tfpipe.serve import load_engine


@pytest.mark.parametrize("name", ["int8", "float32", "onnx", "saved_model"])
def test_every_file_can_be_the_engine_and_answers_as_its_predictor(name, bundled, pictures, chain):
    engine = load_engine(bundled.path, name)
    predictor = export.load(bundled.path / bundled.engines[name])
    sent = [{"b64": base64.b64encode(data).decode()} for data in pictures.values()]
    pixels = np.stack(
        [
            chain.outside()({"image": data, "orientation": 6 if name == "turned.jpg" else 1})[
                "image"
            ].numpy()
            for name, data in pictures.items()
        ]
    )
    inputs, scores = engine.score(engine.parse(sent))
    np.testing.assert_array_equal(inputs, pixels)
    np.testing.assert_array_equal(scores, predictor.predict(pixels))
    assert scores.dtype == np.float32
    assert engine.class_names == tuple("0123456789")


def test_its_monitor_does_not_look_again_at_once_and_keeps_no_pictures(bundled, digits):
    monitor = load_engine(bundled.path, "int8").monitor
    for _ in range(3):
        monitor.observe(digits[0][:64])
    assert monitor.state()["looks"] == 1
    assert {seen.shown for seen in monitor.report().seen} == {None}
    assert len(monitor.profile.latency_ms) == 0  # the Keras model's is no measure of a server


def test_without_a_name_the_first_file_answers(bundled):
    assert load_engine(bundled.path).predictor.name == bundled.models[0]


def test_another_engine_is_refused(bundled):
    with pytest.raises(RequestError) as caught:
        load_engine(bundled.path, "int6")
    assert str(caught.value) == (
        "Expected `engine` to be one of 'int8', 'float32', 'onnx', 'saved_model'. "
        "Received: engine='int6'. Did you mean 'int8'?"
    )


def test_a_damaged_bundle_is_refused(bundled, tmp_path):
    folder = shutil.copytree(bundled.path, tmp_path / "copy")
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"more")
    with pytest.raises(DataError, match="changed since the bundle was written"):
        load_engine(folder, "int8")


@pytest.mark.parametrize("name", ["a/b", "", "{x}"])
def test_a_name_that_no_path_can_hold_is_refused(name, bundled, tmp_path):
    folder = shutil.copytree(bundled.path, tmp_path / "copy")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "name": name}))
    (folder / "bundle.json").unlink()
    seal(folder)
    with pytest.raises(DataError) as caught:
        load_engine(folder, "int8")
    assert str(caught.value).endswith(
        f"expected a name of letters, digits, '.', '-' and '_', found {name!r}"
    )


def test_texts_are_scored_as_load_texts_does(bundled, tmp_path):
    vocabulary = ("[PAD]", "[UNK]", "a", "fine", "film")
    chain = ops.Chain([ops.Tokenize(vocabulary), ops.Window(4, stride=2)])
    model = models.bilstm((4,), 2, vocabulary_size=len(vocabulary), units=4)
    file = export.to_keras(model, tmp_path / "texts" / "model.keras")
    shutil.copy(bundled.path / "manifest.json", file.parent)
    shutil.copy(bundled.path / "labels.txt", file.parent)
    report = json.loads((bundled.path / "report.json").read_text())
    report["files"] = [{**report["files"][0], "path": file.name}]
    (file.parent / "report.json").write_text(json.dumps(report))
    chain.to_json(file.parent / "chain.json")
    seal(file.parent)
    engine = load_engine(file.parent, "keras")
    texts = ["A fine film!", "A film as fine as a film can be"]
    expected = export.load_texts(file, chain).predict(texts)
    np.testing.assert_array_equal(engine.score(engine.parse(texts)).scores, expected)
    with pytest.raises(RequestError, match="xyzzy"):
        engine.score(engine.parse(["xyzzy"]))


def test_of_several_labels_it_knows_the_thresholds_of_the_bundle(bundled, tmp_path):
    greys = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)
    rows = [{"id": str(n), "image": g, "labels": [n % 2, n % 3 > 1]} for n, g in enumerate(greys)]
    features = {
        "image": records.Feature("image", (8, 8, 1)),
        "labels": records.Feature("labels", (2,)),
    }
    source = records.examples(rows, features, class_names=("a", "b"), split=(0.4, 0.3, 0.3))
    manifest = records.write(source, tmp_path / "records")
    prepare = ops.Chain([ops.Decode(1), ops.Resize((8, 8)), ops.ToFloat()])
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2, "sigmoid")]
    bundle = export.bundle(
        keras.Sequential(layers), manifest, tmp_path / "b", prepare=prepare, formats=["keras"]
    )
    expected = json.loads((bundle.path / "thresholds.json").read_text())["thresholds"]
    assert load_engine(bundle.path).thresholds == expected
    assert expected.keys() == {"a", "b"}
    assert load_engine(bundled.path, "int8").thresholds is None
