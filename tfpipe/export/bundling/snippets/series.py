"""Programs that run a file on a sequence of numbers, in the units of the data.

Example:

    series_programs(file, ends(file), prepare, "target")["use.py"]
"""

import pathlib

import numpy as np

from tfpipe.export.bundling.snippets.ends import Ends, filled, how_shown, words
from tfpipe.ops import Chain, Standardize


def series_programs(file: pathlib.Path, both: Ends, prepare: Chain, task: str) -> dict[str, str]:
    """`use.py`, `Use.kt` and `Use.swift`.

    None where the file takes other numbers than float32, or the chain does more than `Standardize`.
    """
    steps, columns = both.takes["shape"].tolist()[1:]
    as_they_are = Standardize((0.0,) * columns, (1.0,) * columns)
    standard, *others = prepare.outside().ops or (as_they_are,)
    if others or not isinstance(standard, Standardize) or both.takes["dtype"] != np.float32:
        return {}
    values = {
        **words(file, both),
        "steps": str(steps),
        "columns": str(columns),
        "each": "a number" if columns == 1 else f"{columns} numbers",
        **how_shown(task, both.gives),
        **_numbers(standard),
        **_restored(standard),
    }
    names = ("use.py", "Use.kt", "Use.swift")
    return {name: filled(f"series/{name}", values) for name in names}


def _numbers(op: Standardize) -> dict[str, str]:
    """The columns' means and deviations, as members of a list: nine digits are all of float32."""
    pairs = {
        name: [f"{number:.9g}" for number in numbers]
        for name, numbers in (("mean", op.mean), ("std", op.std))
    }
    kotlin = {f"{name}_f": ", ".join(f"{n}f" for n in numbers) for name, numbers in pairs.items()}
    return {name: ", ".join(numbers) for name, numbers in pairs.items()} | kotlin


def _restored(op: Standardize) -> dict[str, str]:
    """How a forecast comes back to the units of the data; nothing where it is in them."""
    if op.target is None:
        return {"python_restored": ""}
    places = list(op.target)
    each = ", ".join(f"scores[{n}] * std[{p}] + mean[{p}]" for n, p in enumerate(places))
    return {
        "python_restored": f"scores = scores * std[{places}] + mean[{places}]\n",
        "kotlin_shown": f"floatArrayOf({each})",
        "swift_shown": f"[{each}]",
    }
