"""The program for texts: it runs, and says what `load_texts` says, without TensorFlow."""

import pytest

from tfpipe import export, models, ops
from tfpipe.export.bundling.snippets import lacking, snippets

LONG = "There is <b>more</b> of this film, and it is fine: number after number, and more of it."


def test_it_says_what_the_file_says_of_a_long_text(text_bundle, sliding, use):
    lines = use(text_bundle, LONG, tfpipe=True)
    predictor = export.load_texts(text_bundle.path / "int8.tflite", sliding)
    assert len(predictor.read(LONG)) > 2
    (scores,) = predictor.predict([LONG])
    found = {name: float(score) for name, score in (line.split(": ") for line in lines)}
    assert found == pytest.approx({"dull": scores[0], "fine": scores[1]}, abs=1e-4)


def test_there_is_none_for_phones_and_the_bundle_says_so(text_bundle, sliding, standard):
    programs = [name for name in text_bundle.files if name.lower().startswith("use.")]
    assert programs == ["use.py"]
    assert lacking(sliding).startswith("There is no program for Android and iOS: ")
    assert lacking(standard) == lacking(ops.Chain([])) == ""


def test_tokens_without_a_reader_have_none(tmp_path):
    model = models.lstm((4,), 2, vocabulary_size=9, units=2)
    file = export.to_tflite(model, tmp_path / "a.tflite")
    assert snippets(file, ops.Chain([]), task="label") == {}
