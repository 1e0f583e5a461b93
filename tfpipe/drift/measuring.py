"""New examples as numbers that a profile can be compared with.

Example:

    measured = measure(profile, read(images, None), scores)
"""

from typing import Any, NamedTuple

import numpy as np

from tfpipe.drift.features import input_rows, layouts
from tfpipe.drift.inputs import Examples, require_same
from tfpipe.drift.predictions import answers, errors, prediction_rows, require_scores
from tfpipe.drift.profiles import Profile
from tfpipe.drift.seeing import Shown, shown
from tfpipe.errors import RequestError, received


class Measured(NamedTuple):
    """N examples in numbers.

    Args:
        examples: themselves.
        rows: float32 (N, columns of the profile).
        layouts: float32 (N, 32) of images; (N, 0) of anything else.
        embedded: float32 (N, D), or (N, 0).
        answered: what late labels are compared with; () without scores.
        errors: float32 (N,); nan where there is no target.
    """

    examples: Examples
    rows: np.ndarray
    layouts: np.ndarray
    embedded: np.ndarray
    answered: np.ndarray
    errors: np.ndarray

    def shown(self, side_px: int) -> list[Shown]:
        """What a person sees of them."""
        return shown(self.examples, side_px)


def measure(
    profile: Profile,
    examples: Examples,
    scores: np.ndarray | None,
    embedded: np.ndarray | None = None,
    targets: Any = None,
) -> Measured:
    """Measures what the profile measures.

    Raises:
        RequestError: examples or scores that are not of the profile's kind and shape, or scores
            where the profile has none.
    """
    require_same(examples, profile.kind, profile.shape)
    number, num_scores = len(examples), len(profile.columns) - profile.num_inputs
    predicted = np.full((number, num_scores), np.nan, np.float32)
    answered, wrong = np.empty(0), np.full(number, np.nan, np.float32)
    if scores is not None:
        if not profile.task:
            expected = "no scores: the profile was made without a model, and has none"
            raise RequestError(received(expected, shape=np.shape(scores)))
        scores = np.asarray(scores)
        require_scores(scores, profile.scores_shape, number)
        predicted, answered = prediction_rows(scores, profile.task), answers(scores, profile.task)
        if targets is not None and not isinstance(targets, dict):
            wrong = errors(answered, targets, profile.task)
    rows = np.column_stack([input_rows(examples), predicted])
    vectors = layouts(examples), _embedded(profile, embedded, number)
    return Measured(examples, rows, *vectors, answered, wrong)


def _embedded(profile: Profile, embedded: np.ndarray | None, number: int) -> np.ndarray:
    if embedded is None:
        return np.empty((number, 0), np.float32)
    expected = profile.embedded.shape[1]
    if embedded.shape[1] != expected:
        raise RequestError(
            f"Expected the profile's model, with {expected} projected features. Received: one with "
            f"{embedded.shape[1]}."
        )
    return embedded
