"""A forecast of noisy waves: an LSTM on windows of numbers, as float32 and int8 TFLite files.

    python -m pipelines.series

Draws series of unlike periods, writes their windows as TFRecord shards (a series is in one split
only), trains, and ends in a bundle: both files, run on the whole test split, and the error of the
model as a share of the naive forecast's, which is the window's last value. Everything lands in
--out; an interrupted run continues there.

The root mean squared error of the model is 0.146 of the naive forecast's, and R2 is 0.962 (0.957 to
0.966 with 95 %), on 558 windows of 31 series; int8 loses nothing. 120 s on four busy cores.
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
    out: str = flag("out/series", "the folder for everything")
    num_series: int = flag(300, "series that are drawn, of 160 steps each", least=10)
    window: int = flag(48, "steps that the model sees", least=2)
    horizon: int = flag(6, "steps from a window's last one to the one to forecast", least=1)
    epochs: int = flag(10, "passes over the data", least=1)
    batch_size: int = flag(64, "windows in a batch", least=1)
    learning_rate: float = flag(3e-3, "Adam's, at the start of its cosine decay", least=0)
    units: int = flag(64, "of the LSTM", least=1)
    seed: int = flag(0, "of the series, the split, the order, the weights", least=0)
    overwrite: bool = flag(False, "begin anew where --out holds a run already")


def load_source(flags: Flags) -> tp.records.Source:
    from pipelines.drawn.waves import waves, windows

    print("The series are drawn; the score says nothing of real ones.")
    seen, ahead, places = windows(waves(flags.seed, flags.num_series), flags.window, flags.horizon)
    options = {"group": places.tolist(), "seed": flags.seed, "name": "waves"}
    return tp.records.arrays(seen, ahead, kind="sequence", **options)


def make(flags: Flags, manifest: tp.records.Manifest, out: pathlib.Path) -> tp.export.Bundle:
    prepare = tp.ops.Chain([tp.ops.Standardize(*tp.records.moments(manifest), target=(0,))])
    read = functools.partial(tp.records.read, manifest, prepare=prepare, cache=True)
    train = read("train", batch_size=flags.batch_size, shuffle_seed=flags.seed)
    val, test = read("val", batch_size=256), read("test", batch_size=256)

    def make_model() -> Any:
        model = tp.models.lstm(
            (flags.window, 1), 1, activation="linear", units=flags.units, pooling="last"
        )
        adam = tp.train.cosine_adam(flags.learning_rate, flags.epochs * len(train))
        model.compile(adam, loss="mse")
        tp.train.fit(model, train, val, epochs=flags.epochs)
        return model

    with tp.train.distribute(seed=flags.seed):
        model, history = tp.train.keep(out / "model.keras", make_model)
    told = f"{of_naive(model, test):.3f} of the last value's root mean squared error"
    bundle = functools.partial(tp.export.bundle, formats=("float32", "int8"), prepare=prepare)
    notes: dict[str, str | bytes] = {
        "Against the naive forecast": told,
        "Training": tp.report.curves(history),
    }
    return bundle(model, manifest, out / "bundle", require={"score_lost": 0.01}, notes=notes)


def of_naive(model: Any, test: Any) -> float:
    """The model's root mean squared error, as a share of the naive forecast's."""
    import numpy as np

    inputs, targets = map(np.concatenate, zip(*test.as_numpy_iterator(), strict=True))
    own, naive = model.predict(inputs, verbose=0)[:, 0], inputs[:, -1, 0]
    return float(np.sqrt(np.mean((own - targets) ** 2) / np.mean((naive - targets) ** 2)))


if __name__ == "__main__":
    sys.exit(pipeline.run(load_source, make, Flags, doc=__doc__))
