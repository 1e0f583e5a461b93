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

from tfpipe.drift.batching import batches
from tfpipe.drift.embedding import looking
from tfpipe.drift.features import input_names, input_rows
from tfpipe.drift.inputs import Examples, read, require_same
from tfpipe.drift.predictions import (
    answers,
    errors,
    prediction_names,
    prediction_rows,
    require_scores,
    task_of,
)
from tfpipe.drift.profiles import Profile
from tfpipe.errors import RequestError, received

if TYPE_CHECKING:
    import keras

    from tfpipe.ops import Chain

LEAST_EXAMPLES = 32  # two halves of 16
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
    sample, first = _Sample(seed), None
    task, scores_shape = "", ()
    columns: tuple[str, ...] = ()
    for inputs, targets in batches(data):
        examples = read(inputs, prepare)
        rows, number = input_rows(examples), len(examples)
        embedded, wrong = np.empty((number, 0), np.float32), np.full(number, np.nan, np.float32)
        if look is not None:
            scores, embedded = look(examples)
            scores_shape = scores_shape or scores.shape[1:]
            require_scores(scores, scores_shape, number)
            task = task or task_of(scores, _plain(targets))
            rows = np.column_stack([rows, prediction_rows(scores, task)])
            if targets is not None:
                wrong = errors(answers(scores, task), _plain(targets), task)
        if first is None:
            first = examples
            named = prediction_names(task, scores_shape, class_names) if task else ()
            columns = (*input_names(examples), *named)
        require_same(examples, first.kind, first.shape)
        sample.add(zip(rows, embedded, wrong, strict=True))
    if first is None or sample.seen < LEAST_EXAMPLES:
        raise RequestError(received(f"at least {LEAST_EXAMPLES} examples", examples=sample.seen))
    kept_rows, kept_embedded, kept_errors = map(np.stack, zip(*sample.kept, strict=True))
    return Profile(
        first.kind,
        first.shape,
        task,
        tuple(scores_shape),
        tuple(class_names),
        columns,
        sample.seen,
        kept_rows,
        kept_embedded,
        kept_errors,
        latency_ms=np.empty(0) if look is None else _timed(look, first),
    )


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


def _plain(targets: Any) -> Any:
    return None if isinstance(targets, dict) else targets
