"""Chest X-rays in two classes: a residual network, with pictures of what it looks at, as files.

    python -m pipelines.covid_xray                           drawn X-rays, no download
    python -m pipelines.covid_xray --data DIR                DIR/{train,val}/{covid,normal}/*
    python -m pipelines.covid_xray --data DIR --model resnet50 --weights imagenet

Writes TFRecord shards, trains, and ends in a bundle, whose files have run on the whole val split.
Val chooses nothing: not the weights, not the number of epochs. Everything lands in --out; an
interrupted run continues. Not for clinical use.
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

ORIGIN = (
    "In the public collections of X-rays of COVID-19 and of other lungs, such as the COVID-19 "
    "Radiography Database, the two classes come from different hospitals. A model may tell these "
    "apart, by text marks, borders or contrast, and know nothing of the disease: the score cannot "
    "show the difference. See what the model looks at."
)
DRAWN = "The X-rays are drawn: the score says nothing of real ones."
SCRATCH = "No weights from elsewhere: the network learns from these images alone."


@dataclasses.dataclass(frozen=True)
class Flags:
    data: str = flag("", "a folder of images in one folder per class; none: X-rays are drawn")
    origin: str = flag(ORIGIN, "for the page: where the images of each class come from")
    out: str = flag("out/covid_xray", "the folder for everything")
    model: str = flag("residual", "the network", choices=("residual", "resnet50"))
    weights: str = flag("none", "that ResNet50 begins with: none (random), imagenet, or a file")
    epochs: int = flag(0, "passes over the data; 0: 20 if drawn, 240 if not", least=0)
    batch_size: int = flag(16, "images in a batch", least=1)
    learning_rate: float = flag(2e-3, "Adam's highest; a tenth where weights are tuned", least=0)
    size_px: int = flag(0, "height and width that images are resized to; 0: 96 or 160", least=0)
    seed: int = flag(0, "of the split, the order, the weights, the augmentation", least=0)
    overwrite: bool = flag(False, "begin anew where --out holds a run already")


def load_source(flags: Flags) -> tp.records.Source:
    if flags.weights != "none" and flags.model != "resnet50":
        raise tp.RequestError("Expected `--model resnet50` with `--weights`, which are ResNet50's.")
    if flags.data:
        given = (pathlib.Path(flags.data) / "train").is_dir()
        split = None if given else (0.8, 0.2)
        return tp.records.image_folder(flags.data, split=split, seed=flags.seed, channels=1)
    from pipelines.drawn.xrays import xrays

    print(DRAWN)
    return xrays(flags.seed)


def make(flags: Flags, manifest: tp.records.Manifest, out: pathlib.Path) -> tp.export.Bundle:
    import keras

    ops, drawn, classes = tp.ops, not flags.data, manifest.num_classes
    epochs, side = flags.epochs or (20 if drawn else 240), flags.size_px or (96 if drawn else 160)
    weights = None if flags.weights == "none" else flags.weights
    moved = ops.RandomAffine(rotation=0.03, translation=0.08, zoom=(0.85, 1.15))
    random = [ops.RandomFlip(), moved, ops.ColorJitter(brightness=0.15, contrast=0.15)]
    floats = [ops.ToFloat(), ops.Normalize((0.5,), (0.25,))]
    fed = [ops.PreprocessInput("none")] if flags.model == "resnet50" else floats
    plain = [ops.Decode(channels=1), ops.Resize((side, side)), ops.Clahe()]
    prepare = ops.Chain([*plain, *random, *fed])
    read = functools.partial(tp.records.read, manifest, batch_size=flags.batch_size)
    batches = read("train", prepare, shuffle_seed=flags.seed, cache=True)
    val_batches = read("val", prepare.inference())
    train, val = (
        part.map(lambda images, labels: (images, keras.ops.one_hot(labels, classes)))
        for part in (batches, val_batches)
    )

    def fit(model: Any, rate: float) -> Any:
        adam = tp.train.cosine_adam(rate, epochs * len(train), warm_up=0.05, average=0.03)
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
        model.compile(adam, loss, metrics=["accuracy"])
        tp.train.fit(model, train, val, epochs=epochs)
        return model

    def begin() -> Any:
        if flags.model == "resnet50":
            model = tp.models.resnet50((side, side, 1), classes, weights=weights)
        else:
            model = tp.models.residual((side, side, 1), classes, depth=8, width=32, stride=4)
        return fit(model, flags.learning_rate)

    def tune() -> Any:
        return fit(tp.models.unfreeze(model), flags.learning_rate / 10)

    with tp.train.distribute(seed=flags.seed):
        model, history = tp.train.keep(out / ("head.keras" if weights else "model.keras"), begin)
        if weights:
            model, history = tp.train.keep(out / "model.keras", tune)
    notes: dict[str, str | bytes] = {
        "Intended use": "Not for clinical use.",
        "Where the classes come from": DRAWN if drawn else flags.origin,
        "Weights": f"From {weights}, tuned on these images." if weights else SCRATCH,
        "What the model looks at": tp.export.looks_at(model, manifest, prepare, split="val"),
        "Training": tp.report.curves(history),
    }
    bars, path = {"score_lost": 0.01}, out / "bundle"
    return tp.export.bundle(
        model, manifest, path, prepare=prepare, split="val", require=bars, notes=notes
    )


if __name__ == "__main__":
    sys.exit(pipeline.run(load_source, make, Flags, doc=__doc__))
