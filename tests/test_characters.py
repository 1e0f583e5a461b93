"""Foldings are Unicode's, over all of it, and the same in every version of Python."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfpipe import characters
from tfpipe.characters import foldings
from tfpipe.tokens import words


@given(st.text(st.characters(codec="utf-8")))
def test_case_width_and_composition_make_no_difference(text):
    # Unicode's compatibility caseless match; one character a time, as marks keep their order.
    for character in text:
        for other in (
            character.casefold(),
            unicodedata.normalize("NFKC", character),
            unicodedata.normalize("NFD", character),
        ):
            if (
                character not in characters.APOSTROPHES
                and not "\U0001e030" <= character <= "\U0001e08f"
            ):
                assert words(other) == words(character)


def test_the_foldings_are_those_of_every_other_version_of_python():
    lines = "".join(f"{point:x} {fold!a}\n" for point, fold in sorted(foldings().items()))
    assert (
        hashlib.sha256(lines.encode()).hexdigest()
        == "71b1640b422ad5567b71986feffd02eda43f80d30af40aa62cf5b25c92c5ae6f"
    )


@pytest.mark.slow
def test_nothing_folds_outside_the_table():
    found = foldings()
    for point in range(0x110000):
        assert point in found or characters._fold(point) == chr(point)
