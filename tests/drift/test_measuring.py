"""New examples in the profile's numbers; what the profile cannot be compared with is refused."""

import dataclasses

import numpy as np
import pytest

from tfpipe.drift.features import image_row
from tfpipe.drift.inputs import read
from tfpipe.drift.measuring import measure


@pytest.fixture(scope="module")
def three(fresh):
    return read(fresh[0][:3], None)


SCORES = np.tile(np.r_[0.91, np.full(9, 0.01)], (3, 1))


def test_rows_are_the_inputs_and_the_scores(profiled, three):
    found = measure(profiled, three, SCORES, np.ones((3, 32)), [0, 0, 4])
    assert found.rows.shape == (3, len(profiled.columns))
    assert found.rows[1, :4] == pytest.approx(image_row(three.takes[1]))
    assert found.rows[:, -2:] == pytest.approx(np.array([[0, 0.91]] * 3))
    assert (found.answered.tolist(), found.errors.tolist()) == ([0, 0, 0], [0, 0, 1])
    assert found.embedded.shape == (3, 32)
    assert [picture.shape for picture in found.shown(16)] == [(16, 16, 1)] * 3


def test_without_scores_those_columns_are_unknown(profiled, three):
    found = measure(profiled, three, None)
    assert np.isnan(found.rows[:, profiled.num_inputs :]).all()
    assert np.isfinite(found.rows[:, :4]).all()
    assert (len(found.answered), found.embedded.shape) == (0, (3, 0))
    assert np.isnan(found.errors).all()


def test_targets_of_boxes_tell_no_error(profiled, three):
    boxed = {"boxes": np.zeros((3, 1, 4)), "classes": np.zeros((3, 1))}
    assert np.isnan(measure(profiled, three, SCORES, None, boxed).errors).all()


def test_another_kind_is_refused(profiled, refused):
    others = read(np.zeros((3, 8, 8, 1), np.uint8), None)
    assert refused(measure, profiled, others, None) == (
        "Expected examples of kind 'image' and shape (32, 32, 1), as in the profile. "
        "Received: 'image' of shape (8, 8, 1)."
    )


def test_other_scores_are_refused(profiled, plain, three, refused):
    assert refused(measure, profiled, three, SCORES[:, :4]) == (
        "Expected scores of shape (3, 10), as in the profile. Received: shape=(3, 4)"
    )
    assert refused(measure, plain, three, SCORES) == (
        "Expected no scores: the profile was made without a model, and has none. "
        "Received: shape=(3, 10)"
    )


def test_another_models_features_are_refused(profiled, three, refused):
    assert refused(measure, profiled, three, SCORES, np.ones((3, 8))) == (
        "Expected the profile's model, with 32 projected features. Received: one with 8."
    )
    bare = dataclasses.replace(profiled, embedded=np.empty((400, 0)))
    assert "with 0 projected features" in refused(measure, bare, three, SCORES, np.ones((3, 8)))
