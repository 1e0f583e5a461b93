"""Real shifts are found, equal halves are not, and what is refused says why."""

import cv2
import numpy as np
import pytest

from tfpipe import drift, models


def features(comparison):
    return {finding.feature for finding in comparison.drifted}


def blurred(images):
    return np.stack([cv2.GaussianBlur(image, (0, 0), 1)[..., None] for image in images])


def test_others_like_the_profiles_have_not_drifted(fresh, profiled, trained, prepare):
    found = drift.compare(profiled, fresh, model=trained, prepare=prepare)
    assert (found.drifted, found.num_examples, len(found.findings)) == ((), 397, 13)


@pytest.mark.parametrize(
    ("change", "feature"),
    [
        (lambda images: (images * 0.8).astype(np.uint8), "input/mean"),
        (blurred, "input/sharpness"),
        (lambda images: images[:, ::-1], "embedding"),
    ],
)
def test_shifts_are_found(change, feature, fresh, profiled, trained, prepare):
    images = change(fresh[0][:120])
    found = drift.compare(profiled, images, model=trained, prepare=prepare)
    assert feature in features(found)
    alarm = next(alarm for alarm in found.alarms if alarm.finding.feature == feature)
    assert len(alarm.moved) == 6
    assert alarm.moved[0].shown.shape == (32, 32, 1)
    assert (alarm.moved[0].shown == images[int(alarm.moved[0].id)]).all()


def test_a_class_too_many_and_worse_answers_are_found(fresh, profiled, trained, prepare):
    images, labels = fresh
    eights = images[labels == 8]
    wrong = np.zeros(len(eights), int)
    found = drift.compare(profiled, (eights, wrong), model=trained, prepare=prepare)
    assert {"prediction/class", "accuracy"} <= features(found)


def test_without_a_model_only_inputs_are_compared(fresh, profiled):
    found = drift.compare(profiled, fresh[0])
    assert {f.feature.partition("/")[0] for f in found.findings} == {"input"}


def test_it_prints_as_a_table_and_a_verdict(fresh, plain):
    found = drift.compare(plain, fresh[0] // 2)
    lines = str(found).splitlines()
    assert lines[0].split() == [
        *("feature", "profile", "now", "test", "p", "Jensen-Shannon", "PSI", "drifted"),
    ]
    assert lines[-1] == (
        "Of 7 tests on 397 examples, at the level 0.0075: input/mean, "
        "input/contrast, input/sharpness, input/noise, input/distance drifted."
    )


def test_the_farthest_are_the_strangest(fresh, plain):
    images = fresh[0].copy()
    images[17] = np.random.default_rng(0).integers(0, 256, (32, 32, 1))
    assert drift.compare(plain, images).farthest()[0].id == "17"


@pytest.mark.parametrize(
    ("data", "options", "sentence"),
    [
        (
            np.zeros((9, 32, 32, 1), np.uint8),
            {},
            "Expected at least 16 examples. Received: examples=9",
        ),
        ([], {}, "Expected at least 16 examples. Received: examples=0"),
        (
            np.zeros((40, 32, 32, 3), np.uint8),
            {},
            "Expected examples of kind 'image' and shape (32, 32, 1), as in the profile. "
            "Received: 'image' of shape (32, 32, 3).",
        ),
        (
            np.zeros((40, 32, 32, 1), np.uint8),
            {"alert": 0},
            "Expected `alert` to be over 0 and under 1. Received: alert=0",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(data, options, sentence, plain, refused):
    assert refused(drift.compare, plain, data, **options) == sentence


def test_examples_have_the_ids_that_they_are_given(plain, fresh, refused):
    darker = (fresh[0][:40] * 0.5).astype(np.uint8)
    names = [f"{place}.png" for place in range(40)]
    found = drift.compare(plain, [darker[:25], darker[25:]], ids=names)
    assert [seen.id for seen in found.seen] == names
    for wrong in (names[:39], [*names, "more"]):
        assert refused(drift.compare, plain, darker, ids=wrong) == (
            f"Expected as many `ids` as examples. Received: ids={len(wrong)}, examples=40"
        )


def test_an_example_is_told_by_its_number_in_all_batches(plain, refused):
    greys = np.zeros((20, 32, 32, 1), np.float32)
    broken = greys.copy()
    broken[3] = np.nan
    found = drift.profile([greys, greys])
    assert refused(drift.compare, found, [greys, broken]).endswith("the first in example 23.")
    assert refused(drift.profile, [greys, broken]).endswith("the first in example 23.")


def test_another_model_than_the_profiles_is_refused(
    fresh, plain, profiled, trained, prepare, refused
):
    images = fresh[0][:40]
    other = models.lenet5(num_classes=3)
    assert refused(drift.compare, profiled, images, model=other, prepare=prepare) == (
        "Expected scores of shape (40, 10), as in the profile. Received: shape=(40, 3)"
    )
    assert refused(drift.compare, plain, images, model=trained, prepare=prepare) == (
        "Expected no scores: the profile was made without a model, and has none. "
        "Received: shape=(40, 10)"
    )


@pytest.mark.slow
def test_of_200_equal_halves_no_more_alarm_than_stated(digits):
    rows, alarms, rate = digits[0], 0, 0.05
    everything = drift.profile(rows)
    for repeat in range(200):
        order = np.random.default_rng(repeat).permutation(len(rows))
        profile = drift.profile(rows[order[:300]])
        alarms += bool(drift.compare(profile, rows[order[300:600]], alert=rate).drifted)
    assert everything.num_examples == len(rows)
    assert alarms <= 200 * rate
