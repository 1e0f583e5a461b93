"""Handwritten digits: LeNet-5, pruned to 80 % zeros, as float32 and int8 TFLite files.

    python -m pipelines.digits                          scikit-learn's digits, no download
    python -m pipelines.digits --source mnist           MNIST, through TensorFlow Datasets
    python -m pipelines.digits --source idx --data DIR  MNIST, its four .gz files

Writes TFRecord shards, trains, prunes while training on, exports, runs both files on the whole
test split, and ends with a table. Everything lands in --out; an interrupted run continues there.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import dataclasses
import pathlib
import sys
import time
from typing import TYPE_CHECKING

import tfpipe as tp
from tfpipe import cli, runs
from tfpipe.cli import flag

if TYPE_CHECKING:
    import keras

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


@dataclasses.dataclass(frozen=True)
class Flags:
    """The command line."""

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


def main(flags: Flags) -> None:
    """Runs the job, or what an interrupted run of the same flags left of it."""
    started = time.monotonic()
    source = load_source(flags)  # what is wrong with it ends the job before anything is written
    chosen = {k: v for k, v in dataclasses.asdict(flags).items() if k not in ("out", "overwrite")}
    with runs.folder(flags.out, chosen, overwrite=flags.overwrite) as out:
        if (out / "report.html").exists():
            print(f"{out} holds this run, finished; --overwrite runs it again.")
        else:
            make(flags, source, out)
        print(tp.export.load_report(out / "report.json"))
    print(f"{time.monotonic() - started:.0f} s. Pictures: {out / 'report.html'}")


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


def make(flags: Flags, source: tp.records.Source, out: pathlib.Path) -> None:
    """Records, models, files, report."""
    records = out / "records"
    manifest = tp.records.load(records) if records.exists() else tp.records.write(source, records)
    prepare = tp.ops.Chain(
        [
            tp.ops.Decode(channels=1),
            tp.ops.Resize((32, 32)),
            tp.ops.RandomAffine(rotation=0.03, translation=0.08),
            tp.ops.ToFloat(),
        ]
    )
    dense, pruned, curves = train_both(flags, manifest, prepare, out)
    tp.export.to_labels(manifest.class_names, out / "labels.txt")
    pixels = {
        split: tp.records.read(manifest, split, prepare.outside(), batch_size=256)
        for split in ("train", "test")
    }
    files = [
        tp.export.to_tflite(
            pruned, out / f"{mode}.tflite", mode=mode, prepare=prepare, calibration=pixels["train"]
        )
        for mode in ("float32", "int8")
    ]
    report = tp.export.verify(tp.export.from_keras(pruned, prepare), files, pixels["test"])
    before = tp.export.verify(tp.export.from_keras(dense, prepare), [], pixels["test"])
    head = {**report.reference, "dense_score": before.reference["score"]}
    report = dataclasses.replace(report, reference=head)
    report.require(score_lost=0.02)
    report.to_json(out / "report.json")
    sections = tp.export.answers(tp.export.load(files[-1]), pixels["test"], manifest.class_names)
    tp.export.to_page(out / "report.html", report, [curves, *sections], title="Handwritten digits")


def train_both(
    flags: Flags, manifest: tp.records.Manifest, prepare: tp.ops.Chain, out: pathlib.Path
) -> tuple[keras.Model, keras.Model, tuple[str, str]]:
    """The dense model and the pruned one, and their learning curves as a section of the page."""
    import keras

    small = flags.source == "digits"
    epochs = flags.epochs or (40 if small else 15)
    batch_size = flags.batch_size or (32 if small else 128)
    train = tp.records.read(
        manifest, "train", prepare, batch_size=batch_size, shuffle_seed=flags.seed, cache=True
    )
    val = tp.records.read(manifest, "val", prepare.inference(), batch_size=256, cache=True)

    def adam(epochs: int) -> keras.optimizers.Optimizer:
        decay = keras.optimizers.schedules.CosineDecay(flags.learning_rate, epochs * len(train))
        return keras.optimizers.Adam(decay)

    def train_dense() -> keras.Model:
        model = tp.models.lenet5(num_classes=manifest.num_classes)
        loss = "sparse_categorical_crossentropy"
        model.compile(adam(epochs), loss=loss, metrics=["accuracy"])
        tp.train.fit(model, train, val, epochs=epochs)
        return model

    with tp.train.distribute(flags.precision, seed=flags.seed):
        dense, history = tp.train.keep(out / "dense.keras", train_dense)
        pruned, after = tp.train.keep(
            out / "model.keras",
            lambda: tp.compress.prune(
                dense,
                train,
                val,
                final_sparsity=flags.sparsity,
                epochs=max(1, epochs // 2),
                optimizer=adam(max(1, epochs // 2)),
            ),
        )
    joined = {name: history[name] + after[name] for name in history}
    picture = tp.report.curves(joined, marks={"pruning": len(history["loss"]) + 1})
    return dense, pruned, ("Training", tp.report.figure(picture, alt="Learning curves."))


if __name__ == "__main__":
    sys.exit(cli.run(main, Flags, doc=__doc__))
