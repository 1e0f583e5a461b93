"""A profile is of the examples: their numbers, the model's answers, and no examples."""

import dataclasses

import numpy as np
import pytest

from tfpipe import drift, models
from tfpipe.drift import profiling
from tfpipe.drift.features import image_row, layouts
from tfpipe.drift.inputs import read
from tfpipe.drift.profiling import MOST_EXAMPLES


def test_a_profile_holds_every_examples_numbers(known, profiled, trained):
    images, labels = known
    scores = trained.predict(images / np.float32(255), verbose=0)
    rows = dict(zip(profiled.columns, profiled.rows.T, strict=True))
    assert rows["input/mean"] == pytest.approx([image_row(image)[0] for image in images])
    assert np.isnan(rows["input/height_px"]).all()  # nobody knows what it was
    assert (rows["prediction/class"] == scores.argmax(1)).all()
    assert rows["prediction/confidence"] == pytest.approx(scores.max(1), abs=1e-5)
    assert (profiled.errors == (scores.argmax(1) != labels)).all()
    assert (profiled.task, profiled.scores_shape, profiled.num_examples) == ("label", (10,), 400)
    assert profiled.embedded.shape == (400, 32)
    assert (profiled.layouts == layouts(read(images, None))).all()
    assert (profiled.latency_ms > 0).all()


def test_batches_and_arrays_give_the_same(known, plain):
    images = known[0]
    other = drift.profile([images[:150], images[150:]])
    assert np.array_equal(other.rows, plain.rows, equal_nan=True)
    assert (plain.task, plain.num_inputs, len(plain.columns)) == ("", 6, 6)


def test_texts_have_a_profile(reading):
    model = models.bilstm((4,), 2, vocabulary_size=5, units=3)
    texts = ["a fine film", "a film and no more of it"] * 20
    found = drift.profile((texts, [0, 1] * 20), model, reading)
    assert found.columns[:3] == ("input/words", "input/unknown", "input/letters per word")
    assert found.rows[1, :2] == pytest.approx([7, 5 / 7])
    assert (found.kind, found.shape, found.task) == ("text", (4,), "label")


def test_of_many_examples_a_sample_is_kept_each_as_likely():
    values = np.arange(9000, dtype=np.float32)[:, None]
    found = drift.profile(values)
    kept = found.rows[:, 0]
    assert (len(kept), found.num_examples) == (MOST_EXAMPLES, 9000)
    assert len(np.unique(kept)) == MOST_EXAMPLES
    assert np.histogram(kept, 3, (0, 9000))[0] == pytest.approx(MOST_EXAMPLES / 3, abs=100)


def test_of_large_examples_fewer_are_kept_so_that_the_file_is_small():
    sample = profiling._Sample(0)
    sample.add([(np.zeros(199, np.float32), 0.0)] * 3000)
    assert (len(sample.kept), sample.seen) == (700_000 // 800, 3000)


def test_the_first_run_is_not_timed_and_each_is_of_one_example():
    """A text of two windows is one example."""
    seen = []
    examples = read(np.arange(6.0).reshape(3, 2), None)
    pair = dataclasses.replace(examples, rows_each=np.array([2, 1]))
    times = profiling._timed(lambda one: seen.append(one.takes.tolist()), pair)
    assert seen == [[[0, 1], [2, 3]]] * (len(times) + 1)
    assert len(times) == profiling.MOST_TIMED


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "Expected at least 32 examples. Received: examples=0"),
        (np.zeros((20, 3)), "Expected at least 32 examples. Received: examples=20"),
        (
            [np.zeros((20, 3)), np.zeros((20, 4))],
            "Expected examples of kind 'sequence' and shape (3,), as in the profile. "
            "Received: 'sequence' of shape (4,).",
        ),
        (
            np.full((40, 3), np.nan),
            "Expected finite numbers. Received: 120 of 120 that are infinite or no number, the "
            "first in example 0.",
        ),
    ],
)
def test_what_makes_no_profile_is_refused(data, sentence, refused):
    assert refused(drift.profile, data) == sentence


def test_constant_features_make_a_profile_that_sees_any_change():
    found = drift.profile(np.ones((40, 2)))
    assert not drift.compare(found, np.ones((40, 2))).drifted
    changed = drift.compare(found, np.column_stack([np.ones(40), np.full(40, 1.01)]))
    assert [f.feature for f in changed.drifted] == ["input/mean 1", "input/distance"]
