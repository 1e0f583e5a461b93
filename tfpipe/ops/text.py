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

from tfpipe import characters, tokens
from tfpipe.errors import RequestError, received
from tfpipe.ops.arguments import require_fraction
from tfpipe.ops.base import Example, Op
from tfpipe.ops.checks import checked
from tfpipe.ops.draws import RandomOp, uniform


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
class WordDropout(RandomOp):
    """Makes some of the tokens unknown: a model learns not to rely on any single word.

    Args:
        rate: the share of tokens, a fraction from 0 to 1.

    Source: Iyyer et al., Deep unordered composition rivals syntactic methods for text
    classification (2015), section 3; there such words are left out.

    Raises:
        RequestError: `rate` is no fraction; when it runs, there is no `key`.

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
    pattern = characters.pattern(r"\x{{{:x}}}")
    return tf.strings.split(tf.strings.regex_replace(joined, pattern, r" \0 "))


@functools.cache
def _foldings() -> tuple[np.ndarray, np.ndarray]:
    folds = characters.foldings()
    keys = np.array(sorted(folds), np.int32)
    return keys, np.array([folds[key].encode() for key in keys.tolist()], object)


@functools.cache  # graphs use a table, and do not keep it alive
def _table(vocabulary: tuple[str, ...]) -> tf.lookup.StaticHashTable:
    with tf.init_scope(), tf.device("CPU"):
        numbers = tf.range(len(vocabulary), dtype=tf.int32)
        pairs = tf.lookup.KeyValueTensorInitializer(tf.constant(vocabulary), numbers)
        return tf.lookup.StaticHashTable(pairs, tokens.UNKNOWN)
