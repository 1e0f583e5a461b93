"""Words and their numbers, in plain Python: what `tfpipe.ops.Tokenize` and `Window` do in a graph.

Nothing here loads TensorFlow, so a process that only predicts may use it.

Example:

    read = load_reader("out/sentiment/chain.json")
    scores = run(read("It's GREAT!")).mean(0)      # of int32 (num_windows, length)
"""

import json
import pathlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tfpipe.characters import WORD, folded
from tfpipe.errors import DataError, RequestError, received
from tfpipe.files import Path

PADDING, UNKNOWN = 0, 1  # their numbers; a word's number is its place in the vocabulary
SPECIAL = ("[PAD]", "[UNK]")  # in no text: a bracket is a word of its own

Reader = Callable[[str | bytes], np.ndarray]


def words(text: str) -> list[str]:
    """The words of a text.

    Letters, digits and marks that stand together are a word; so is every other visible character
    by itself: punctuation, symbols, emoji, ideographs. An apostrophe between letters is part of
    the word. Differences of case and width are folded away; accents stay (as characters of their
    own, in the order of the text); what is invisible, such as a soft hyphen, is left out.

    >>> words("It\u2019s GREAT (5\u20ac)!")
    ["it's", 'great', '(', '5', '\u20ac', ')', '!']
    """
    return WORD.findall(folded(text))


def numbers(vocabulary: Sequence[str]) -> dict[str, int]:
    """The number of each word, which is its place.

    Raises:
        RequestError: it does not begin with "[PAD]" and "[UNK]", or an entry occurs twice or is
            none that a text could have.

    >>> numbers(("[PAD]", "[UNK]", "fine"))
    {'[PAD]': 0, '[UNK]': 1, 'fine': 2}
    """
    found = {word: number for number, word in enumerate(vocabulary)}
    if tuple(vocabulary[:2]) != SPECIAL or len(vocabulary) < 3:
        expected = "`vocabulary` to be '[PAD]', '[UNK]', and then at least one word"
        raise RequestError(received(expected, vocabulary=tuple(vocabulary[:3])))
    for number, word in enumerate(vocabulary[2:], start=2):
        if not isinstance(word, str) or words(word) != [word]:
            expected = "`vocabulary` to hold words as `tfpipe.tokens.words` makes them"
            raise RequestError(received(expected, **{f"vocabulary[{number}]": word}))
        if found[word] != number:
            raise RequestError(
                f"Expected `vocabulary` to hold every word once. Received: {word!r} as numbers "
                f"{number} and {found[word]}"
            )
    return found


def to_ids(text: str, known: Mapping[str, int]) -> list[int]:
    """The numbers of a text's words; 1 for a word that is not known.

    >>> to_ids("Fine film", numbers(("[PAD]", "[UNK]", "fine")))
    [2, 1]
    """
    return [known.get(word, UNKNOWN) for word in words(text)]


def windows(ids: Sequence[int], length: int, stride: int | None = None) -> np.ndarray:
    """A text's tokens, int32 (num_windows, length); what is short is padded with 0 at its end.

    Without a stride, there is one window, and what does not fit is cut off. With one, a window
    begins every `stride` tokens, and the last one ends where the text ends.

    Raises:
        RequestError: a length or a stride that is none.

    >>> windows([5, 6, 7, 8, 9], 3, stride=1)[:, 0].tolist(), windows([5], 3).tolist()
    ([5, 6, 7], [[5, 0, 0]])
    """
    require_stride(stride, length)
    last = max(len(ids) - length, 0)
    starts = [0] if stride is None else [*range(0, last, stride), last]
    found = np.full((len(starts), length), PADDING, np.int32)
    for row, start in zip(found, starts, strict=True):
        part = ids[start : start + length]
        row[: len(part)] = part
    return found


def reader(
    vocabulary: Sequence[str],
    length: int,
    stride: int | None = None,
    *,
    refuse_unknown: bool = True,
) -> Reader:
    """A function from a text to what a model takes, int32 (num_windows, length).

    The function raises RequestError for a text without any word, and, unless `refuse_unknown` is
    False, for one without any known word: what a model says of it means nothing.

    >>> reader(("[PAD]", "[UNK]", "fine"), 4)("Fine film")
    array([[2, 1, 0, 0]], dtype=int32)
    """
    known = numbers(vocabulary)
    require_stride(stride, length)

    def read(text: str | bytes) -> np.ndarray:
        ids = to_ids(text_of(text), known)
        if not ids:
            raise RequestError(received("a text that holds a word", text=text))
        if refuse_unknown and max(ids) == UNKNOWN:
            expected = "a text with at least one word of the vocabulary"
            raise RequestError(received(expected, text=text))
        return windows(ids, length, stride)

    return read


def load_reader(chain: Path) -> Reader:
    """The reader of a chain of `Tokenize` and `Window` that was saved with `to_json`.

    Raises:
        DataError: the file holds no such chain.

    >>> import tempfile
    >>> from tfpipe.ops import Chain, Tokenize, Window
    >>> chain = Chain([Tokenize(("[PAD]", "[UNK]", "fine")), Window(4)])
    >>> load_reader(chain.to_json(tempfile.mkdtemp() + "/chain.json"))("Fine film")
    array([[2, 1, 0, 0]], dtype=int32)
    """
    try:
        ops = {op.pop("op"): op for op in json.loads(pathlib.Path(chain).read_bytes())["ops"]}
        return reader(**ops["Tokenize"], **ops["Window"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(chain, f"not a chain with Tokenize and Window ({error!r})") from None


def require_stride(stride: object, length: object) -> None:
    """Refuses a length that is no whole number from 1, and a stride that would leave tokens out.

    >>> require_stride(65, 64)
    Traceback (most recent call last):
        ...
    tfpipe.errors.RequestError: Expected `stride` to be a whole number from 1 to `length`, or None.
    Received: stride=65, length=64
    """
    if type(length) is not int or length < 1:
        raise RequestError(received("`length` to be a whole number from 1", length=length))
    if stride is not None and (type(stride) is not int or not 1 <= stride <= length):
        expected = "`stride` to be a whole number from 1 to `length`, or None"
        raise RequestError(received(expected, stride=stride, length=length))


def text_of(value: str | bytes) -> str:
    """A text from its UTF-8; what is no UTF-8 becomes U+FFFD, which stands between words.

    >>> text_of("fine".encode()), text_of(b"\\xff")
    ('fine', '�')
    """
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
