"""Handwritten digits: LeNet-5, pruned to 80 % zeros, as float32 and int8 TFLite files.

    python -m pipelines.digits                          scikit-learn's digits, no download
    python -m pipelines.digits --source mnist           MNIST, through TensorFlow Datasets
    python -m pipelines.digits --source idx --data DIR  MNIST, its four .gz files

Of 368 of scikit-learn's digits 0.9946 (95 %: 0.986 to 1.000) are told right, after 41 s on two busy
cores; of MNIST's 10,000 0.9925, after 158 s (docs/results/digits.txt). int8 loses nothing.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import dataclasses
import functools
import pathlib

import tfpipe as tp
from tfpipe.pipeline import PRECISIONS, flag, run


@dataclasses.dataclass(frozen=True)
class Flags:
    source: str = flag("digits", "where the images come from", choices=("digits", "mnist", "idx"))
    data: str = flag("", "the folder of the idx files, with --source idx")
    transpose: bool = flag(False, "set EMNIST's images upright, which lie on their side")
    out: str = flag("out/digits", "the folder for everything; an interrupted run goes on there")
    epochs: int = flag(0, "passes over the data; 0: 40 for digits, 15 for MNIST", least=0)
    sparsity: float = flag(0.8, "the share of zeros after pruning", least=0, most=0.99)
    precision: str = flag("float32", "Keras' dtype policy", choices=PRECISIONS)
    seed: int = flag(0, "of the split, the order, the weights, the augmentation", least=0)
    overwrite: bool = flag(False, "begin anew where --out holds a run already")


def load_source(flags: Flags) -> tp.records.Source:
    if (flags.source == "idx") != bool(flags.data):
        raise tp.RequestError("Expected `--source idx` and `--data DIR` together, or neither.")
    if flags.source == "idx":
        upright = flags.transpose or None
        return tp.records.idx(flags.data, seed=flags.seed, transpose=upright, name="mnist")
    if flags.source == "mnist":
        return tp.records.from_tfds("mnist", seed=flags.seed)
    from sklearn.datasets import load_digits

    digits = load_digits()
    greys = (digits.images * (255 / 16)).round().astype("uint8")  # they are 0 to 16
    split = (0.7, 0.1, 0.2)
    return tp.records.arrays(greys, digits.target, split=split, seed=flags.seed, name="digits")


def make(flags: Flags, manifest: tp.records.Manifest, out: pathlib.Path) -> tp.export.Bundle:
    ops, small = tp.ops, flags.source == "digits"
    moved = ops.RandomAffine(rotation=0.03, translation=0.08)
    prepare = ops.Chain([ops.Decode(channels=1), ops.Resize((32, 32)), moved, ops.ToFloat()])
    read = functools.partial(tp.records.read, manifest, cache=True)
    train = read("train", prepare, batch_size=32 if small else 128, shuffle_seed=flags.seed)
    val = read("val", prepare.inference(), batch_size=256)
    epochs = flags.epochs or (40 if small else 15)
    more = max(1, epochs // 2)  # while pruning
    with tp.train.distribute(flags.precision, seed=flags.seed):
        model = tp.models.lenet5(num_classes=manifest.num_classes)
        adam = tp.train.cosine_adam(2e-3, epochs * len(train))
        model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
        path = out / "dense.keras"
        dense, first = tp.train.keep(path, tp.train.fit, model, train, val, epochs=epochs)
        prune = functools.partial(tp.compress.prune, final_sparsity=flags.sparsity, epochs=more)
        adam = tp.train.cosine_adam(2e-3, more * len(train))
        path = out / "model.keras"
        pruned, then = tp.train.keep(path, prune, dense, train, val, optimizer=adam)
    history = {name: values + then[name] for name, values in first.items()}
    notes: dict[str, str | bytes] = {
        "Before pruning": tp.export.score_and_size(dense, manifest, prepare),
        "Training": tp.report.curves(history, marks={"pruning": epochs + 1}),
    }
    formats = ("float32", "int8")
    return tp.export.bundle(
        pruned, manifest, out / "bundle", prepare=prepare, formats=formats, notes=notes
    )


if __name__ == "__main__":
    raise SystemExit(run(load_source, make, Flags, doc=__doc__))
