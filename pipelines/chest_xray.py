"""Fourteen findings in chest X-rays: ResNet50 on CLAHE, as float32 and int8 TFLite and ONNX files.

    python -m pipelines.chest_xray                              chests that it draws itself
    python -m pipelines.chest_xray --data DIR                   NIH ChestX-ray14, 7:2:1 by patient
    python -m pipelines.chest_xray --data DIR --split official  with its own test list

Writes TFRecord shards, trains with a focal loss in which the positives of rare labels weigh more,
chooses a threshold for each label on the split "val", and ends in a bundle: all files, run on the
whole test split, with a table of each label's AUROC. Everything lands in --out; an interrupted run
continues. Not for clinical use.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import dataclasses
import pathlib
import sys
from typing import TYPE_CHECKING

import tfpipe as tp
from tfpipe import pipeline
from tfpipe.cli import flag

if TYPE_CHECKING:
    import keras

CACHED = 10_000  # images at most that are kept in memory


@dataclasses.dataclass(frozen=True)
class Flags:
    """The command line."""

    data: str = flag("", "NIH's folder, as it is downloaded; without it, chests are drawn")
    csv: str = flag("", "the table's file name, where --data has several that fit")
    split: str = flag(
        "patients", "7:2:1 by patient, or NIH's lists", choices=("patients", "official")
    )
    out: str = flag("out/chest_xray", "the folder for everything")
    weights: str = flag("none", "none (from scratch), imagenet (downloaded), or a file")
    size_px: int = flag(0, "the images' height and width; 0: 256, and 64 for drawn ones", least=0)
    epochs: int = flag(10, "passes over the data", least=1)
    head_epochs: int = flag(2, "passes before, with pretrained weights frozen", least=1)
    batch_size: int = flag(16, "images in a batch", least=1)
    learning_rate: float = flag(1e-3, "Adam's at first; a tenth where weights are tuned", least=0)
    gamma: float = flag(2.0, "of the focal loss", least=0)
    precision: str = flag("float32", "Keras' dtype policy")
    seed: int = flag(0, "of the split, the order, the weights, the augmentation", least=0)
    overwrite: bool = flag(False, "begin anew where --out holds a run already")


def load_source(flags: Flags) -> tp.records.Source:
    """NIH's images, or drawn ones."""
    if flags.data:
        official = flags.split == "official"
        return tp.records.chestxray14(
            flags.data, csv=flags.csv or None, official=official, seed=flags.seed
        )
    from pipelines.drawn.lungs import lungs

    print("No --data: the chests are drawn; the scores say nothing of real ones.")
    return lungs(flags.seed)


def make(flags: Flags, manifest: tp.records.Manifest, out: pathlib.Path) -> tp.export.Bundle:
    """The model, and its bundle."""
    ops, size = tp.ops, flags.size_px or (256 if flags.data else 64)
    prepare = ops.Chain(
        [
            ops.Decode(channels=1),
            ops.Resize((size, size)),
            ops.RandomFlip("horizontal"),
            ops.RandomAffine(rotation=0.02, translation=0.05),
            ops.Clahe(clip_limit=2.0),
            ops.PreprocessInput("none"),  # the model takes greys from 0 to 255
        ]
    )
    small = manifest.split("train").num_examples <= CACHED
    train = tp.records.read(
        manifest,
        "train",
        prepare,
        batch_size=flags.batch_size,
        shuffle_seed=flags.seed,
        cache=small,
    )
    val = tp.records.read(manifest, "val", prepare.inference(), batch_size=32, cache=small)
    weights = None if flags.weights == "none" else flags.weights

    def fit(model: keras.Model, rate: float, epochs: int) -> keras.Model:
        loss = tp.train.WeightedBinaryFocalCrossentropy(
            tp.records.positive_weights(manifest), flags.gamma
        )
        adam = tp.train.cosine_adam(rate, epochs * len(train))
        model.compile(adam, loss, metrics=[tp.train.AUCPerLabel(manifest.class_names)])
        tp.train.fit(model, train, val, epochs=epochs)
        return model

    def first() -> keras.Model:
        shape = (size, size, 1)
        model = tp.models.resnet50(
            shape, manifest.num_classes, activation="sigmoid", weights=weights
        )
        return fit(model, flags.learning_rate, flags.head_epochs if weights else flags.epochs)

    def tuned() -> keras.Model:
        return fit(tp.models.unfreeze(model), flags.learning_rate / 10, flags.epochs)

    with tp.train.distribute(flags.precision, seed=flags.seed):
        model, history = tp.train.keep(out / ("head.keras" if weights else "model.keras"), first)
        if weights:
            model, history = tp.train.keep(out / "model.keras", tuned)
    return tp.export.bundle(
        model,
        manifest,
        out / "bundle",
        prepare=prepare,
        require={"score_lost": 0.01},
        notes={
            "Intended use": "Not for clinical use.",
            "Weights": "From scratch." if weights is None else f"Pretrained: {weights}.",
            "Training": tp.report.curves({n: v for n, v in history.items() if "/" not in n}),
        },
    )


if __name__ == "__main__":
    sys.exit(pipeline.run(load_source, make, Flags, doc=__doc__))
