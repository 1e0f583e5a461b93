"""A vocabulary is of the train split alone, in one order, and survives being killed."""

import dataclasses
import itertools
import os
import random
from collections import Counter

import pytest

from tfpipe import records
from tfpipe.errors import RequestError
from tfpipe.records.vocabulary import add_vocabulary
from tfpipe.tokens import SPECIAL, words

TEXT = {"text": records.Feature("text")}


def written(path, texts, split=None, seed=0):
    split = split or {"train": 1.0}
    rows = [{"id": f"{n:03d}", "text": text} for n, text in enumerate(texts)]
    return records.write(records.examples(rows, TEXT, split=split, seed=seed, name="texts"), path)


def refused(function, *arguments, **named):
    with pytest.raises(RequestError) as caught:
        function(*arguments, **named)
    return str(caught.value)


def test_words_stand_by_frequency_and_then_by_code_points(tmp_path):
    manifest = written(tmp_path / "r", ["b B a", "\u00e9 z b", "z a", "!"])
    found = add_vocabulary(manifest).vocabulary
    assert found == (*SPECIAL, "b", "a", "z", "!", "e\u0301")
    assert add_vocabulary(manifest, size=4).vocabulary == (*SPECIAL, "b", "a")
    assert add_vocabulary(manifest, min_count=2).vocabulary == (*SPECIAL, "b", "a", "z")


def test_it_does_not_depend_on_the_order_on_disk(tmp_path):
    texts = [" ".join(random.Random(n).choices("abcdefgh", k=4)) for n in range(50)]
    found = [
        add_vocabulary(written(tmp_path / str(seed), texts, seed=seed)).vocabulary
        for seed in range(3)
    ]
    assert found[0] == found[1] == found[2]


def test_only_the_train_split_is_counted(tmp_path):
    texts = [f"w{n} common" for n in range(200)]
    manifest = written(tmp_path / "r", texts, split=(0.5, 0.25, 0.25))
    found = add_vocabulary(manifest).vocabulary
    features = {"text": manifest.features["text"]}
    import tensorflow as tf

    from tfpipe.records.codec import parse

    train = [
        parse(record, features)["text"].numpy().decode()
        for record in tf.data.TFRecordDataset(manifest.files("train"))
    ]
    counts = Counter(itertools.chain.from_iterable(map(words, train)))
    assert set(found[2:]) == set(counts)
    assert 0 < len(found) < 160


def test_it_is_kept_in_the_manifest_and_the_records_stay_the_same(tmp_path):
    manifest = written(tmp_path / "r", ["b B a", "z"])
    before = {p.name: p.read_bytes() for p in (tmp_path / "r").iterdir()}
    changed = add_vocabulary(manifest)
    assert records.load(tmp_path / "r") == changed
    assert dataclasses.replace(changed, vocabulary=()) == manifest
    after = {p.name: p.read_bytes() for p in (tmp_path / "r").iterdir()}
    assert {name for name in after if after[name] != before.get(name)} == {"manifest.json"}
    assert "[PAD]" not in repr(changed)
    assert written(tmp_path / "r", ["b B a", "z"]) == changed  # writing again finds all as it is


@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_killed_while_it_writes_it_leaves_the_old_manifest_or_the_new(tmp_path, monkeypatch, at):
    manifest = written(tmp_path / "r", ["b B a", "z"])

    def killed(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, at, killed)
    with pytest.raises(KeyboardInterrupt):
        add_vocabulary(manifest)
    monkeypatch.undo()
    assert records.load(tmp_path / "r") == manifest
    assert add_vocabulary(manifest).vocabulary == (*SPECIAL, "b", "a", "z")


def test_wrong_requests_are_one_sentence(tmp_path):
    manifest = written(tmp_path / "r", ["a b"])
    assert refused(add_vocabulary, manifest, size=2) == (
        "Expected `size` to be a whole number from 3. Received: size=2"
    )
    assert refused(add_vocabulary, manifest, min_count=0) == (
        "Expected `min_count` to be a whole number from 1. Received: min_count=0"
    )
    assert refused(add_vocabulary, manifest, min_count=2) == (
        "Expected a word that occurs at least `min_count` times in the split 'train'. "
        "Received: min_count=2"
    )
    other = dataclasses.replace(manifest, fingerprint="another")
    assert refused(add_vocabulary, other) == (
        f"'{tmp_path}/r' holds other records than the manifest describes; load it again."
    )
    elsewhere = dataclasses.replace(manifest, path="gs://bucket/r")
    assert refused(add_vocabulary, elsewhere) == (
        "Expected a folder of this machine. Received: 'gs://bucket/r'"
    )
    pictures = dataclasses.replace(manifest, features={"image": records.Feature("image")})
    assert refused(add_vocabulary, pictures) == (
        "Expected records with a `text`. 'texts' has: image"
    )
    val = written(tmp_path / "v", ["a b"], split={"val": 1.0})
    assert refused(add_vocabulary, val) == (
        "Expected `split` to be one of 'val'. Received: split='train'"
    )
