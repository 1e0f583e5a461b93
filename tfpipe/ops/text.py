"""From a text to the numbers that a recurrent model takes, in the input pipeline's graph.

`tfpipe.tokens` does the same in plain Python, for a process without TensorFlow. All ops take one
text or a batch of them, and padding, 0, is only at the end.

Example:

    training = Chain([Tokenize(vocabulary), WordDropout(0.3), RandomWindow(64), Window(64)])
    sliding = Chain([Tokenize(vocabulary), Window(64, stride=32)])
"""

import dataclasses
import functools
from typing import ClassVar

import numpy as np
import tensorflow as tf

from tfpipe import tokens
from tfpipe.errors import RequestError, received
from tfpipe.ops.arguments import require_fraction, require_whole
from tfpipe.ops.base import Example, Op
from tfpipe.ops.checks import checked
from tfpipe.ops.draws import RandomOp, between, uniform


@dataclasses.dataclass(frozen=True)
class Tokenize(Op):
    """A text to the numbers of its words: int32 (T,), or (B, T) for a batch of texts.

    What a word is, `tfpipe.tokens.words` says. A word's number is its place in the vocabulary; 0
    pads the shorter texts of a batch, and 1 is every word that is not known.

    Args:
        vocabulary: "[PAD]", "[UNK]" and the words: `records.add_vocabulary(...).vocabulary`. The
            chain's JSON holds them all.

    Raises:
        RequestError: the vocabulary is none; when it runs, a text without any word.

    Example:

    >>> tokenize = Tokenize(("[PAD]", "[UNK]", "a", "fine", "film"))
    >>> tokenize({"text": tf.constant(["A fine film!", "Fine"])})["text"].numpy()
    array([[2, 3, 4, 1],
           [3, 0, 0, 0]], dtype=int32)
    """

    vocabulary: tuple[str, ...]
    on: ClassVar[str] = "text"
    takes: ClassVar[str] = "text"
    gives: ClassVar[str] = "tokens"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.vocabulary, tuple):
            expected = "`vocabulary` to be the words that `records.add_vocabulary` found"
            raise RequestError(received(expected, vocabulary=self.vocabulary))
        tokens.numbers(self.vocabulary)

    def apply(self, text: tf.Tensor) -> tf.Tensor:
        """A scalar string, or (B,)."""
        texts = tf.reshape(text, [-1])
        found = words(texts)
        bare = tf.equal(found.row_lengths(), 0)
        sentence = f"{self!r} expected texts that hold a word. Received:"
        values = checked(
            found.flat_values,
            ~tf.reduce_any(bare),
            sentence,
            texts[tf.argmax(tf.cast(bare, "int8"))],
        )
        numbers = found.with_flat_values(_table(self.vocabulary).lookup(values))
        batch = numbers.to_tensor(tokens.PADDING)
        return batch if text.shape.rank else batch[0]


