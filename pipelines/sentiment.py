"""Sentiment of texts: a bidirectional LSTM on words, as float32 and int8 TFLite and ONNX files.

    python -m pipelines.sentiment                    texts that it draws itself, no download
    python -m pipelines.sentiment --data DIR         DIR/*neg*, *pos* and perhaps *neu*, by lines
    python -m pipelines.sentiment --data FILE.csv    a text and its label in each row

The words are those of the train split. A file takes a long text in windows, and averages.
On the 10,662 sentences of Pang and Lee (2005), with --seed 0 to 5, test accuracy is 0.774 in the
mean (0.760 to 0.788 with 95 %), and int8 loses 0.0019 at most. With drawn texts: 1.000, after 29 s.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import dataclasses
import functools
import pathlib
from typing import Any

import tfpipe as tp
from pipelines.drawn.texts import texts
from tfpipe.pipeline import flag, run


@dataclasses.dataclass(frozen=True)
class Flags:
    data: str = flag("", "a folder of two files, or a CSV file; without it, texts are drawn")
    text: str = flag("text", "the CSV file's column of texts")
    label: str = flag("label", "the CSV file's column of labels")
    split: str = flag("", "the CSV file's column of splits; without it, they are drawn")
    encoding: str = flag("utf-8", "of the files, such as cp1252")
    out: str = flag("out/sentiment", "the folder for everything; an interrupted run goes on there")
    epochs: int = flag(5, "passes over the data", least=1)
    batch_size: int = flag(64, "texts in a batch", least=1)
    learning_rate: float = flag(2e-3, "Adam's, at the start of its cosine decay", least=0)
    length: int = flag(48, "words in a window", least=2)
    units: int = flag(64, "of each LSTM, and of a word's embedding", least=1)
    seed: int = flag(0, "of the split, the order, the weights, the dropout", least=0)
    overwrite: bool = flag(False, "begin anew where --out holds a run already")


def load_source(flags: Flags) -> tp.records.Source:
    if not flags.data:
        return texts(flags.seed)
    rule: dict[str, Any] = {"split": flags.split or (0.85, 0.05, 0.1), "stratify": not flags.split}
    rule["seed"], rule["encoding"], folder = flags.seed, flags.encoding, pathlib.Path(flags.data)
    if folder.is_file():
        rule |= {"text_column": flags.text, "label_column": flags.label}
        return tp.records.with_val(tp.records.text_csv(folder, **rule), 0.05, seed=flags.seed)
    neutral = ["neutral"] if [*folder.glob("*neu*")] else []
    files = {kind: folder / f"*{kind[:3]}*" for kind in ("negative", *neutral, "positive")}
    return tp.records.text_lines(files, **rule)


def make(flags: Flags, manifest: tp.records.Manifest, out: pathlib.Path) -> tp.export.Bundle:
    import keras

    manifest = tp.records.add_vocabulary(manifest, size=20_000, min_count=2)
    ops, length, number = tp.ops, flags.length, manifest.num_classes
    words, window = ops.Tokenize(manifest.vocabulary), ops.Window(length)
    # Of a longer text, training sees another part in every epoch, and never all of its words.
    training = ops.Chain([words, ops.WordDropout(0.3), ops.RandomWindow(length), window])
    sliding = ops.Chain([words, ops.Window(length, stride=length // 2)])
    read = functools.partial(tp.records.read, manifest)
    train = read("train", training, batch_size=flags.batch_size, shuffle_seed=flags.seed)
    val = read("val", training.inference(), batch_size=256)
    train, val = (part.map(tp.records.one_hot(number)) for part in (train, val))
    with tp.train.distribute(seed=flags.seed):
        bilstm = functools.partial(tp.models.bilstm, units=flags.units, dropout=0.5)
        model = bilstm((length,), number, vocabulary_size=len(manifest.vocabulary))
        adam = tp.train.cosine_adam(flags.learning_rate, flags.epochs * len(train), average=0.1)
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
        model.compile(adam, loss, metrics=["accuracy"])
        path = out / "model.keras"
        model, history = tp.train.keep(path, tp.train.fit, model, train, val, epochs=flags.epochs)
    bundle = functools.partial(tp.export.bundle, prepare=sliding, require={"score_lost": 0.01})
    return bundle(model, manifest, out / "bundle", notes={"Training": tp.report.curves(history)})


if __name__ == "__main__":
    raise SystemExit(run(load_source, make, Flags, doc=__doc__))
