"""Chest X-rays in two classes: a residual network, with pictures of what it looks at, as files.

    python -m pipelines.covid_xray                     drawn X-rays, no download
    python -m pipelines.covid_xray --data DIR          DIR/{train,val}/{covid,normal}/*
    ... --data DIR --model resnet50 --weights imagenet --size-px 256

Ends in a bundle, whose files have run on the whole val split. Not for clinical use. The network is
small, as it starts from nothing: on 300 images of the COVID-19 Radiography Database, seed 0, val
accuracy is 0.950 (95 %: 0.90 to 0.98, 100 images) and int8's 0.960, after 779 s on four busy cores
(docs/results/covid_xray.txt); on drawn X-rays 1.000.
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
    "In public collections of COVID-19 X-rays, such as the COVID-19 Radiography Database, the two "
    "classes come from different hospitals: a model may tell these apart, and not the disease."
)
DRAWN = "The X-rays are drawn: the score says nothing of real ones."


@dataclasses.dataclass(frozen=True)
class Flags:
    data: str = flag("", "a folder of images in one folder per class; none: X-rays are drawn")
    origin: str = flag(ORIGIN, "for the page: where the images of each class come from")
    out: str = flag("out/covid_xray", "the folder for everything")
    model: str = flag("residual", "the network", choices=("residual", "resnet50"))
    weights: str = flag("none", "that ResNet50 begins with: none (random), imagenet, or a file")
    epochs: int = flag(0, "passes over the data; 0: 20 if drawn, 120 if not", least=0)
    size_px: int = flag(0, "height and width that images are resized to; 0: 96 or 160", least=0)
    seed: int = flag(0, "of the split, the order, the weights, the augmentation", least=0)
    overwrite: bool = flag(False, "begin anew where --out holds a run already")


def load_source(flags: Flags) -> tp.records.Source:
    if flags.weights != "none" and flags.model != "resnet50":
        raise tp.RequestError("Expected `--model resnet50` with `--weights`, which are ResNet50's.")
    if flags.data:
        split = None if (pathlib.Path(flags.data) / "train").is_dir() else (0.8, 0.2)
        return tp.records.image_folder(flags.data, split=split, seed=flags.seed, channels=1)
    from pipelines.drawn.xrays import xrays

    print(DRAWN)
    return xrays(flags.seed)


def make(flags: Flags, manifest: tp.records.Manifest, out: pathlib.Path) -> tp.export.Bundle:
    import keras

    ops, drawn, number = tp.ops, not flags.data, manifest.num_classes
    epochs, side = flags.epochs or (20 if drawn else 120), flags.size_px or (96 if drawn else 160)
    large, weights = flags.model == "resnet50", None if flags.weights == "none" else flags.weights
    grey = [ops.Decode(channels=1), ops.Resize((side, side)), ops.Clahe(), ops.RandomFlip()]
    moved = ops.RandomAffine(rotation=0.03, translation=0.08, zoom=(0.85, 1.15))
    floats = [ops.ToFloat(), ops.Normalize((0.5,), (0.25,))]
    fed = [ops.PreprocessInput("none")] if large else floats
    prepare = ops.Chain([*grey, moved, ops.ColorJitter(brightness=0.15, contrast=0.15), *fed])
    read = functools.partial(tp.records.read, manifest, batch_size=16, cache=True)
    batches = read("train", prepare, shuffle_seed=flags.seed), read("val", prepare.inference())
    train, val = (part.map(lambda x, y: (x, keras.ops.one_hot(y, number))) for part in batches)

    def fit(net: Any, rate: float, epochs: int) -> Any:
        adam = tp.train.cosine_adam(rate, epochs * len(train), warm_up=0.05, average=0.03)
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
        net.compile(adam, loss, metrics=["accuracy"])
        tp.train.fit(net, train, val, epochs=epochs)
        return net

    def learn() -> Any:
        form = {"weights": weights} if large else {"depth": 8, "width": 32, "stride": 4}
        net = tp.models.build(flags.model, input_shape=(side, side, 1), num_classes=number, **form)
        if weights:  # the head first, on the frozen base
            net = tp.models.unfreeze(fit(net, 2e-3, epochs // 4 + 1))
        return fit(net, 2e-4 if weights else 2e-3, epochs)

    with tp.train.distribute(seed=flags.seed):
        model, history = tp.train.keep(out / "model.keras", learn)
    notes = {
        "Intended use": "Not for clinical use.",
        "Where the classes come from": DRAWN if drawn else flags.origin,
        "Weights": f"from {weights}" if weights else "none: trained from scratch",
        "What the model looks at": tp.export.looks_at(model, manifest, prepare, split="val"),
        "Training": tp.report.curves(history),
    }
    more: dict[str, Any] = {"require": {"score_lost": 0.01}, "notes": notes, "split": "val"}
    return tp.export.bundle(model, manifest, out / "bundle", prepare=prepare, **more)


if __name__ == "__main__":
    sys.exit(pipeline.run(load_source, make, Flags, doc=__doc__))
