"""Fourteen findings in chest X-rays: ResNet50 on CLAHE, as float32 and int8 TFLite and ONNX files.

    python -m pipelines.chest_xray                              chests that it draws itself
    python -m pipelines.chest_xray --data DIR                   NIH ChestX-ray14, 7:2:1 by patient
    python -m pipelines.chest_xray --data DIR --split official  with its own test list

Trains with a focal loss in which the positives of rare labels weigh more, chooses a threshold for
each label on the split "val", and ends in a bundle with a table of each label's AUROC on the whole
test split. Everything lands in --out; an interrupted run continues. Not for clinical use.

On 67 of NIH's images (--batch-size 8), which tell that it runs and nothing of its worth, the loss
falls from 1.17 to 0.30. Drawn chests have a mean AUROC of 0.96 on 75 of them.
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


@dataclasses.dataclass(frozen=True)
class Flags:
    """The command line."""

    data: str = flag("", "NIH's folder, as it is downloaded; without it, chests are drawn")
    csv: str = flag("", "the table's file name, where --data has several that fit")
    split: str = flag("patients", "by patient, or NIH's lists", choices=("patients", "official"))
    out: str = flag("out/chest_xray", "the folder for everything")
    weights: str = flag("none", "none (from scratch), imagenet (downloaded), or a file")
    size_px: int = flag(0, "the images' height and width; 0: 256, and 64 for drawn ones", least=0)
    epochs: int = flag(6, "passes over the data; with weights, then as many again", least=1)
    batch_size: int = flag(32, "images in a batch", least=1)
    learning_rate: float = flag(1e-3, "Adam's at first; a tenth where weights are tuned", least=0)
    precision: str = flag("float32", "Keras' dtype policy, such as mixed_float16")
    seed: int = flag(0, "of the split, the order, the weights, the augmentation", least=0)
    overwrite: bool = flag(False, "begin anew where --out holds a run already")


def load_source(flags: Flags) -> tp.records.Source:
    """NIH's images, or drawn ones."""
    if flags.data:
        csv, official = flags.csv or None, flags.split == "official"
        return tp.records.chestxray14(flags.data, csv=csv, official=official, seed=flags.seed)
    from pipelines.drawn.lungs import lungs

    print("No --data: the chests are drawn; the scores say nothing of real ones.")
    return lungs(flags.seed)


def make(flags: Flags, manifest: tp.records.Manifest, out: pathlib.Path) -> tp.export.Bundle:
    """The model, and its bundle."""
    ops, size = tp.ops, flags.size_px or (256 if flags.data else 64)
    moved = (ops.RandomFlip("horizontal"), ops.RandomAffine(rotation=0.02, translation=0.05))
    fed = (ops.Clahe(clip_limit=2.0), ops.PreprocessInput("none"))  # greys from 0 to 255
    prepare = ops.Chain([ops.Decode(channels=1), ops.Resize((size, size)), *moved, *fed])
    read = functools.partial(tp.records.read, manifest, cache=not flags.data)
    train = read("train", prepare, batch_size=flags.batch_size, shuffle_seed=flags.seed)
    val = read("val", prepare.inference(), batch_size=flags.batch_size)
    weights = None if flags.weights == "none" else flags.weights

    def fit(model: Any, rate: float) -> Any:
        loss = tp.train.WeightedBinaryFocalCrossentropy(tp.records.positive_weights(manifest))
        adam = tp.train.cosine_adam(rate, flags.epochs * len(train))
        model.compile(adam, loss, metrics=[tp.train.AUCPerLabel(manifest.class_names)])
        tp.train.fit(model, train, val, epochs=flags.epochs)
        return model

    def begin() -> Any:
        build = functools.partial(tp.models.resnet50, activation="sigmoid", weights=weights)
        return fit(build((size, size, 1), manifest.num_classes), flags.learning_rate)

    def tune() -> Any:
        return fit(tp.models.unfreeze(model), flags.learning_rate / 10)

    with tp.train.distribute(flags.precision, seed=flags.seed):
        model, history = tp.train.keep(out / ("head.keras" if weights else "model.keras"), begin)
        if weights:
            model, history = tp.train.keep(out / "model.keras", tune)
    whole = {name: values for name, values in history.items() if "/" not in name}
    notes: dict[str, str | bytes] = {
        "Intended use": "Not for clinical use.",
        "Weights": f"from {weights}" if weights else "none: trained from scratch",
        "Training": tp.report.curves(whole),
    }
    return tp.export.bundle(
        model, manifest, out / "bundle", prepare=prepare, require={"score_lost": 0.01}, notes=notes
    )


if __name__ == "__main__":
    sys.exit(pipeline.run(load_source, make, Flags, doc=__doc__))
