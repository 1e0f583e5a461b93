"""Texts in, scores out: a predictor of tokens, with what comes before a file and after it.

Example:

    attach_vocabulary("out/int8.tflite", prepare)
    predictor = load_texts("out/int8.tflite", prepare)
    scores = predictor.predict(["a fine film ."])           # float32 (1, num_classes)
"""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from tfpipe import tokens
from tfpipe.errors import RequestError, received
from tfpipe.export.reading.load import load
from tfpipe.export.reading.predictor import Predictor
from tfpipe.export.writing.metadata import attach, attached
from tfpipe.files import Path
from tfpipe.ops import Chain, Tokenize, Window

VOCABULARY = "vocabulary.txt"  # a word's number is its line's, from 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextPredictor(Predictor):
    """A predictor that takes texts; `on_texts` makes it.

    Args:
        prepare: from a text to the windows of tokens that the file takes.
        refuse_unknown: whether a text without any known word is refused.
        read: `prepare` in plain Python.

    Example:

    >>> from tfpipe import export, models, ops
    >>> vocabulary = ("[PAD]", "[UNK]", "a", "fine", "film")
    >>> prepare = ops.Chain([ops.Tokenize(vocabulary), ops.Window(4)])
    >>> model = models.bilstm((4,), 2, vocabulary_size=len(vocabulary), units=8)
    >>> on_texts(export.from_keras(model), prepare).predict(["A fine film!"]).shape
    (1, 2)
    """

    prepare: Chain
    refuse_unknown: bool
    read: tokens.Reader = dataclasses.field(repr=False)
    timed: ClassVar[str] = "window of a text"

    def predict(self, texts: Sequence[str | bytes] | np.ndarray) -> np.ndarray:
        """Scores texts; of a text with several windows, the mean of their scores.

        Args:
            texts: N strings, or their UTF-8.

        Returns:
            float32 (N, num_classes).

        Raises:
            RequestError: there is no text, one holds no word, or none that is known.
        """
        if isinstance(texts, str | bytes) or len(texts) == 0:
            raise RequestError(received("a list of at least one text", texts=texts))
        windows = [self.read(text) for text in texts]
        scores = super().predict(np.concatenate(windows))
        counts = np.array([len(each) for each in windows])
        sums = np.add.reduceat(scores, np.cumsum(counts) - counts, axis=0)
        return sums / counts.astype(np.float32)[:, None]

    def around(self, predictor: Predictor) -> "TextPredictor":
        """The same for another file of the same model: `verify` asks for it."""
        return on_texts(predictor, self.prepare, refuse_unknown=self.refuse_unknown)


def on_texts(predictor: Predictor, prepare: Chain, *, refuse_unknown: bool = True) -> TextPredictor:
    """Puts what happens to texts before and after a file around its predictor.

    Texts are read by `tfpipe.tokens`, not by TensorFlow, and come to the same tokens as in
    training.

    Args:
        predictor: `export.load(path)` or `export.from_keras(model)`, which takes int32 tokens.
        prepare: a chain of `Tokenize` and `Window`; random ops between them are left out. With
            Window's `stride`, the scores of a text's windows are averaged.
        refuse_unknown: whether a text without any known word is refused.

    Raises:
        RequestError: the predictor takes no tokens, or of another length; or the chain has other
            ops.

    Example:

    >>> from tfpipe import export, models, ops
    >>> vocabulary = ("[PAD]", "[UNK]", "a", "fine", "film")
    >>> prepare = ops.Chain([ops.Tokenize(vocabulary), ops.Window(4, stride=2)])
    >>> model = models.bilstm((4,), 2, vocabulary_size=len(vocabulary), units=8)
    >>> predictor = on_texts(export.from_keras(model), prepare)
    >>> predictor.predict(["A fine film!", "A film as fine as a film can be"]).shape
    (2, 2)
    """
    tokenize, window = text_ops(prepare)
    if (predictor.input_shape, predictor.dtype) != ((window.length,), "int32"):
        raise RequestError(
            f"Expected a model that takes int32 tokens of shape (N, {window.length}), as "
            f"{window!r} gives them. Received: {predictor.name}, which takes {predictor.dtype} of "
            f"shape (N, {', '.join(map(str, predictor.input_shape))})."
        )
    read = tokens.reader(
        tokenize.vocabulary, window.length, window.stride, refuse_unknown=refuse_unknown
    )

    def first(texts: np.ndarray) -> np.ndarray:
        """What the runtime takes for each text: its first window."""
        return predictor.encode(np.concatenate([read(text)[:1] for text in texts]))

    facts = {field.name: getattr(predictor, field.name) for field in dataclasses.fields(Predictor)}
    facts["encode"] = first
    return TextPredictor(**facts, prepare=prepare, refuse_unknown=refuse_unknown, read=read)


