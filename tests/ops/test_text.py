"""Tokens in a graph are those of plain Python, whatever the text; windows, draws, refusals."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tfpipe import ops, tokens
from tfpipe.errors import RequestError
from tfpipe.ops import Chain, RandomWindow, Tokenize, Window, WordDropout
from tfpipe.ops.text import words

VOCABULARY = ("[PAD]", "[UNK]", "a", "fine", "film", "'", "don't", "\u00df".casefold(), "e\u0301t")
TOKENIZE = Tokenize(VOCABULARY)
TEXTS = ["A fine film", "fine", "a film as fine as a film can be"]
ROWS = tf.constant([[2, 3, 4, 5, 6, 7, 8], [9, 8, 7, 0, 0, 0, 0]])
KEYS = tf.constant(["0/0/a", "0/0/b"])

python_words = tokens.words


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def graph_words(texts):
    return words(texts).to_tensor("")


def in_graph(texts):
    rows = graph_words(tf.constant(texts, tf.string)).numpy()
    return [[word.decode() for word in row if word] for row in rows]


def given_by(op, text, **example):
    return op({"text": text, **example})["text"]


def refused(function, *arguments):
    with pytest.raises(RequestError) as caught:
        function(*arguments)
    return str(caught.value)


CLOSE = st.sampled_from(
    "aB'\u2019 \u00ad\u0301\u00e9\u0130\u03a3\uff21\u4e2d\U0001f600.\n\u200d\ufffd"
)


@settings(max_examples=150)
@given(st.lists(st.text(st.characters(codec="utf-8")) | st.text(CLOSE), min_size=1, max_size=20))
def test_words_in_a_graph_are_those_of_plain_python(texts):
    assert in_graph([text.encode() for text in texts]) == [python_words(text) for text in texts]


@settings(max_examples=150)
@given(st.lists(st.binary(), min_size=1, max_size=20))
@example([b"\xed\xa0\x80a", b"\xf0\x90b", b"a\xffb", b"\xc0\x80", b"\x00a\x00"])
def test_bytes_that_are_no_text_are_read_alike_too(texts):
    expected = [python_words(tokens.text_of(text)) for text in texts]
    assert in_graph(texts) == expected


@pytest.mark.slow
def test_every_character_of_unicode_is_read_alike():
    points = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    for first in range(0, len(points), 50_000):
        texts = [f"a{chr(point)}b {chr(point)}" for point in points[first : first + 50_000]]
        assert in_graph([t.encode() for t in texts]) == [python_words(t) for t in texts]


@given(
    st.lists(st.text(st.characters(codec="utf-8"), max_size=30), min_size=1, max_size=4),
    st.integers(1, 8),
    st.data(),
)
@settings(max_examples=60)
def test_a_chain_and_a_reader_give_the_same_windows(texts, length, data):
    texts = [f"a {text}" for text in texts]
    stride = data.draw(st.none() | st.integers(1, length))
    found = Chain([TOKENIZE, Window(length, stride)])({"text": tf.constant(texts)})["text"].numpy()
    read = tokens.reader(VOCABULARY, length, stride)
    for row, text in zip(found, texts, strict=True):
        expected = read(text)
        got = row[None] if stride is None else row[row.any(1)]
        np.testing.assert_array_equal(got, expected)


def test_one_text_and_a_batch_of_texts_have_the_same_tokens():
    batch = given_by(TOKENIZE, tf.constant(TEXTS))
    assert batch.dtype == tf.int32
    np.testing.assert_array_equal(batch[:2, :3], [[2, 3, 4], [3, 0, 0]])
    for text, row in zip(TEXTS, batch.numpy(), strict=True):
        alone = given_by(TOKENIZE, tf.constant(text))
        np.testing.assert_array_equal(alone, row[row > 0])


def test_it_maps_over_a_dataset_and_the_table_outlives_the_op():
    def made():
        chain = Chain([Tokenize(VOCABULARY), Window(4)])
        return tf.data.Dataset.from_tensor_slices({"text": TEXTS}).batch(2).map(chain)

    dataset = made()
    assert dataset.element_spec["text"] == tf.TensorSpec((None, 4), tf.int32)
    rows = np.concatenate([batch["text"] for batch in dataset])
    assert rows.tolist() == [[2, 3, 4, 0], [3, 0, 0, 0], [2, 4, 1, 3]]


RANDOM = [RandomWindow(3), WordDropout(0.5)]


@pytest.mark.parametrize("op", RANDOM, ids=lambda op: type(op).__name__)
def test_a_draw_depends_on_the_key_alone(op):
    together = given_by(op, ROWS, key=KEYS)
    turned = given_by(op, ROWS[::-1], key=KEYS[::-1])
    np.testing.assert_array_equal(together, turned[::-1])
    for row, key, expected in zip(ROWS, KEYS, together, strict=True):
        np.testing.assert_array_equal(given_by(op, row, key=key), expected)
    others = [given_by(op, ROWS, key=tf.constant([f"0/{n}/a", "b"])) for n in range(9)]
    assert len({tuple(other[0].numpy().tolist()) for other in others}) > 1


def test_word_dropout_takes_its_share_and_no_padding():
    rows = tf.concat([tf.fill((50, 200), 7), tf.zeros((50, 20), tf.int32)], axis=1)
    keys = tf.constant([str(number) for number in range(50)])
    found = given_by(WordDropout(0.3), rows, key=keys).numpy()
    assert set(np.unique(found[:, :200])) == {1, 7}
    assert (found[:, 200:] == 0).all()
    assert abs((found[:, :200] == 1).mean() - 0.3) < 4 * np.sqrt(0.21 / 10_000)
    np.testing.assert_array_equal(given_by(WordDropout(0.0), rows, key=keys), rows)


def test_inference_and_the_two_sides_of_a_file():
    training = Chain([TOKENIZE, WordDropout(0.3), RandomWindow(4), Window(4)])
    plain = Chain([TOKENIZE, Window(4)])
    assert training.inference() == plain
    assert (training.outside(), training.inside()) == (plain, Chain([]))
    assert training.stages() == (Chain([]), training)
    found = training.outside()({"text": tf.constant(TEXTS)})["text"]
    assert (found.dtype, found.shape) == (tf.int32, (3, 4))


def test_a_chain_of_texts_prints_short_compares_and_comes_back_from_json(tmp_path):
    long = Tokenize((*tokens.SPECIAL, *(f"w{number}" for number in range(500))))
    chain = Chain([long, WordDropout(0.1), RandomWindow(8), Window(8, stride=4)])
    assert repr(chain).startswith("Chain([Tokenize(vocabulary=<502 values, sha256 ")
    assert len(repr(chain)) < 220
    again = Chain.from_json(chain.to_json(tmp_path / "chain.json"))
    assert again == chain
    assert hash(again) == hash(chain)
    other = Tokenize((*long.vocabulary[:-1], "v"))
    assert Chain([other]) != Chain([long])
    assert repr(Chain([other])) != repr(Chain([long]))


@pytest.mark.parametrize(
    ("chain", "sentence"),
    [
        (
            (ops.Decode(1), Window(4)),
            "Expected ops on one part of an example. Received: Decode(channels=1), on `image`, "
            "and Window(length=4), on `text`",
        ),
        (
            (Window(4), RandomWindow(4)),
            "Expected tokens (int32) before RandomWindow(length=4). "
            "Received: tokens in windows from Window(length=4); change the order.",
        ),
        (
            (RandomWindow(4), ops.Standardize((0.0,), (1.0,))),
            "Expected ops on one part of an example. Received: RandomWindow(length=4), on `text`, "
            "and Standardize(mean=(0.0,), std=(1.0,)), on `sequence`",
        ),
    ],
)
def test_a_wrong_order_is_refused(chain, sentence):
    assert refused(Chain, chain) == sentence


@pytest.mark.parametrize(
    ("op", "example", "sentence"),
    [
        (
            Window(4),
            {"image": tf.zeros((2, 2, 1), tf.uint8), "label": 3},
            "Window(length=4) expected an example with a `text`. Received: 'image', 'label'",
        ),
        (
            ops.Decode(1),
            {"text": "a fine film", "label": 3},
            "Decode(channels=1) expected an example with an `image`. Received: 'text', 'label'",
        ),
        (
            Window(4),
            {"text": "a fine film"},
            "Window(length=4) expected tokens (int32). Received: string as `text`.",
        ),
        (
            Tokenize(VOCABULARY[:3]),
            {"text": [2, 3]},
            "Tokenize(vocabulary=('[PAD]', '[UNK]', 'a')) expected texts (strings). "
            "Received: int32 as `text`.",
        ),
        (
            RandomWindow(4),
            {"text": tf.zeros((2, 3, 4), tf.int32), "key": "a"},
            "RandomWindow(length=4) expected tokens (int32) of shape (T,), or a batch (B, T). "
            "Received: shape (2, 3, 4)",
        ),
        (
            RandomWindow(4),
            {"text": tf.zeros((3,), tf.int32), "key": ["a", "b"]},
            "RandomWindow(length=4) expected a `key` for each text. Received: keys of shape (2,) "
            "for texts of shape (3,)",
        ),
        (
            Tokenize(VOCABULARY[:3]),
            {"text": ["a", "\u00ad "]},
            "Tokenize(vocabulary=('[PAD]', '[UNK]', 'a')) expected texts that hold a word. "
            "Received: b'\\xc2\\xad '",
        ),
    ],
)
def test_what_an_op_does_not_take_is_refused(op, example, sentence):
    assert refused(op, example) == sentence


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Window(0), "Expected `length` to be a whole number from 1. Received: length=0"),
        (
            lambda: Window(4, stride=5),
            "Expected `stride` to be a whole number from 1 to `length`, or None. "
            "Received: stride=5, length=4",
        ),
        (
            lambda: RandomWindow(2.5),
            "Expected `length` to be a whole number from 1. Received: length=2.5",
        ),
        (
            lambda: WordDropout(1.5),
            "Expected `rate` to be a fraction from 0 to 1. Received: rate=1.5",
        ),
        (
            lambda: Tokenize("a fine film"),
            "Expected `vocabulary` to be the words that `records.add_vocabulary` found. "
            "Received: vocabulary='a fine film'",
        ),
        (
            lambda: Tokenize(("a", "b", "c")),
            "Expected `vocabulary` to be '[PAD]', '[UNK]', and then at least one word. "
            "Received: vocabulary=('a', 'b', 'c')",
        ),
        (
            lambda: Chain([Window(4)]).outside((8, 8)),
            "`input_size` is for images. Received: input_size=(8, 8) with a chain on `text`",
        ),
        (
            lambda: Chain([Window(4)]).as_layer(),
            "Expected a chain on `image`: a layer takes pixels. "
            "Received: Chain([Window(length=4)])",
        ),
    ],
)
def test_a_wrong_request_is_one_sentence(make, sentence):
    assert refused(make) == sentence


def test_in_a_graph_a_text_without_a_word_stops_it_with_the_same_sentence():
    dataset = tf.data.Dataset.from_tensors({"text": tf.constant(["a", " "])}).map(TOKENIZE)
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected texts that hold a word"):
        next(iter(dataset))
