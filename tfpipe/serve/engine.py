"""One file of a bundle, ready to answer: what an instance may be, and the scores of many.

Example:

    engine = load_engine("out/xray/bundle", "int8")
    scored = engine.score(engine.parse([{"b64": "/9j/4AAQ..."}]))
    engine.answers(scored.scores)                   # float32 (1, num_classes)
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfpipe.drift import Monitor, load_profile
from tfpipe.drift.profiles import FILE as PROFILE
from tfpipe.errors import RequestError, one_of
from tfpipe.export import Bundle, Predictor, load, load_bundle, load_texts
from tfpipe.export.bundling.thresholds import FILE as THRESHOLDS
from tfpipe.files import Path
from tfpipe.ops import Chain
from tfpipe.serve.forms import Form, form_of

MAX_PIXELS = 2**25
LOOK_PAUSE_S = 10.0  # a look at drift takes Python's lock for 10 ms and more


class Scored(NamedTuple):
    """What a predictor took, and what it gave."""

    inputs: Any
    scores: np.ndarray


@dataclasses.dataclass(frozen=True)
class Engine:
    """A model file with what comes before it; `load_engine` makes it.

    Args:
        name: the data's, as in `/v1/models/NAME`.
        version: 1, or the number that is the folder's name.
        class_names: in the order of the scores; () where the scores have no names.
        predictor: as `export.load` gives it.
        form: what its instances are, and what becomes of them before the file.
        monitor: what watches for drift, where the bundle has a profile.
        thresholds: of several labels, the score from which on each is there, None where none was
            found; None for anything else.

    Example:

    >>> from tfpipe import export, ops
    >>> from tfpipe.backend import keras
    >>> from tfpipe.serve.forms import form_of
    >>> x = keras.Input((2,))
    >>> predictor = export.from_keras(keras.Model(x, keras.layers.Softmax()(x)))
    >>> form = form_of(predictor, ops.Chain([]), max_pixels=2**25)
    >>> engine = Engine("largest", 1, ("no", "yes"), predictor, form)
    >>> engine.score(engine.parse([[0.0, 0.0]])).scores.tolist()
    [[0.5, 0.5]]
    """

    name: str
    version: int
    class_names: tuple[str, ...]
    predictor: Predictor
    form: Form
    monitor: Monitor | None = None
    thresholds: Mapping[str, float | None] | None = None

    def parse(self, instances: Sequence[Any]) -> list[Any]:
        """From a request's instances (JSON values, or the bytes of files) to examples.

        Raises:
            RequestError: one of them is not what it should be; which, and why.
        """
        return self.form.parse(instances)

    def score(self, parsed: Sequence[Any]) -> Scored:
        """The scores of examples that `parse` gave: those of `predictor.predict`, to the bit.

        Raises:
            RequestError: an example cannot be used.
        """
        inputs = self.form.prepare(parsed)
        return Scored(inputs, self.predictor.predict(inputs))

    def answers(self, scores: np.ndarray) -> np.ndarray:
        """What is answered: the scores; of forecasts, those in the units of the data."""
        return self.form.restore(scores)

    def targets(self, labels: Sequence[Any]) -> np.ndarray:
        """Labels, which come in the units of the answers, in those of the scores."""
        given = np.array(labels)
        zero, one = (self.form.restore(np.full(given.shape, each)) for each in (0.0, 1.0))
        return given if (zero == 0).all() and (one == 1).all() else (given - zero) / (one - zero)


def load_engine(
    path: Path,
    engine: str = "",
    *,
    version: int = 1,
    threads: int = 1,
    max_pixels: int = MAX_PIXELS,
) -> Engine:
    """Loads a bundle's file, and runs it once.

    Args:
        path: the folder that `export.bundle` wrote; all of it is compared with its sums.
        engine: "float32", "int8", "onnx", "saved_model", ...: the file's name without its ending;
            "" is the report's first.
        version: the number that it is served under.
        threads: in which TFLite and ONNX files run.
        max_pixels: that the images of one request may have together.

    Raises:
        RequestError: no bundle, or no such file in it.
        DataError: the bundle is damaged, or its file cannot be run.

    Example:

    >>> engine = load_engine(made.path, "keras")
    >>> engine.name, engine.class_names, engine.form.name
    ('arrays', ('0', '1'), 'images')
    """
    bundle = load_bundle(path)
    file = bundle.path / _file(bundle, engine)
    chain = Chain.from_json(bundle.path / "chain.json")
    texts = bool(chain.ops) and chain.ops[0].on == "text"
    predictor = load_texts(file, chain) if texts else load(file, threads=threads)
    form = form_of(predictor, chain, max_pixels)
    names, monitor = bundle.class_names, _monitor(bundle, chain)
    return Engine(bundle.name, version, names, predictor, form, monitor, _thresholds(bundle))


def _file(bundle: Bundle, engine: str) -> str:
    known = bundle.engines
    if engine and engine not in known:
        raise RequestError(one_of("engine", engine, tuple(known)))
    return known[engine] if engine else bundle.models[0]


def _thresholds(bundle: Bundle) -> Mapping[str, float | None] | None:
    if THRESHOLDS not in bundle.files:
        return None
    thresholds: Mapping[str, float | None] = json.loads((bundle.path / THRESHOLDS).read_bytes())[
        "thresholds"
    ]
    return thresholds


def _monitor(bundle: Bundle, chain: Chain) -> Monitor | None:
    if PROFILE not in bundle.files:
        return None
    # Its latency is the Keras model's, elsewhere: that of the first requests takes its place.
    known = load_profile(bundle.path / PROFILE)
    profile = dataclasses.replace(known, latency_ms=np.empty(0, np.float32))
    # No pictures are kept: what is sent to a server stays nowhere.
    return Monitor(profile, prepare=chain, picture_px=0, pause_s=LOOK_PAUSE_S)
