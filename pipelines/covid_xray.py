"""Chest X-rays in two classes: a residual network, with pictures of what it looks at, as files.

    python -m pipelines.covid_xray                                 drawn X-rays, no download
    python -m pipelines.covid_xray --data DIR                      DIR/{train,val}/{covid,normal}/*
    python -m pipelines.covid_xray --data DIR --weights imagenet   ResNet50: its head, then all

On 300 X-rays (docs/results/covid_xray.txt) accuracy on 100 of "val" is 0.960 (0.92 to 0.99), 389 s
on two cores; --seed 1 and 2: 0.94 and 0.95; drawn ones: 1.000, 47 s. Not for clinical use.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import dataclasses
import functools
import pathlib

import tfpipe as tp
from pipelines.drawn.xrays import origin, xrays
from tfpipe.pipeline import flag, judged, run


@dataclasses.dataclass(frozen=True)
class Flags:
    data: str = flag("", "a folder of images in one folder per class; none: X-rays are drawn")
    out: str = flag("out/covid_xray", "the folder for everything; an interrupted run goes on there")
    weights: str = flag("", "ResNet50's: imagenet, or a file; none: a small network from scratch")
    epochs: int = flag(0, "passes over the data; 0: 20 if drawn, 120 if not", least=0)
    size_px: int = flag(0, "the images' height and width; 0: 96 if drawn, 160 if not", least=0)
    seed: int = flag(0, "of the split, the order, the weights, the augmentation", least=0)
    overwrite: bool = flag(False, "begin anew where --out holds a run already")


def load_source(flags: Flags) -> tp.records.Source:
    if not flags.data:
        return xrays(flags.seed)
    split = None if "val" in tp.records.given_splits(flags.data) else (0.8, 0.2)
    return tp.records.image_folder(flags.data, split=split, seed=flags.seed, channels=1)


def make(flags: Flags, manifest: tp.records.Manifest, out: pathlib.Path) -> tp.export.Bundle:
    import keras

    ops, number, side = tp.ops, manifest.num_classes, flags.size_px or (160 if flags.data else 96)
    shape, epochs = (side, side, 1), flags.epochs or (120 if flags.data else 20)
    seen = (ops.Decode(channels=1), ops.Resize((side, side)), ops.Clahe(), ops.RandomFlip())
    moved = ops.RandomAffine(rotation=0.03, translation=0.08, zoom=(0.85, 1.15))
    floats = (ops.ToFloat(), ops.Normalize((0.5,), (0.25,)))
    fed = (ops.PreprocessInput("none"),) if flags.weights else floats
    prepare = ops.Chain([*seen, moved, ops.ColorJitter(brightness=0.15, contrast=0.15), *fed])
    read = functools.partial(tp.records.read, manifest, batch_size=16, cache=True)
    train = read("train", prepare, shuffle_seed=flags.seed).map(tp.records.one_hot(number))
    val = read("val", prepare.inference()).map(tp.records.one_hot(number))

    def fit(model: keras.Model, rate: float, epochs: int) -> keras.callbacks.History:
        adam = tp.train.cosine_adam(rate, epochs * len(train), warm_up=0.05, average=0.03)
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
        model.compile(adam, loss, metrics=["accuracy"])
        return tp.train.fit(model, train, val, epochs=epochs)

    with tp.train.distribute(seed=flags.seed):
        if flags.weights:
            model = tp.models.resnet50(shape, number, weights=flags.weights)
        else:
            model = tp.models.residual(shape, number, depth=8, width=32, stride=4)
        path = out / "model.keras"
        model, history = tp.train.keep(path, tp.train.head_first, fit, model, 2e-3, epochs)
    scored = judged(manifest)
    notes: dict[str, str | bytes] = {
        "Intended use": "Not for clinical use.",
        "Where the classes come from": origin(flags.data),
        "Weights": pathlib.Path(flags.weights).name or "none: trained from scratch",
        "What the model looks at": tp.export.looks_at(model, manifest, prepare, split=scored),
        "Training": tp.report.curves(history),
    }
    bundle = functools.partial(tp.export.bundle, prepare=prepare, require={"score_lost": 0.01})
    return bundle(model, manifest, out / "bundle", split=scored, notes=notes)


if __name__ == "__main__":
    raise SystemExit(run(load_source, make, Flags, doc=__doc__))
