"""Bundles of texts, series and boxes: what their files are run on, and what is told of them."""

import html
import re

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import accuracy_score, r2_score

from tfpipe import export, ops, records
from tfpipe.errors import RequestError
from tfpipe.export.bundling import ladder
from tfpipe.export.bundling.data import data_of


def page_of(bundle):
    """The sections of the page by their headings."""
    text = (bundle.path / "report.html").read_text(encoding="utf-8")
    parts = re.split("<h2>(.*?)</h2>", text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def read_all(manifest, split, *arguments):
    batches = list(records.read(manifest, split, *arguments, batch_size=64))
    return (np.concatenate([batch[n].numpy() for batch in batches]) for n in (0, 1))


def test_texts_are_scored_as_strings_in_all_their_windows(text_bundle, texts):
    strings, labels = read_all(texts, "test")
    chain = ops.Chain.from_json(text_bundle.path / "chain.json")
    assert max(len(text.split()) for text in strings) > 8
    for row in text_bundle.report.files:
        scores = export.load_texts(text_bundle.path / row.path, chain).predict(strings)
        assert accuracy_score(labels, scores.argmax(-1)) == pytest.approx(row.score)
    head = text_bundle.report.reference
    assert 0.7 < head["score_low"] < head["score"] < head["score_high"] < 1  # a tenth is wrong
    assert head["takes"] == "texts, as windows of 8 tokens (int32)"
    assert "by the window: int8.tflite, model.onnx." in str(text_bundle)


def test_the_words_and_the_classes_are_in_every_file(text_bundle, texts):
    assert text_bundle.models == ("int8.tflite", "model.onnx")
    for name in text_bundle.models:
        inside = export.attached(text_bundle.path / name)
        assert tuple(inside["vocabulary.txt"].split()) == texts.vocabulary
        assert inside["labels.txt"] == "dull\nfine\n"


def test_the_page_shows_texts_as_texts(text_bundle, texts, sliding):
    sections = page_of(text_bundle)
    quoted = [
        html.unescape(q)
        for q in re.findall("<blockquote>(.*?)</blockquote>", sections["Wrong answers"])
    ]
    strings, labels = read_all(texts, "test")
    answers = export.load_texts(text_bundle.path / "model.onnx", sliding).predict(strings)
    wrong = [text.decode() for text in strings[answers.argmax(-1) != labels]]
    assert len(wrong) > 5
    assert quoted == wrong[:24]
    assert "<img" not in sections["Wrong answers"]
    assert "ms for one window of a text" in sections["Size, latency and score"]


def test_the_card_of_texts_says_what_goes_in_and_why_there_is_no_program_for_phones(text_bundle):
    text = (text_bundle.path / "model_card.md").read_text(encoding="utf-8")
    assert "which takes texts, as windows of 8 tokens (int32) and gives 2 classes." in text
    assert "One window of a text at a time" in text
    assert "After the file" not in text
    assert (
        "How a program uses a file: `use.py`. There is no program for Android and iOS: the" in text
    )


def test_a_text_s_first_windows_are_what_integers_are_calibrated_with(text_model, texts, sliding):
    data = data_of(text_model, texts, sliding, split="test")
    tokens = next(iter(data.calibration))[0].numpy()
    assert tokens.shape[1:] == (8,)
    strings, _ = read_all(texts, "train")
    np.testing.assert_array_equal(tokens[0], data.reference.read(strings[0])[0])


def test_another_chain_than_of_texts_is_refused(text_model, texts, tmp_path):
    with pytest.raises(RequestError, match=r"^Expected a chain of Tokenize and Window\. Received"):
        export.bundle(text_model, texts, tmp_path / "out", prepare=ops.Chain([ops.Window(8)]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_ladder_of_texts_goes_on_to_the_next_kind_that_there_is(
    text_model, texts, sliding, tmp_path, monkeypatch
):
    monkeypatch.setattr(ladder, "_missed", lambda file, _: "" if "dynamic" in file.path else "no")
    options = {"prepare": sliding, "formats": ["int8"]}
    made = export.bundle(text_model, texts, tmp_path / "out", **options)
    assert made.models == ("dynamic.tflite",)
    (told,) = made.report.reference["instead"]
    assert "int8_qat: " in told
    assert "int16x8: Expected another mode than 'int16x8' for a model that takes tokens" in told
    assert export.attached(made.path / "dynamic.tflite")["vocabulary.txt"].startswith("[PAD]\n")


def test_series_are_scored_as_they_were_trained_with(series_bundle, series, standard):
    sequences, targets = read_all(series, "test", standard)
    for row in series_bundle.report.files:
        given = export.load(series_bundle.path / row.path).predict(sequences)
        assert r2_score(targets, given[:, 0]) == pytest.approx(row.score, abs=1e-5)
    head = series_bundle.report.reference
    assert head["score_name"] == "R2"
    assert 0 < head["score_low"] < head["score"] < head["score_high"] < 1


def test_without_classes_there_are_no_labels(series_bundle):
    assert "labels.txt" not in series_bundle.files
    assert series_bundle.class_names == ()
    assert "labels.txt" not in export.attached(series_bundle.path / "int8.tflite")


def test_the_page_shows_series_as_lines_and_errors_in_the_units_of_the_data(
    series_bundle, series, standard
):
    sections = page_of(series_bundle)
    _, truths = read_all(series, "test")
    prepared, _ = read_all(series, "test", standard)
    exact = export.load(series_bundle.path / "model.onnx").predict(prepared)[:, 0]
    mean, std = (numbers[0] for numbers in records.moments(series))
    errors = np.abs(exact * std + mean - truths)
    cells = re.findall("<td[^>]*>(.*?)</td>", sections["Errors"])
    assert cells[8] == "model.onnx"
    assert float(cells[9]) == pytest.approx(errors.mean(), rel=1e-3)
    assert sections["The largest errors"].count("<polyline") == 2 * 24
    worst = re.findall(r"target: ([\d.]+)", sections["The largest errors"])[0]
    assert float(worst) == pytest.approx(truths[errors.argmax()], rel=1e-3)


def test_the_page_calls_examples_by_their_ids(series_bundle, series):
    shards = [f"{series.path}/{shard.file}" for shard in series.split("test").shards]
    spec = {"id": tf.io.FixedLenFeature([], tf.string), "target": tf.io.VarLenFeature(tf.float32)}
    targets = {}
    for record in tf.data.TFRecordDataset(shards):
        example = tf.io.parse_single_example(record, spec)
        targets[example["id"].numpy().decode()] = float(example["target"].values[0])
    shown = re.findall(r"target: ([\d.]+)<br>(.*?)<", page_of(series_bundle)["The largest errors"])
    assert len(shown) == 24
    for target, name in shown:
        assert float(target) == pytest.approx(targets[name], rel=1e-3)


def test_the_card_of_series_says_nothing_of_classes(series_bundle):
    text = (series_bundle.path / "model_card.md").read_text(encoding="utf-8")
    assert "which takes float32 (12, 2) and gives numbers." in text
    assert "How sure a single forecast is: not measured." in text
    assert "\n\nAfter the file: its numbers, times the `std` of the columns that" in text
    assert "Whether the targets are right: not known." in text
    assert "class" not in text[text.index("## Limits") : text.index("## Intended use")]


def test_boxes_are_scored_by_cocos_precision(cell_bundle, cells, detector):
    assert cell_bundle.report.reference["score_name"] == "mAP@50"
    exact, int8 = cell_bundle.report.files
    assert 0.7 < exact.score < 0.99  # a tenth of the cells has no box
    assert exact.score_lost == 0
    assert abs(int8.score_lost) < 0.02
    assert exact.agreement == 1
    assert int8.agreement > 0.95
    each = r"mAP@50-95 0\.\d{4}; AP@50: red 0\.\d{4}, blue 0\.\d{4}\."
    assert re.search(f"The reference's {each}", str(cell_bundle))
    assert export.attached(cell_bundle.path / "int8.tflite")["labels.txt"] == "red\nblue\n"
    prepare = ops.Chain.from_json(cell_bundle.path / "chain.json")
    data = data_of(detector, cells, prepare, split="val")
    assert data.check.element_spec[1].shape.as_list() == [None, None, 5]


def test_the_page_shows_boxes(cell_bundle):
    sections = page_of(cell_bundle)
    assert "COCO's average precision" in sections["Classes"]
    assert sections["Boxes that differ most"].count("<img") == 6 * 4
    for name in ("red", "blue"):
        assert f"&#9632;</span> {name}" in sections["Boxes that differ most"]


def test_a_model_that_is_no_detector_of_these_classes_is_refused(cells, trained, tmp_path):
    with pytest.raises(RequestError) as caught:
        export.bundle(trained, cells, tmp_path / "out", prepare=ops.Chain([]))
    assert str(caught.value) == (
        "Expected a detector, whose output has the shape (None, anchors, 6): a box and 2 scores, "
        f"one per class of 'cells'. Received: {trained.name!r}, whose output has the shape "
        "(None, 10)."
    )
    assert list(tmp_path.iterdir()) == []


def test_without_a_chain_it_is_said_what_to_give(trained, manifest):
    with pytest.raises(RequestError) as caught:
        data_of(trained, manifest, None, split="test")
    assert str(caught.value) == (
        "Expected `prepare`, the chain that the model was trained with. Received: None. For a "
        "model that has all of it inside, give the decoding, the resizing and "
        "`PreprocessInput('none')`."
    )