@dataclasses.dataclass(frozen=True)
class Window(Op):
    """Tokens to the windows of fixed length that a model takes.

    Texts that are shorter are padded with 0 at their end.

    Args:
        length: tokens in a window.
        stride: None for one window, the beginning of the text; what does not fit is cut off. Or
            the tokens from one window's beginning to the next one's, at most `length`: then there
            are as many windows as the text needs, and the last one ends where the text ends. Their
            scores are to be averaged, as `export.on_texts` does it.

    Output shape: (length,), or (B, length) for a batch; with a stride (num_windows, length), or
        (B, num_windows, length), where windows of 0 alone fill up those of shorter texts.

    Example:

    >>> Window(2, stride=1)({"text": tf.constant([5, 6, 7])})["text"].numpy()
    array([[5, 6],
           [6, 7]], dtype=int32)
    """

    length: int
    stride: int | None = None
    on: ClassVar[str] = "text"
    takes: ClassVar[str] = "tokens"
    gives: ClassVar[str] = "windows"

    def __post_init__(self) -> None:
        super().__post_init__()
        tokens.require_stride(self.stride, self.length)

    def apply(self, text: tf.Tensor) -> tf.Tensor:
        """(T,) or (B, T)."""
        known = _lengths(text)
        if self.stride is None:
            return _cut(text, known, tf.zeros_like(known), self.length)
        last = tf.maximum(known - self.length, 0)
        counts = 1 + -(-last // self.stride)
        places = tf.range(tf.reduce_max(counts)) * self.stride
        starts = tf.minimum(places, last[..., None])
        # Windows that the text does not need begin where it ends.
        starts = tf.where(tf.range(tf.size(places)) < counts[..., None], starts, known[..., None])
        return _cut(text, known, starts, self.length)


@dataclasses.dataclass(frozen=True)
class RandomWindow(RandomOp):
    """So many tokens of each text from a place that is drawn anew in every epoch.

    Texts that are no longer keep all their tokens, and are padded with 0.

    Args:
        length: tokens in a window.

    Output shape: (length,), or (B, length) for a batch.

    Example:

    >>> example = {"text": tf.range(1, 9), "key": "0/1/a"}
    >>> RandomWindow(3)(example)["text"].shape
    TensorShape([3])
    """

    length: int
    on: ClassVar[str] = "text"
    takes: ClassVar[str] = "tokens"
    gives: ClassVar[str] = "tokens"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_whole("length", self.length, 1)

    def augment(self, example: Example, key: tf.Tensor) -> Example:
        """One draw for each text."""
        text = example["text"]
        known = _lengths(text)
        starts = between(key, 1, 0.0, 1.0) * tf.cast(
            tf.maximum(known - self.length, 0) + 1, "float64"
        )
        return {**example, "text": _cut(text, known, tf.cast(starts, tf.int32), self.length)}


@dataclasses.dataclass(frozen=True)
class WordDropout(RandomOp):
    """Makes some of the tokens unknown: a model learns not to rely on any single word.

    Args:
        rate: the share of tokens, a fraction from 0 to 1.

    Source: Iyyer et al., Deep unordered composition rivals syntactic methods for text
    classification (2015), section 3; there such words are left out.

    Example:

    >>> example = {"text": tf.constant([7, 8, 0]), "key": "0/1/a"}
    >>> WordDropout(1.0)(example)["text"].numpy()
    array([1, 1, 0], dtype=int32)
    """

    rate: float
    on: ClassVar[str] = "text"
    takes: ClassVar[str] = "tokens"
    gives: ClassVar[str] = "tokens"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_fraction("rate", self.rate)

    def augment(self, example: Example, key: tf.Tensor) -> Example:
        """One draw for each token, by its place."""
        text = example["text"]
        shape = tf.shape(text)
        places = tf.broadcast_to(tf.strings.as_string(tf.range(shape[-1])), shape)
        keys = tf.broadcast_to(key[..., None], shape)
        draws = uniform(tf.strings.join([keys, places], separator="/"), 1)
        dropped = (draws < self.rate) & (text != tokens.PADDING)
        return {**example, "text": tf.where(dropped, tokens.UNKNOWN, text)}


def words(texts: tf.Tensor) -> tf.RaggedTensor:
    """The words of texts (N,), strings (N, None): those of `tfpipe.tokens.words`."""
    points = tf.strings.unicode_decode(texts, "UTF-8")
    given = points.flat_values
    keys, folds = _foldings()
    place = tf.minimum(tf.searchsorted(keys, given), len(keys) - 1)
    same = tf.strings.unicode_encode(given[:, None], "UTF-8")
    folded = tf.where(tf.gather(keys, place) == given, tf.gather(folds, place), same)
    joined = tf.strings.reduce_join(points.with_flat_values(folded), axis=-1)
    pattern = tokens.pattern(r"\x{{{:x}}}")
    return tf.strings.split(tf.strings.regex_replace(joined, pattern, r" \0 "))


@functools.cache
def _foldings() -> tuple[np.ndarray, np.ndarray]:
    folds = tokens.foldings()
    keys = np.array(sorted(folds), np.int32)
    return keys, np.array([folds[key].encode() for key in keys.tolist()], object)


@functools.cache  # graphs use a table, and do not keep it alive
def _table(vocabulary: tuple[str, ...]) -> tf.lookup.StaticHashTable:
    with tf.init_scope(), tf.device("CPU"):
        numbers = tf.range(len(vocabulary), dtype=tf.int32)
        pairs = tf.lookup.KeyValueTensorInitializer(tf.constant(vocabulary), numbers)
        return tf.lookup.StaticHashTable(pairs, tokens.UNKNOWN)


def _lengths(text: tf.Tensor) -> tf.Tensor:
    """How many tokens of each text are no padding: int32, () or (B,)."""
    return tf.reduce_sum(tf.cast(text != tokens.PADDING, tf.int32), axis=-1)


def _cut(text: tf.Tensor, known: tf.Tensor, starts: tf.Tensor, length: int) -> tf.Tensor:
    """`length` tokens from each start, 0 behind the text: (..., S) starts give (..., S, length)."""
    extra = starts.shape.rank - known.shape.rank
    places = starts[..., None] + tf.range(length)
    behind = places >= tf.reshape(known, tf.concat([tf.shape(known), [1] * (extra + 1)], axis=0))
    inside = tf.minimum(places, tf.shape(text)[-1] - 1)
    values = tf.gather(text, inside, axis=-1, batch_dims=text.shape.rank - 1)
    return tf.where(behind, tokens.PADDING, values)
