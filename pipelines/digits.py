"""Handwritten digits: LeNet-5, pruned to 80 % zeros, as float32 and int8 TFLite files.

    python -m pipelines.digits                          scikit-learn's digits, no download
    python -m pipelines.digits --source mnist           MNIST, through TensorFlow Datasets
    python -m pipelines.digits --source idx --data DIR  MNIST, its four .gz files

Writes TFRecord shards, trains, prunes while training on, and ends in a bundle: both files, run on
the whole test split, with their table. Everything lands in --out; an interrupted run continues.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import dataclasses
import functools
import pathlib
import sys
from typing import Any

import tfpipe as tp
from tfpipe import pipeline
from tfpipe.cli import flag

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


@dataclasses.dataclass(frozen=True)
class Flags:
    source: str = flag("digits", "where the images come from", choices=("digits", "mnist", "idx"))
    data: str = flag("", "the folder of the idx files, with --source idx")
    out: str = flag("out/digits", "the folder for everything")
    epochs: int = flag(0, "passes over the data; 0: 40 for digits, 15 for MNIST", least=0)
    batch_size: int = flag(0, "images in a batch; 0: 32 for digits, 128 for MNIST", least=0)
    learning_rate: float = flag(2e-3, "Adam's, at the start of its cosine decay", least=0)
    sparsity: float = flag(0.8, "the share of zeros after pruning", least=0, most=0.99)
    precision: str = flag("float32", "Keras' dtype policy", choices=PRECISIONS)
    seed: int = flag(0, "of the split, the order, the weights, the augmentation", least=0)
    overwrite: bool = flag(False, "begin anew where --out holds a run already")


def load_source(flags: Flags) -> tp.records.Source:
    """The images and labels that --source and --data name."""
    if (flags.source == "idx") != bool(flags.data):
        raise tp.RequestError("Expected `--source idx` and `--data DIR` together, or neither.")
    if flags.source == "idx":
        return tp.records.idx(flags.data, seed=flags.seed, name="mnist")
    if flags.source == "mnist":
        return tp.records.from_tfds("mnist", seed=flags.seed)
    from sklearn.datasets import load_digits

    digits = load_digits()
    greys = (digits.images * (255 / 16)).round().astype("uint8")  # they are 0 to 16
    fractions = {"train": 0.7, "val": 0.1, "test": 0.2}
    return tp.records.arrays(greys, digits.target, split=fractions, seed=flags.seed, name="digits")


def make(flags: Flags, manifest: tp.records.Manifest, out: pathlib.Path) -> tp.export.Bundle:
    ops, rate, small = tp.ops, flags.learning_rate, flags.source == "digits"
    moved = ops.RandomAffine(rotation=0.03, translation=0.08)
    prepare = ops.Chain([ops.Decode(channels=1), ops.Resize((32, 32)), moved, ops.ToFloat()])
    size, epochs = flags.batch_size or (32 if small else 128), flags.epochs or (40 if small else 15)
    read = functools.partial(tp.records.read, manifest, cache=True)
    train = read("train", prepare, batch_size=size, shuffle_seed=flags.seed)
    val = read("val", prepare.inference(), batch_size=256)

    def train_dense() -> Any:
        model = tp.models.lenet5(num_classes=manifest.num_classes)
        adam = tp.train.cosine_adam(rate, epochs * len(train))
        model.compile(adam, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        tp.train.fit(model, train, val, epochs=epochs)
        return model

    def prune() -> Any:
        more, share = max(1, epochs // 2), flags.sparsity
        adam = tp.train.cosine_adam(rate, more * len(train))
        return tp.compress.prune(
            dense, train, val, final_sparsity=share, epochs=more, optimizer=adam
        )

    with tp.train.distribute(flags.precision, seed=flags.seed):
        dense, history = tp.train.keep(out / "dense.keras", train_dense)
        pruned, after = tp.train.keep(out / "model.keras", prune)
    joined = {name: history[name] + after[name] for name in history}
    curves = tp.report.curves(joined, marks={"pruning": len(history["loss"]) + 1})
    test = read("test", prepare.outside(), batch_size=256)
    large = tp.export.to_tflite(dense, out / "dense.tflite", prepare=prepare)
    (before,) = tp.export.verify(tp.export.from_keras(dense, prepare), [large], test).files
    then = f"accuracy {before.score:.4f}, {before.zipped_bytes:,} bytes zipped"
    notes: dict[str, str | bytes] = {"Before pruning": then, "Training": curves}
    bundle = functools.partial(tp.export.bundle, prepare=prepare, formats=("float32", "int8"))
    return bundle(pruned, manifest, out / "bundle", notes=notes)


if __name__ == "__main__":
    sys.exit(pipeline.run(load_source, make, Flags, doc=__doc__))
