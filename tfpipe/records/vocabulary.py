"""The words of the training texts, most frequent first, kept in the manifest.

Example:

    manifest = add_vocabulary(manifest, size=10_000)
    tokenize = tfpipe.ops.Tokenize(manifest.vocabulary)
"""

import dataclasses
import pathlib
from collections import Counter
from collections.abc import Iterator

import tensorflow as tf

from tfpipe.errors import RequestError, received
from tfpipe.records.codec import parse
from tfpipe.records.manifest import Manifest, load, save
from tfpipe.records.reading.salvage import sound_files
from tfpipe.tokens import SPECIAL, text_of, words

SPLIT = "train"


def add_vocabulary(manifest: Manifest, *, size: int = 20_000, min_count: int = 1) -> Manifest:
    """Counts the words of the split "train", and of no other, and adds them to `manifest.json`.

    They stand by how often they occur, and where that is equal in the order of their characters'
    code points, so the same texts give the same vocabulary. What a word is, `tfpipe.tokens.words`
    says. A vocabulary that is there already gives way to the new one.

    Args:
        manifest: of records with a `text`, in a folder of this machine.
        size: the most entries; the first two are "[PAD]" and "[UNK]". An entry's place is its
            number, and `len(manifest.vocabulary)` a model's `vocabulary_size`.
        min_count: words that occur less often are left out. What is left out is an unknown word,
            and a model learns about those only if there are some in training.

    Returns:
        The manifest, with its `vocabulary`.

    Raises:
        RequestError: `size` or `min_count` is too small, the records hold no texts or no split
            "train", the folder is of another machine or holds other records, or no word occurs
            so often.
        DataError: a shard is damaged.

    Example:

    >>> import tempfile
    >>> from tfpipe import records
    >>> rows = [{"id": str(n), "text": text} for n, text in enumerate(["a b", "B b", "c a"])]
    >>> features = {"text": records.Feature("text")}
    >>> source = records.examples(rows, features, split={"train": 1.0}, name="abc")
    >>> manifest = records.write(source, tempfile.mkdtemp() + "/abc")
    >>> add_vocabulary(manifest, size=4).vocabulary
    ('[PAD]', '[UNK]', 'b', 'a')
    """
    for name, value, least in (("size", size, 3), ("min_count", min_count, 1)):
        if type(value) is not int or value < least:
            expected = f"`{name}` to be a whole number from {least}"
            raise RequestError(received(expected, **{name: value}))
    _require_texts(manifest)
    counts = Counter(word for text in _texts(manifest) for word in words(text))
    kept = [word for word, count in counts.items() if count >= min_count]
    if not kept:
        expected = "a word that occurs at least `min_count` times in the split 'train'"
        raise RequestError(received(expected, min_count=min_count))
    ordered = sorted(kept, key=lambda word: (-counts[word], word))[: size - len(SPECIAL)]
    changed = dataclasses.replace(manifest, vocabulary=(*SPECIAL, *ordered))
    save(changed)
    return changed


def _require_texts(manifest: Manifest) -> None:
    if "text" not in manifest.features:
        raise RequestError(
            f"Expected records with a `text`. {manifest.name!r} has: {', '.join(manifest.features)}"
        )
    if not pathlib.Path(manifest.path).is_dir():
        raise RequestError(f"Expected a folder of this machine. Received: {manifest.path!r}")
    if load(manifest.path).fingerprint != manifest.fingerprint:
        raise RequestError(
            f"{manifest.path!r} holds other records than the manifest describes; load it again."
        )


def _texts(manifest: Manifest) -> Iterator[str]:
    files, _ = sound_files(manifest, SPLIT, "refuse")
    feature = {"text": manifest.features["text"]}
    rows = tf.data.TFRecordDataset(files).map(lambda record: parse(record, feature)["text"])
    return (text_of(text) for text in rows.prefetch(64).as_numpy_iterator())
