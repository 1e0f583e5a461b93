"""A profile: numbers of a sample of examples, without the examples, and how it is kept on disk.

Example:

    profile.to_file("out/xray/profile.json")            # and out/xray/profile.npz
    profile = tp.drift.load_profile("out/xray/profile.json")
"""

import dataclasses
import functools
import hashlib
import io
import json
import pathlib
import zipfile
from typing import Any

import numpy as np

from tfpipe.drift.distances import Distances
from tfpipe.drift.predictions import CLASS, CONFIDENCE
from tfpipe.errors import DataError, RequestError, received
from tfpipe.files import Path, write_bytes, write_json
from tfpipe.report import text_table

FILE = "profile.json"  # in a bundle
LEAST_EXAMPLES = 32  # two halves of 16
FORMAT = "tfpipe profile 2"
ANEW = "Measure it anew with `drift.profile`, or write the bundle again"
ARRAYS = ("rows", "layouts", "embedded", "errors", "latency_ms")
BINS = 10


@dataclasses.dataclass(frozen=True, eq=False)
class Profile:
    """A sample of numbers of examples, without the examples; prints as a table.

    On another machine than the profile's, or with another file of the model, its latency says
    little. `dataclasses.replace(profile, latency_ms=np.empty(0))` has none, and a `Monitor` then
    takes that of its first window of requests.

    Args:
        kind: "image", "text", "tokens" or "sequence".
        shape: of one example, as a model file takes it.
        task: "label", "labels", "target", "mask" or "boxes"; "" without a model.
        scores_shape: of one example's scores; () without a model.
        class_names: the names of the classes, in the order of the scores, where they are known.
        columns: the names of the columns of `rows`, those of the inputs first.
        num_examples: how many there were; `rows` holds a sample of at most 2,000.
        rows: float32 (N, columns); nan where something is not known.
        layouts: float32 (N, 32), how light and dark lie in an image, projected; (N, 0) of others.
        embedded: float32 (N, D), the model's last features, projected; (N, 0) without a model.
        errors: float32 (N,); nan where there was no target.
        latency_ms: of single examples, (R,).

    Example:

    >>> from tfpipe.drift import profile
    >>> found = profile(np.arange(64.0).reshape(32, 2))
    >>> found.kind, found.shape, found.columns, found.num_examples
    ('sequence', (2,), ('input/mean 0', 'input/mean 1'), 32)
    """

    kind: str
    shape: tuple[int, ...]
    task: str
    scores_shape: tuple[int, ...]
    class_names: tuple[str, ...]
    columns: tuple[str, ...]
    num_examples: int
    rows: np.ndarray = dataclasses.field(repr=False)
    layouts: np.ndarray = dataclasses.field(repr=False)
    embedded: np.ndarray = dataclasses.field(repr=False)
    errors: np.ndarray = dataclasses.field(repr=False)
    latency_ms: np.ndarray = dataclasses.field(repr=False)

    @property
    def num_inputs(self) -> int:
        """How many columns are about the inputs; the others are about the scores."""
        return sum(name.startswith("input/") for name in self.columns)

    def class_name(self, place: float) -> str:
        """The name of a class, or its number."""
        known = int(place) < len(self.class_names)
        return self.class_names[int(place)] if known else str(int(place))

    @functools.cached_property
    def input_distances(self) -> Distances:
        """How far inputs are from these, by their columns."""
        return Distances(self.rows[:, : self.num_inputs])

    @functools.cached_property
    def layout_distances(self) -> Distances | None:
        """The same by the layouts of images."""
        return Distances(self.layouts, one_unit=True) if self.layouts.shape[1] else None

    @functools.cached_property
    def embedding_distances(self) -> Distances | None:
        """The same by a model's features."""
        return Distances(self.embedded, one_unit=True) if self.embedded.shape[1] else None

    def summary(self) -> dict[str, Any]:
        """The sample in plain numbers, as the JSON file has them for people."""
        found: dict[str, Any] = {}
        for place, name in enumerate(self.columns):
            values = self.rows[np.isfinite(self.rows[:, place]), place].astype(float)
            if name == CLASS:
                classes, counts = np.unique(values, return_counts=True)
                shares = (counts / len(values)).round(4).tolist()
                found[name] = dict(zip(map(self.class_name, classes), shares, strict=True))
            elif len(values):
                found[name] = _statistics(values)
        if CONFIDENCE in found:
            sure = self.rows[:, self.columns.index(CONFIDENCE)]
            found["confidence histogram"] = np.histogram(sure, BINS, (0, 1))[0].tolist()
        if self.embedded.shape[1]:
            found["embedding"] = {
                "mean": self.embedded.mean(0).round(4).tolist(),
                "deviation": self.embedded.std(0).round(4).tolist(),
            }
        if np.isfinite(self.errors).any():
            found["error"] = round(float(np.nanmean(self.errors)), 4)
        if len(self.latency_ms):
            found["latency_ms"] = _statistics(self.latency_ms)
        return found

    def __str__(self) -> str:
        rows, told = [], [f"{self.num_examples:,} examples of kind {self.kind}, {self.shape}."]
        for name, value in self.summary().items():
            if isinstance(value, dict) and "median" in value:
                rows.append([name, *(value[key] for key in ("p5", "median", "p95"))])
            elif name == CLASS:
                told.append(f"{name}: " + ", ".join(f"{k} {v:.3f}" for k, v in value.items()))
            elif name == "error":
                told.append(f"error: {value}")
        return "\n".join([text_table(["feature", "p5", "median", "p95"], rows), *told])

    def to_file(self, path: Path) -> pathlib.Path:
        """Writes `path`, JSON for people and programs, and the sample beside it, `.npz`.

        Together they have under a megabyte.

        Returns:
            The path of the JSON file.

        Raises:
            RequestError: the path does not end in `.json`.
        """
        target = _checked(path)
        data = io.BytesIO()
        np.savez_compressed(data, **{name: getattr(self, name) for name in ARRAYS})
        facts = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ARRAYS
        }
        write_bytes(target.with_suffix(".npz"), data.getvalue())
        sha256 = hashlib.sha256(data.getvalue()).hexdigest()
        return write_json(
            target, {"format": FORMAT, **facts, "sha256": sha256, "summary": self.summary()}
        )


