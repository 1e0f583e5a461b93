"""Which characters make words, and what they are folded to: the same in every version of Python.

The tables are this package's own, since Python's classes of characters change from version to
version. The foldings are Unicode's compatibility caseless match (The Unicode Standard, 3.13, D146),
which never changes for a character that has one.

Example:

    folded("It\u2019s GREAT!")           # "it's great!"
"""

import functools
import re
import unicodedata

Ranges = tuple[tuple[int, int], ...]

# Controls, spaces, what stands for damaged text, and the halves of surrogate pairs.
SPACES: Ranges = (
    (0x00, 0x20),
    (0x7F, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200B),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xD800, 0xDFFF),
    (0xFFF9, 0xFFFF),
)
# Soft hyphens, joiners, marks of direction, variation selectors, tags: invisible.
DROPPED: Ranges = (
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x180B, 0x180F),
    (0x200C, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xE0000, 0xE01EF),
)
# Punctuation, symbols, emoji, and ideographs, between which no spaces are written.
SINGLES: Ranges = (
    (0x21, 0x2F),
    (0x3A, 0x40),
    (0x5B, 0x60),
    (0x7B, 0x7E),
    (0xA1, 0xBF),
    (0xD7, 0xD7),
    (0xF7, 0xF7),
    (0x55A, 0x55F),  # Armenian
    (0x589, 0x58F),
    (0x5BE, 0x5BE),  # Hebrew
    (0x5C0, 0x5C0),
    (0x5C3, 0x5C3),
    (0x5F3, 0x5F4),
    (0x606, 0x60F),  # Arabic
    (0x61B, 0x61F),
    (0x66A, 0x66D),
    (0x6D4, 0x6D4),
    (0x964, 0x965),  # Indic
    (0xE4F, 0xE4F),  # Thai
    (0xE5A, 0xE5B),
    (0x104A, 0x104F),  # Burmese
    (0x1360, 0x1368),  # Ethiopic
    (0x17D4, 0x17DB),  # Khmer
    (0x1800, 0x180A),  # Mongolian
    (0x2010, 0x2027),
    (0x2030, 0x205E),
    (0x20A0, 0x20CF),
    (0x2100, 0x214F),
    (0x2190, 0x2BFF),
    (0x2E00, 0x2E7F),
    (0x3001, 0x3004),
    (0x3008, 0x3020),
    (0x3030, 0x3030),
    (0x303D, 0x303F),
    (0x30FB, 0x30FB),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x1D000, 0x1D24F),
    (0x1F000, 0x1FAFF),
    (0x20000, 0x3FFFF),
)
APOSTROPHES = "\u00b4\u02bc\u2018\u2019\u201b\u1ffd"  # what is written in the place of '

# Where characters stand that Unicode folds: looking at the others would take a second.
FOLDED: Ranges = ((0x00, 0x1FFFF), (0x2F800, 0x2FA1F), (0xE0000, 0xE01EF))
# What got a folding after Unicode 14.0, which Python 3.11 has: left as it is.
NEWER: Ranges = ((0x1E030, 0x1E08F),)


def folded(text: str) -> str:
    """The text with every character folded.

    >>> folded("It\u2019s GREAT!")
    "it's great!"
    """
    return text.translate(_FOLDS)


@functools.cache
def foldings() -> dict[int, str]:
    """Every character that is not folded to itself, by its code point.

    >>> foldings()[ord("A")], foldings()[ord("ß")]
    ('a', 'ss')
    """
    points = (point for first, last in FOLDED for point in range(first, last + 1))
    folds = {point: _fold(point) for point in points}
    return {point: fold for point, fold in folds.items() if fold != chr(point)}


def pattern(escaped: str) -> str:
    """The regular expression of a word in a folded text, for Python's `re` and for RE2.

    Args:
        escaped: how the expression says a code point: "\\\\U{:08x}" or "\\\\x{{{:x}}}".
    """
    ends = [(escaped.format(first), escaped.format(last)) for first, last in SINGLES]
    letter = f"[^ {''.join(f'{first}-{last}' for first, last in ends)}]"
    return f"{letter}+(?:'{letter}+)*|[^ ]"


def _fold(point: int) -> str:
    """D146 for one character; one space for all, nothing for the invisible, one apostrophe."""
    if _within(point, SPACES):
        return " "
    if _within(point, DROPPED):
        return ""
    character = chr(point)
    if character in APOSTROPHES:
        return "'"
    if _within(point, NEWER):
        return character
    decomposed = unicodedata.normalize("NFKD", character).casefold()
    return unicodedata.normalize("NFKD", decomposed).replace("\u02bc", "'")  # of \u0149


def _within(point: int, ranges: Ranges) -> bool:
    return any(first <= point <= last for first, last in ranges)


class _Folds(dict[int, str]):
    """Characters are folded when they first occur: all of them take a second."""

    def __missing__(self, point: int) -> str:
        self[point] = _fold(point)
        return self[point]


_FOLDS = _Folds()
WORD = re.compile(pattern("\\U{:08x}"))
