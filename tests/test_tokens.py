"""Words in plain Python: what belongs to a word, by examples and by properties over all Unicode."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfpipe import tokens
from tfpipe.errors import DataError, RequestError
from tfpipe.tokens import load_reader, numbers, reader, text_of, windows, words

VOCABULARY = ("[PAD]", "[UNK]", "a", "fine", "film")


def refused(function, *arguments, **named):
    with pytest.raises(RequestError) as caught:
        function(*arguments, **named)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A fine  film.", ["a", "fine", "film", "."]),
        (
            "don't 'quote' rock 'n' roll",
            ["don't", "'", "quote", "'", "rock", "'", "n", "'", "roll"],
        ),
        ("don\u2019t don\u02bct don\uff07t", ["don't"] * 3),
        ("co-writer/director", ["co", "-", "writer", "/", "director"]),
        ("3.50 x\u00b2 \u00bd", ["3", ".", "50", "x2", "1", "\u2044", "2"]),
        ("STRASSE Stra\u00dfe \ufb01lm \uff26\uff29\uff2c\uff2d", ["strasse"] * 2 + ["film"] * 2),
        (
            "\u039a\u0391\u039b\u039f\u03a3 \u03ba\u03b1\u03bb\u03bf\u03c2",
            ["\u03ba\u03b1\u03bb\u03bf\u03c3"] * 2,
        ),
        ("caf\u00e9 cafe\u0301", ["cafe\u0301"] * 2),
        ("so\u00adft ze\u200dro \ufeff", ["soft", "zero"]),
        ("great\U0001f600\U0001f600", ["great", "\U0001f600", "\U0001f600"]),
        ("\u65e5\u672c\u8a9e", ["\u65e5", "\u672c", "\u8a9e"]),
        ("[PAD] [UNK]", ["[", "pad", "]", "[", "unk", "]"]),
        ("a\u00a0b\u3000c\u200bd\x00e\nf", list("abcdef")),
        ("\ud800 \ufffd \u00ad", []),
    ],
)
def test_what_a_word_is(text, expected):
    assert words(text) == expected


@given(st.text())
def test_words_are_folded_already(text):
    found = words(text)
    assert words(" ".join(found)) == found
    assert all(found)


def test_numbers_are_places():
    assert numbers(VOCABULARY) == {"[PAD]": 0, "[UNK]": 1, "a": 2, "fine": 3, "film": 4}
    assert tokens.to_ids("A FINE play", numbers(VOCABULARY)) == [2, 3, 1]


@pytest.mark.parametrize(
    ("vocabulary", "sentence"),
    [
        (
            ("a", "b", "c"),
            "Expected `vocabulary` to be '[PAD]', '[UNK]', and then at least one word. "
            "Received: vocabulary=('a', 'b', 'c')",
        ),
        (
            ("[PAD]", "[UNK]"),
            "Expected `vocabulary` to be '[PAD]', '[UNK]', and then at least one word. "
            "Received: vocabulary=('[PAD]', '[UNK]')",
        ),
        (
            ("[PAD]", "[UNK]", "a", "b", "a"),
            "Expected `vocabulary` to hold every word once. Received: 'a' as numbers 2 and 4",
        ),
        (
            ("[PAD]", "[UNK]", "Fine"),
            "Expected `vocabulary` to hold words as `tfpipe.tokens.words` makes them. "
            "Received: vocabulary[2]='Fine'",
        ),
        (
            ("[PAD]", "[UNK]", 7),
            "Expected `vocabulary` to hold words as `tfpipe.tokens.words` makes them. "
            "Received: vocabulary[2]=7",
        ),
    ],
)
def test_what_is_no_vocabulary_is_refused(vocabulary, sentence):
    assert refused(numbers, vocabulary) == sentence


def test_windows_cover_a_text_and_end_with_it():
    found = windows([*range(2, 12)], 4, stride=3)
    assert found.dtype == np.int32
    assert found.tolist() == [[2, 3, 4, 5], [5, 6, 7, 8], [8, 9, 10, 11]]
    assert windows([*range(2, 13)], 4, stride=3)[-1].tolist() == [9, 10, 11, 12]
    assert windows([2, 3], 4, stride=3).tolist() == [[2, 3, 0, 0]]
    assert windows([*range(2, 12)], 4).tolist() == [[2, 3, 4, 5]]


@given(st.integers(1, 60), st.integers(1, 20), st.data())
def test_every_token_is_in_a_window(number, length, data):
    stride = data.draw(st.integers(1, length))
    found = windows([*range(1, number + 1)], length, stride)
    assert set(found.ravel().tolist()) - {0} == set(range(1, number + 1))
    assert (found[:, 0] > 0).all()
    if number > length:
        assert found[-1, -1] == number
        assert (np.diff(found[:, 0]) <= stride).all()
        assert (np.diff(found[:, 0]) > 0).all()


@pytest.mark.parametrize(
    ("length", "stride", "sentence"),
    [
        (0, None, "Expected `length` to be a whole number from 1. Received: length=0"),
        (2.0, None, "Expected `length` to be a whole number from 1. Received: length=2.0"),
        (
            4,
            0,
            "Expected `stride` to be a whole number from 1 to `length`, or None. "
            "Received: stride=0, length=4",
        ),
        (
            4,
            5,
            "Expected `stride` to be a whole number from 1 to `length`, or None. "
            "Received: stride=5, length=4",
        ),
    ],
)
def test_a_wrong_length_or_stride_is_refused(length, stride, sentence):
    assert refused(windows, [2], length, stride) == sentence
    assert refused(reader, VOCABULARY, length, stride) == sentence


def test_a_reader_takes_text_and_utf8():
    read = reader(VOCABULARY, 4, stride=2)
    assert read("A fine film").tolist() == [[2, 3, 4, 0]]
    assert read(b"A fine film").tolist() == [[2, 3, 4, 0]]
    assert read(b"a\xfffine").tolist() == [[2, 3, 0, 0]]
    assert text_of(b"\xff") == "\ufffd"


def test_a_text_without_a_word_or_a_known_one_is_refused():
    read = reader(VOCABULARY, 4)
    for text in ("", "  ", "\u00ad\n"):
        assert refused(read, text) == (
            f"Expected a text that holds a word. Received: text={text!r}"
        )
    assert refused(read, "dull !") == (
        "Expected a text with at least one word of the vocabulary. Received: text='dull !'"
    )
    assert reader(VOCABULARY, 4, refuse_unknown=False)("dull !").tolist() == [[1, 1, 0, 0]]


def test_a_process_without_tensorflow_reads_a_saved_chain(tmp_path, python):
    from tfpipe import ops

    chain = ops.Chain([ops.Tokenize(VOCABULARY), ops.WordDropout(0.5), ops.Window(4, stride=2)])
    file = chain.to_json(tmp_path / "chain.json")
    done = python(
        "import sys; from tfpipe.tokens import load_reader; "
        f"print(load_reader({str(file)!r})('A fine film, a fine film').tolist(), "
        "'tensorflow' in sys.modules)"
    )
    assert done.stdout == "[[2, 3, 4, 1], [4, 1, 2, 3], [1, 2, 3, 4]] False\n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[", "JSONDecodeError"),
        ("{}", "KeyError('ops')"),
        ('{"ops": [{"op": "Decode"}]}', "KeyError('Tokenize')"),
        ('{"ops": [{"op": "Tokenize", "vocabulary": []}, {"op": "Window", "length": 3}]}', "Requ"),
    ],
)
def test_another_file_is_no_chain_of_texts(tmp_path, content, problem):
    file = tmp_path / "chain.json"
    file.write_text(content)
    with pytest.raises(DataError) as caught:
        load_reader(file)
    assert str(caught.value).startswith(f"{file}: not a chain with Tokenize and Window ({problem}")