def load_profile(path: Path) -> Profile:
    """Reads what `Profile.to_file` wrote.

    Raises:
        RequestError: there is no such file, or the path does not end in `.json`.
        DataError: it is no profile, or its sample is missing or another one.

    Example:

    >>> import tempfile
    >>> from tfpipe.drift import profile
    >>> path = profile(np.arange(64.0).reshape(32, 2)).to_file(tempfile.mkdtemp() + "/profile.json")
    >>> load_profile(path).rows.shape
    (32, 2)
    """
    file = _checked(path)
    if not file.is_file():
        of_bundle = (
            f" A bundle holds one where its files were verified on {LEAST_EXAMPLES} examples or "
            "more; of other examples, `drift.profile(...).to_file(...)` makes one."
        )
        raise RequestError(
            f"Expected a profile. There is no file {str(file)!r}."
            f"{of_bundle if file.name == FILE else ''}"
        )
    sample = file.with_suffix(".npz")
    try:
        value = json.loads(file.read_bytes())
        if (found := value.pop("format")) != FORMAT:
            raise DataError(file, f"expected {FORMAT!r}, found {found!r}. {ANEW}")
        sha256, _ = value.pop("sha256"), value.pop("summary")
        facts: dict[str, Any] = {k: tuple(v) if type(v) is list else v for k, v in value.items()}
        data = sample.read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DataError(sample, f"it is not the sample of {file.name}")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return Profile(**facts, **{name: arrays[name] for name in ARRAYS})
    except FileNotFoundError:
        raise DataError(sample, f"the sample of {file.name} is not there") from None
    except (ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise DataError(file, f"not a profile ({error!r})") from None


def _statistics(values: np.ndarray) -> dict[str, float]:
    p5, median, p95, p99 = np.quantile(values, (0.05, 0.5, 0.95, 0.99)).tolist()
    mean, deviation = float(values.mean()), float(values.std())
    found = {"mean": mean, "deviation": deviation, "p5": p5, "median": median}
    return {name: round(value, 4) for name, value in {**found, "p95": p95, "p99": p99}.items()}


def _checked(path: Path) -> pathlib.Path:
    if pathlib.Path(path).suffix != ".json":
        raise RequestError(received("a path that ends in '.json'", path=str(path)))
    return pathlib.Path(path)
