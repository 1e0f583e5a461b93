"""The programs for series: the Python one runs, with two packages and nothing of tfpipe."""

import keras
import numpy as np
import pytest

from tfpipe import export, ops, records
from tfpipe.export.bundling.snippets import snippets


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """A float32 file that takes four steps of three numbers and gives two."""
    numbers = keras.Input((4, 3))
    model = keras.Model(numbers, keras.layers.Dense(2)(keras.layers.Flatten()(numbers)))
    return export.to_tflite(model, tmp_path_factory.mktemp("flat") / "flat.tflite")


def test_the_forecast_is_in_the_units_of_the_data(series_bundle, series, standard, tmp_path, use):
    window = next(iter(records.read(series, "test", batch_size=1)))[0].numpy()
    np.savetxt(tmp_path / "series.csv", window[0], delimiter=",")
    (line,) = use(series_bundle, tmp_path / "series.csv")
    prepared = standard({"sequence": window[0]})["sequence"].numpy()
    given = export.load(series_bundle.path / "int8.tflite").predict(prepared[None])
    expected = given[0, 0] * standard.ops[0].std[0] + standard.ops[0].mean[0]
    assert 20 < expected < 80
    assert float(line.strip("[]")) == pytest.approx(expected, rel=1e-4)


def test_phones_get_the_same_arithmetic(series_bundle, standard):
    (mean, _), (std, _) = standard.ops[0].mean, standard.ops[0].std
    for name in ("Use.kt", "Use.swift"):
        text = (series_bundle.path / name).read_text(encoding="utf-8")
        assert "12 steps, from the first to the last: 2 numbers of each." in text
        assert "scores[0] * std[0] + mean[0]" in text
        assert f"{mean:.9g}" in text
        assert f"{std:.9g}" in text
        assert "float32 (1, 12, 2)" in text
        assert "labels" not in text
        assert "$" not in text.replace("$0", "")
        assert max(map(len, text.splitlines())) <= 100
        for pair in ("()", "{}", "[]"):
            assert text.count(pair[0]) == text.count(pair[1]), (name, pair)


def test_without_a_chain_the_numbers_go_in_as_they_are(flat):
    texts = snippets(flat, ops.Chain([]), task="target")
    assert "mean, std = np.float32([0, 0, 0]), np.float32([1, 1, 1])" in texts["use.py"]
    assert "floatArrayOf(0f, 0f, 0f)" in texts["Use.kt"]
    assert texts["use.py"].endswith("print(scores)\n")
    assert "return scores\n" in texts["Use.swift"]


def test_of_classes_the_labels_are_shown(flat):
    texts = snippets(flat, ops.Chain([]), task="label")
    for text in texts.values():
        assert "labels.txt" in text
    assert "for place in np.argsort(-scores)[:3]:" in texts["use.py"]


def test_another_op_than_standardize_has_no_program(flat):
    chain = ops.Chain([ops.Standardize((0.0,) * 3, (1.0,) * 3)] * 2)
    assert snippets(flat, chain, task="target") == {}


def test_vectors_have_no_program(tmp_path):
    numbers = keras.Input((3,))
    model = keras.Model(numbers, keras.layers.Dense(2)(numbers))
    file = export.to_tflite(model, tmp_path / "a.tflite")
    assert snippets(file, ops.Chain([]), task="target") == {}
