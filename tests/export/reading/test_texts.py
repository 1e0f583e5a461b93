"""Strings in, scores out: the answers of the model on the tokens of training, windows averaged."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfpipe import export, models, ops, train
from tfpipe.errors import RequestError
from tfpipe.export.reading.predictor import Predictor

VOCABULARY = ("[PAD]", "[UNK]", "a", "fine", "film", "dull", ".")
PREPARE = ops.Chain([ops.Tokenize(VOCABULARY), ops.WordDropout(0.5), ops.Window(4, stride=3)])
TEXTS = ["A fine film .", "dull", "a dull film , a fine film , a film , and a film as fine ."]


@pytest.fixture(scope="module")
def model():
    tf.keras.utils.set_random_seed(0)
    model = models.bilstm((4,), 3, vocabulary_size=len(VOCABULARY), units=6)
    model.set_weights([3 * weight for weight in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def predictor(model):
    return export.on_texts(export.from_keras(model), PREPARE)


def refused(function, *arguments, **named):
    with pytest.raises(RequestError) as caught:
        function(*arguments, **named)
    return str(caught.value)


def by_hand(model, texts):
    """What TensorFlow's ops and the model come to, text by text."""
    sliding = PREPARE.inference()
    windows = [sliding({"text": tf.constant(text)})["text"] for text in texts]
    return np.stack([model(each).numpy().mean(0) for each in windows])


def test_it_answers_as_the_chain_and_the_model_do(model, predictor):
    scores = predictor.predict(TEXTS)
    assert (scores.dtype, scores.shape) == (np.float32, (3, 3))
    np.testing.assert_allclose(scores, by_hand(model, TEXTS), atol=1e-6)
    for place, text in enumerate(TEXTS):
        np.testing.assert_allclose(predictor.predict([text])[0], scores[place], atol=1e-6)


def test_it_takes_strings_bytes_and_arrays(predictor):
    expected = predictor.predict(TEXTS)
    encoded = [text.encode() for text in TEXTS]
    for texts in (encoded, tuple(TEXTS), np.array(TEXTS), np.array(encoded, object)):
        np.testing.assert_array_equal(predictor.predict(texts), expected)


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ([], "Expected a list of at least one text. Received: texts=[]"),
        ("a film", "Expected a list of at least one text. Received: texts='a film'"),
        (["a", " "], "Expected a text that holds a word. Received: text=' '"),
        (
            ["a", "zzz !"],
            "Expected a text with at least one word of the vocabulary. Received: text='zzz !'",
        ),
    ],
)
def test_what_cannot_be_scored_is_refused(predictor, texts, sentence):
    assert refused(predictor.predict, texts) == sentence


def test_unknown_words_alone_are_scored_where_that_is_wanted(model):
    predictor = export.on_texts(export.from_keras(model), PREPARE, refuse_unknown=False)
    np.testing.assert_allclose(
        predictor.predict(["zzz !"]), model(np.array([[1, 1, 0, 0]])), atol=1e-6
    )


def test_it_is_a_predictor_for_texts_around_another(model, predictor):
    assert isinstance(predictor, Predictor)
    other = predictor.around(export.from_keras(model))
    np.testing.assert_array_equal(other.predict(TEXTS), predictor.predict(TEXTS))
    plain = export.from_keras(model)
    assert plain.around(predictor) is predictor
    windows = predictor.encode(np.array(TEXTS, object))
    np.testing.assert_array_equal(windows, [[2, 3, 4, 6], [5, 0, 0, 0], [2, 5, 4, 1]])


