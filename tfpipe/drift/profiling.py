"""Measures what the inputs, the scores and the latency of a model look like.

Example:

    profile = tp.drift.profile(examples, model, prepare)
    print(profile)
"""

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfpipe.drift.batching import batches, named
from tfpipe.drift.embedding import looking
from tfpipe.drift.features import input_names
from tfpipe.drift.inputs import Examples, read
from tfpipe.drift.measuring import measure
from tfpipe.drift.predictions import prediction_names, task_of
from tfpipe.drift.profiles import LEAST_EXAMPLES, Profile
from tfpipe.errors import RequestError, received

if TYPE_CHECKING:
    import keras

    from tfpipe.ops import Chain

MOST_EXAMPLES = 2000
MOST_BYTES = 700_000  # of the sample, so that the file stays under a megabyte
SECONDS_TIMED = 1.0
MOST_TIMED = 50


def profile(
    data: Any,
    model: "keras.Model | None" = None,
    prepare: "Chain | None" = None,
    *,
    class_names: Sequence[str] = (),
    seed: int = 0,
) -> Profile:
    """Measures examples, and what the model makes of them.

    Take examples that the model was not trained on: of those it was trained on it is surer.

    How many: where all examples move, a hundred tell it soon. Where a tenth of them are strangers,
    the number of known ones is the limit: s strangers among N new examples beside R known ones have
    a p-value of about (N / (N + R))^s at best, and that only if each is farther than all that are
    known. Of a tenth of handwritten nines, where 0 to 8 are known, a monitor tells with 508 known
    ones in 7 of 20 streams, and with 2,000, and a window as long, in all of 20, after 2,000 at the
    latest (`scripts/bench_drift.py`).

    Args:
        data: batches of (inputs, targets) or of inputs alone, as a `tf.data.Dataset` or another
            iterable; or an array, or a list of texts or encoded images, alone or in a pair with
            its targets. Inputs are what a model file takes, as
            `records.read(manifest, "test", prepare.outside(), batch_size=32)` gives it; or encoded
            images, whose sizes are then known too, or texts.
        model: a functional Keras model; without it nothing is known of scores and embeddings.
        prepare: its chain.
        class_names: in the order of the scores.
        seed: of the sample, where there are more than 2,000 examples.

    Raises:
        RequestError: fewer than 32 examples, inputs of several shapes, or that the model does not
            take; numbers or scores that are not finite.

    Example:

    >>> import numpy as np
    >>> greys = np.random.default_rng(0).integers(0, 256, (64, 16, 16, 1)).astype(np.uint8)
    >>> found = profile(greys)
    >>> found.columns[:3], found.rows.shape
    (('input/mean', 'input/contrast', 'input/sharpness'), (64, 6))
    """
    look = None if model is None else looking(model, prepare)
    sample, first, empty = _Sample(seed), None, None
    for inputs, targets in batches(data):
        examples = read(inputs, prepare, ids=named(None, sample.seen, len(inputs)))
        scores, embedded = (None, None) if look is None else look(examples)
        if first is None or empty is None:
            first, task = examples, "" if scores is None else task_of(scores, _plain(targets))
            empty = _empty(examples, task, scores, embedded, class_names)
        found = measure(empty, examples, scores, embedded, targets)
        sample.add(zip(found.rows, found.layouts, found.embedded, found.errors, strict=True))
    if first is None or empty is None or sample.seen < LEAST_EXAMPLES:
        raise RequestError(received(f"at least {LEAST_EXAMPLES} examples", examples=sample.seen))
    rows, layouts, features, wrong = map(np.stack, zip(*sample.kept, strict=True))
    return dataclasses.replace(
        empty,
        num_examples=sample.seen,
        rows=rows,
        layouts=layouts,
        embedded=features,
        errors=wrong,
        latency_ms=np.empty(0) if look is None else _timed(look, first),
    )


def _empty(
    examples: Examples,
    task: str,
    scores: np.ndarray | None,
    embedded: np.ndarray | None,
    class_names: Sequence[str],
) -> Profile:
    """What is known of all examples by the first batch of them."""
    shape = () if scores is None else scores.shape[1:]
    columns = input_names(examples)
    if task:
        columns += prediction_names(task, shape, class_names)
    none = np.empty(0, np.float32)
    features = none[:, None] if embedded is None else embedded[:0]
    named = tuple(class_names), columns
    return Profile(
        examples.kind, examples.shape, task, shape, *named, 0, none, none, features, none, none
    )


def _plain(targets: Any) -> Any:
    return None if isinstance(targets, dict) else targets


class _Sample:
    """A sample of a stream, each example as likely as any other.

    Vitter, "Random Sampling with a Reservoir", ACM TOMS 11(1), 1985, algorithm R.
    """

    def __init__(self, seed: int):
        self._draw = np.random.default_rng(seed)
        self.kept: list[Any] = []
        self.seen = 0

    def add(self, parts: Any) -> None:
        for part in parts:
            size = sum(4 * np.size(each) for each in part)
            if len(self.kept) < min(MOST_EXAMPLES, MOST_BYTES // size):
                self.kept.append(part)
            elif (place := int(self._draw.integers(self.seen + 1))) < len(self.kept):
                self.kept[place] = part
            self.seen += 1


def _timed(look: Callable[[Examples], Any], examples: Examples) -> np.ndarray:
    """Milliseconds for single examples, after one that is not counted."""
    rows = int(examples.rows_each[0])
    one = dataclasses.replace(
        examples, takes=examples.takes[:rows], rows_each=examples.rows_each[:1]
    )
    look(one)
    started, times = time.perf_counter(), list[float]()
    while len(times) < MOST_TIMED and time.perf_counter() - started < SECONDS_TIMED:
        before = time.perf_counter()
        look(one)
        times.append(1000 * (time.perf_counter() - before))
    return np.array(times, np.float32)
