"""A forecast of noisy waves: an LSTM on windows of numbers, as float32 and int8 TFLite files.

    python -m pipelines.series                              waves that it draws itself
    python -m pipelines.series --data FILE.csv --target X   a column of a table, a row for each step

The drawn series have unlike periods, and each is in one split only, as those of --group are. A
table without groups is divided in the order of time: its first 70 % are train, its last 10 % test.
The model is compared with the naive forecast: that the last value stays.

The root mean squared error of the model is 0.146 of the naive forecast's, and R2 is 0.962 (0.957 to
0.966 with 95 %), on 558 windows of 31 series; int8 loses nothing. 30 s on two busy cores
(docs/results/series.txt).
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import dataclasses
import functools
import pathlib
from collections.abc import Callable

import tfpipe as tp
from pipelines.drawn.waves import waves
from tfpipe.pipeline import flag, run


@dataclasses.dataclass(frozen=True)
class Flags:
    data: str = flag("", "a CSV file of numbers in the order of time; without it, waves are drawn")
    target: str = flag("", "the CSV file's column to forecast, which the model sees, too")
    columns: tuple[str, ...] = flag((), "other columns that the model sees")
    group: str = flag("", "the column that tells series apart; without it, time divides the table")
    out: str = flag("out/series", "the folder for everything; an interrupted run goes on there")
    num_series: int = flag(300, "series that are drawn, of 160 steps each", least=10)
    window: int = flag(48, "steps that the model sees", least=2)
    horizon: int = flag(6, "steps from a window's last one to the one to forecast", least=1)
    epochs: int = flag(10, "passes over the data", least=1)
    units: int = flag(64, "of the LSTM", least=1)
    seed: int = flag(0, "of the series, the split, the order, the weights", least=0)
    overwrite: bool = flag(False, "begin anew where --out holds a run already")


def load_source(flags: Flags) -> tp.records.Source:
    if not flags.data:
        return waves(flags.seed, flags.num_series, window=flags.window, horizon=flags.horizon)
    if not flags.target:
        raise tp.RequestError("Expected `--target`, the column to forecast, with `--data`.")
    columns = list(dict.fromkeys([flags.target, *flags.columns]))  # the target is the first
    cut = functools.partial(tp.records.series_csv, window=flags.window, horizon=flags.horizon)
    named = functools.partial(cut, columns=columns, target=flags.target, seed=flags.seed)
    if flags.group:
        return named(flags.data, group=flags.group)
    return named(flags.data, split=in_order_of_time(flags.data))


def in_order_of_time(table: str) -> Callable[[str], str]:
    """The split of a window by its id, which ends in the line of its first row."""
    with open(table, "rb") as lines:
        num_lines = sum(1 for _ in lines)

    def split(key: str) -> str:
        place = int(key.rpartition(":")[2]) / num_lines
        return "train" if place < 0.7 else "val" if place < 0.9 else "test"

    return split


def make(flags: Flags, manifest: tp.records.Manifest, out: pathlib.Path) -> tp.export.Bundle:
    prepare = tp.ops.Chain([tp.ops.Standardize(*tp.records.moments(manifest), target=(0,))])
    read = functools.partial(tp.records.read, manifest, prepare=prepare, cache=True)
    train = read("train", batch_size=64, shuffle_seed=flags.seed)
    val = read("val", batch_size=256)
    with tp.train.distribute(seed=flags.seed):
        lstm = functools.partial(tp.models.lstm, activation="linear", pooling="last")
        model = lstm(tuple(train.element_spec[0].shape[1:]), 1, units=flags.units)
        model.compile(tp.train.cosine_adam(3e-3, flags.epochs * len(train)), loss="mse")
        path = out / "model.keras"
        model, history = tp.train.keep(path, tp.train.fit, model, train, val, epochs=flags.epochs)
    return tp.export.bundle(
        model,
        manifest,
        out / "bundle",
        prepare=prepare,
        formats=("float32", "int8"),
        require={"score_lost": 0.01},
        notes={
            "Against the naive forecast": tp.export.against_last_value(model, manifest, prepare),
            "Training": tp.report.curves(history),
        },
    )


if __name__ == "__main__":
    raise SystemExit(run(load_source, make, Flags, doc=__doc__))
