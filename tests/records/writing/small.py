"""Small sources, some of whose examples are refused, and what is asked of their records."""

import os

import numpy as np
import pytest

from tfpipe.errors import RequestError
from tfpipe.records import write
from tfpipe.records.sources.base import Entry, Feature, from_entries
from tfpipe.records.values import to_png

FEATURES = {"image": Feature("image", (None, None, 1)), "label": Feature("label")}
SPLITS = ("train", "train", "val")


def picture(number):
    return to_png(np.random.default_rng(number).integers(0, 256, (6, 5, 1), np.uint8))


def pictures(folder, count=60, bad=(7, 30)):
    folder.mkdir()
    for number in range(count):
        data = b"no image" if number in bad else picture(number)
        (folder / f"{number:03d}.png").write_bytes(data)
        os.utime(folder / f"{number:03d}.png", ns=(0, 10**9))
    return folder


def source_of(folder, *, seed=0, class_names=("even", "odd"), paths=None):
    paths = sorted(folder.iterdir()) if paths is None else paths
    entries = [
        Entry(path.name, SPLITS[int(path.stem) % 3], (path, int(path.stem) % 2)) for path in paths
    ]
    return from_entries(
        "pictures",
        entries,
        lambda data: {"image": data[0], "label": data[1]},
        features=FEATURES,
        class_names=class_names,
        rule={"by": "hand", "parts": ("train", "val")},
        seed=seed,
    )


def texts(*rows, class_names=("a", "b"), name="texts"):
    """Rows of (split, label), or of (split, reason) for what is refused."""

    def load_row(what):
        if isinstance(what, str):
            return {"refused": what}
        return {"text": "x", "label": what}

    return from_entries(
        name,
        [Entry(f"id{n}", split, what) for n, (split, what) in enumerate(rows)],
        load_row,
        features={"text": Feature("text"), "label": Feature("label")},
        class_names=class_names,
        rule={},
        seed=0,
    )


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def refusal(source, path, **options):
    before = names(path.parent)
    with pytest.raises(RequestError) as error:
        write(source, path, **options)
    assert path.name in before or not path.exists()
    return str(error.value)
