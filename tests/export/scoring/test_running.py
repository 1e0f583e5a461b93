"""Running over a whole split: what is kept of each example, and what is not held in memory."""

import tracemalloc

import numpy as np
import pytest
import tensorflow as tf

from tfpipe import export
from tfpipe.errors import RequestError
from tfpipe.export.scoring.running import run_all

RNG = np.random.default_rng(0)
N = 50
LABELS = RNG.integers(0, 3, N)
SCORES = RNG.random((N, 3)).astype(np.float32)
PLACES = np.arange(N, dtype=np.float32)[:, None]  # an example is its place


def told(scores, name="by hand"):
    """A predictor that gives the scores of an example's place."""
    return export.Predictor(
        name, "keras", "float32", (1,), "float32", 0.0, lambda x: scores[x[:, 0].astype(int)]
    )


def batches(targets, batch_size=8):
    return tf.data.Dataset.from_tensor_slices((PLACES, targets)).batch(batch_size)


def refused(*arguments):
    with pytest.raises(RequestError) as caught:
        run_all(*arguments)
    return str(caught.value)


def test_of_classes():
    other = SCORES[:, ::-1].copy()
    task, expected, (found,) = run_all(told(SCORES), [told(other, "b")], batches(LABELS))
    assert (task.name, expected.name, found.name) == ("accuracy", "by hand", "b")
    np.testing.assert_array_equal(found.answers, other.argmax(1))
    np.testing.assert_array_equal(found.agreement, other.argmax(1) == SCORES.argmax(1))
    np.testing.assert_allclose(found.max_abs_diff, np.abs(other - SCORES).max(1))
    np.testing.assert_allclose(found.mean_abs_diff, np.abs(other - SCORES).mean(1), rtol=1e-6)
    np.testing.assert_array_equal(found.rows[:, 0], other.argmax(1) == LABELS)
    np.testing.assert_array_equal(expected.targets, LABELS)
    assert expected.agreement.min() == 1
    assert [found.constant, found.one_answer, found.infinite.any()] == [False] * 3


def test_of_labels_agreement_is_the_share_of_labels():
    targets, other = RNG.integers(0, 2, (N, 3)), np.roll(SCORES, 1, axis=0)
    task, _, (found,) = run_all(told(SCORES), [told(other)], batches(targets))
    assert task.name == "mean AUROC"
    np.testing.assert_allclose(found.agreement, ((other > 0.5) == (SCORES > 0.5)).mean(1))
    np.testing.assert_array_equal(found.answers, other > 0.5)
    _, _, (never,) = run_all(told(SCORES), [told(SCORES * 0.4)], batches(targets))
    assert [never.constant, never.one_answer] == [False, False]


def test_of_masks_agreement_is_the_share_of_pixels_and_the_scores_are_not_kept():
    scores = RNG.random((N, 4, 5, 3)).astype(np.float32)
    other = scores + RNG.normal(size=scores.shape).astype(np.float32) * 0.2
    task, expected, (found,) = run_all(
        told(scores), [told(other)], batches(RNG.integers(0, 3, (N, 4, 5)))
    )
    assert task.name == "mean IoU"
    np.testing.assert_allclose(
        found.agreement, (scores.argmax(-1) == other.argmax(-1)).mean((1, 2))
    )
    assert expected.answers is found.answers is None
    assert expected.targets is None


def test_of_numbers_agreement_is_a_difference_that_is_small_among_the_targets():
    targets = RNG.normal(size=(N, 2)).astype(np.float32) * 10
    scores = targets + 1
    moved = scores.copy()
    moved[: N // 2] += 0.04 * targets.std()
    moved[N // 2 :, 1] += 0.06 * targets.std()
    task, _, (found,) = run_all(told(scores), [told(moved)], batches(targets))
    assert task.name == "R2"
    np.testing.assert_array_equal(found.agreement, np.arange(N) < N // 2)
    np.testing.assert_array_equal(found.answers, moved)


def test_the_batches_change_nothing():
    other = np.roll(SCORES, 1, axis=0)
    one, two = (
        run_all(told(SCORES), [told(other)], batches(LABELS, size))[2][0] for size in (7, 50)
    )
    for name in ("answers", "agreement", "max_abs_diff", "mean_abs_diff", "rows", "infinite"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_scores_that_are_not_finite_are_counted_and_nothing_else_becomes_nan():
    other = SCORES.copy()
    other[3, 1], other[20, 2], other[49, 0] = np.nan, np.inf, -np.inf
    _, _, (found,) = run_all(told(SCORES), [told(other)], batches(LABELS))
    np.testing.assert_array_equal(np.flatnonzero(found.infinite), [3, 20, 49])
    for name in ("agreement", "max_abs_diff", "mean_abs_diff", "rows"):
        assert np.isfinite(getattr(found, name)).all()
    assert found.max_abs_diff.max() == 0
    assert found.answers[20] == SCORES[20, :2].argmax()  # what is no number counts as 0


def test_the_same_scores_and_the_same_answer_are_noticed():
    same = np.tile(SCORES[:1], (N, 1))
    one = same + RNG.random((N, 1)).astype(np.float32)
    last = same.copy()
    last[-1] = np.roll(last[-1], 1)
    predictors = [told(same), told(one), told(last)]
    _, _, found = run_all(told(SCORES), predictors, batches(LABELS))
    assert [answers.constant for answers in found] == [True, False, False]
    assert [answers.one_answer for answers in found] == [True, True, False]


def test_the_inputs_are_not_held_in_memory():
    size = 1_000_000

    def read(place):
        return tf.fill((size,), tf.cast(place, tf.float32))

    data = tf.data.Dataset.range(60).map(lambda place: (read(place), place % 2)).batch(2)
    predictor = export.Predictor(
        "a",
        "keras",
        "float32",
        (size,),
        "float32",
        0.0,
        lambda x: np.stack([x[:, 0], 1 - x[:, 0]], 1),
    )
    tracemalloc.start()
    try:
        run_all(predictor, [], data)
        assert tracemalloc.get_traced_memory()[1] < 10 * 4 * size  # of 60
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("number", "word"), [(0, "none"), (1, "one")])
def test_too_few_examples_are_refused(number, word):
    data = batches(LABELS).unbatch().take(number).batch(4)
    assert refused(told(SCORES), [], data) == (
        f"Expected `data` to hold at least two examples to verify with. Received: {word}."
    )


def test_data_without_targets_or_with_weights_are_refused():
    for data in (batches(LABELS).map(lambda x, y: x), batches(LABELS).map(lambda x, y: (x, y, y))):
        assert refused(told(SCORES), [], data) == (
            "Expected `data` to hold batches of (inputs, targets), one tensor each; of boxes and "
            "classes `data.map(models.box_targets)` makes one. "
            f"Received: {data.element_spec}"
        )


def test_a_reference_that_is_not_finite_is_refused():
    scores = SCORES.copy()
    scores[9, 2] = np.nan
    assert refused(told(scores), [], batches(LABELS)) == (
        "Expected a reference whose scores are finite. by hand gives infinite ones, or none; "
        "nothing can be compared with that."
    )


def test_scores_of_another_shape_are_refused():
    assert refused(told(SCORES), [told(SCORES[:, :2], "b.onnx")], batches(LABELS)) == (
        "Expected b.onnx to give scores of shape (8, 3), as by hand does. Received: (8, 2)"
    )