def attach_vocabulary(path: Path, prepare: Chain) -> pathlib.Path:
    """Puts the chain's words into a model file as `vocabulary.txt`, one a line; returns the path.

    Raises:
        RequestError: there is no such file, or the chain has other ops.
        DataError: the file is not of its format.

    Example:

    >>> import tempfile
    >>> from tfpipe import export, models, ops
    >>> vocabulary = ("[PAD]", "[UNK]", "a", "fine", "film")
    >>> prepare = ops.Chain([ops.Tokenize(vocabulary), ops.Window(4)])
    >>> model = models.bilstm((4,), 2, vocabulary_size=len(vocabulary), units=8)
    >>> path = export.to_keras(model, tempfile.mkdtemp() + "/a.keras")
    >>> attached(attach_vocabulary(path, prepare))["vocabulary.txt"].split()
    ['[PAD]', '[UNK]', 'a', 'fine', 'film']
    """
    tokenize, _ = text_ops(prepare)
    return attach(path, vocabulary_text(tokenize))


def load_texts(path: Path, prepare: Chain, *, refuse_unknown: bool = True) -> TextPredictor:
    """`on_texts(load(path), prepare)`, for a file and a chain of the same vocabulary.

    Raises:
        RequestError: the file holds another vocabulary than the chain's, or what `load` and
            `on_texts` refuse.
        DataError: the file cannot be run.

    Example:

    >>> import tempfile
    >>> from tfpipe import export, models, ops
    >>> vocabulary = ("[PAD]", "[UNK]", "a", "fine", "film")
    >>> prepare = ops.Chain([ops.Tokenize(vocabulary), ops.Window(4)])
    >>> model = models.bilstm((4,), 2, vocabulary_size=len(vocabulary), units=8)
    >>> path = export.to_keras(model, tempfile.mkdtemp() + "/a.keras")
    >>> load_texts(path, prepare).predict(["A fine film!"]).shape
    (1, 2)
    """
    tokenize, _ = text_ops(prepare)
    held = attached(path).get(VOCABULARY)
    if held is not None and tuple(held.split("\n")[:-1]) != tokenize.vocabulary:
        raise RequestError(
            f"Expected the chain that {str(path)!r} was made with. Received: {tokenize!r}, whose "
            f"{len(tokenize.vocabulary):,} words are not the file's."
        )
    return on_texts(load(path), prepare, refuse_unknown=refuse_unknown)


def text_ops(prepare: Chain) -> tuple[Tokenize, Window]:
    """What a chain does to a text, random ops left out.

    Raises:
        RequestError: it has other ops than `Tokenize` and `Window`.
    """
    ops = prepare.inference().ops
    if len(ops) != 2 or not isinstance(ops[0], Tokenize) or not isinstance(ops[1], Window):
        raise RequestError(f"Expected a chain of Tokenize and Window. Received: {prepare!r}")
    return ops[0], ops[1]


def vocabulary_text(tokenize: Tokenize) -> dict[str, str]:
    """What a model file holds of the words: `vocabulary.txt`, one a line."""
    return {VOCABULARY: "".join(f"{word}\n" for word in tokenize.vocabulary)}