@pytest.mark.parametrize(
    ("chain", "sentence"),
    [
        (
            ops.Chain([ops.Tokenize(VOCABULARY), ops.Window(5)]),
            "Expected a model that takes int32 tokens of shape (N, 5), as Window(length=5) gives "
            "them. Received: the Keras model 'bilstm', which takes int32 of shape (N, 4).",
        ),
        (
            ops.Chain([ops.Decode(1), ops.ToFloat()]),
            "Expected a chain of Tokenize and Window. "
            "Received: Chain([Decode(channels=1), ToFloat()])",
        ),
        (
            ops.Chain([ops.Window(4)]),
            "Expected a chain of Tokenize and Window. Received: Chain([Window(length=4)])",
        ),
    ],
)
def test_a_chain_that_does_not_fit_is_refused(model, chain, sentence):
    assert refused(export.on_texts, export.from_keras(model), chain) == sentence


def test_a_predictor_of_images_is_refused(trained, prepare):
    assert refused(export.on_texts, export.from_keras(trained, prepare), PREPARE) == (
        "Expected a model that takes int32 tokens of shape (N, 4), as Window(length=4, stride=3) "
        "gives them. Received: the Keras model 'lenet5', which takes uint8 of shape "
        "(N, 32, 32, 1)."
    )


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "model.onnx"
    export.to_onnx(model, path, prepare=PREPARE)
    return export.attach_vocabulary(path, PREPARE)


def test_a_file_answers_as_the_model_and_holds_the_words(model, predictor, file):
    loaded = export.load_texts(file, PREPARE)
    np.testing.assert_allclose(loaded.predict(TEXTS), predictor.predict(TEXTS), atol=1e-6)
    assert export.attached(file)["vocabulary.txt"] == "[PAD]\n[UNK]\na\nfine\nfilm\ndull\n.\n"


def test_another_vocabulary_than_the_files_is_refused(file):
    other = ops.Chain([ops.Tokenize(("[PAD]", "[UNK]", "a")), ops.Window(4)])
    assert refused(export.load_texts, file, other) == (
        f"Expected the chain that {str(file)!r} was made with. Received: "
        "Tokenize(vocabulary=('[PAD]', '[UNK]', 'a')), whose 3 words are not the file's."
    )


def test_verify_averages_windows(model, predictor, file):
    labels = predictor.predict(TEXTS).argmax(1)
    data = tf.data.Dataset.from_tensor_slices((TEXTS, labels)).batch(2)
    report = export.verify(predictor, [file], data)
    assert report.reference["score"] == 1.0
    (row,) = report.files
    assert (row.agreement, row.score) == (1.0, 1.0)
    assert row.max_abs_diff < 1e-6
    moved = dataclasses.replace(predictor, run=lambda windows: -predictor.run(windows))
    assert export.verify(moved, [file], data).files[0].agreement < 1.0


@pytest.mark.slow
def test_every_kind_of_file_answers_as_the_training_pipeline(tmp_path):
    rng = np.random.default_rng(0)
    words = np.array(VOCABULARY[2:])
    texts = [" ".join(words[rng.integers(0, 5, rng.integers(1, 12))]) for _ in range(400)]
    labels = np.array([text.count("fine") > text.count("dull") for text in texts], np.int64)
    window = ops.Chain([PREPARE.ops[0], ops.Window(4)])
    data = tf.data.Dataset.from_tensor_slices(({"text": texts}, labels)).batch(32)
    data = data.map(lambda example, label: (window(example)["text"], label))
    model = models.bilstm((4,), 2, vocabulary_size=len(VOCABULARY), units=8)
    train.fit(model, data, epochs=20, optimizer=tf.keras.optimizers.Adam(1e-2))
    model.save(tmp_path / "model.keras")
    files = [
        tmp_path / "model.keras",
        export.to_onnx(model, tmp_path / "model.onnx"),
        *(
            export.to_tflite(model, tmp_path / f"{mode}.tflite", mode=mode, calibration=data)
            for mode in ("float32", "int8")
        ),
    ]
    expected = by_hand(model, texts)
    for path in files:
        scores = export.load_texts(path, PREPARE).predict(texts)
        bound = 0.1 if path.name.startswith("int8") else 1e-5
        np.testing.assert_allclose(scores, expected, atol=bound)
