"""Schedules are tfmot's, and one that would stop short is refused."""

import numpy as np
import pytest
import tensorflow as tf

from tfpipe.compress.schedules import (
    at_once,
    last_renewal,
    named,
    reached_at,
    require_reached,
    target,
)
from tfpipe.compress.tfmot import load_tfmot
from tfpipe.errors import RequestError

SCHEDULES = load_tfmot().sparsity.keras


def renewals(schedule, num_steps):
    found = [schedule(tf.constant(step, tf.int64)) for step in range(1, num_steps + 1)]
    return {step: float(s) for step, (due, s) in enumerate(found, 1) if due}


@pytest.mark.parametrize("num_steps", [1, 2, 7, 100, 333])
@pytest.mark.parametrize("name", ["polynomial", "constant"])
def test_the_last_renewal_is_in_the_first_half_and_asks_for_all(name, num_steps):
    schedule = named(name, 0.75, num_steps)
    found = renewals(schedule, num_steps)
    last = last_renewal(schedule, num_steps)
    assert list(found)[-1] == last <= max(1, num_steps // 2)
    assert found[last] == target(schedule) == 0.75
    require_reached(schedule, num_steps)


def test_constant_asks_for_all_from_the_first_step_on():
    found = renewals(named("constant", 0.75, 400), 400)
    assert list(found) == list(range(1, 201, 4))
    assert set(found.values()) == {0.75}


def test_the_polynomial_is_cubic():
    for step, sparsity in renewals(named("polynomial", 0.8, 400), 400).items():
        assert sparsity == pytest.approx(0.8 * (1 - (1 - step / 200) ** 3), abs=1e-6)


def test_at_once_is_once():
    assert renewals(at_once(0.5), 20) == {1: 0.5}


@pytest.mark.parametrize(
    "schedule",
    [
        SCHEDULES.PolynomialDecay(0.1, 0.6, begin_step=3, end_step=23, frequency=5),
        SCHEDULES.PolynomialDecay(0.1, 0.6, begin_step=3, end_step=21, frequency=5),
        SCHEDULES.ConstantSparsity(0.6, begin_step=4, frequency=7),
        SCHEDULES.ConstantSparsity(0.6, begin_step=60),
    ],
)
def test_the_last_renewal_is_found_without_trying_all_steps(schedule):
    assert last_renewal(schedule, 30) == max(renewals(schedule, 30), default=0)


@pytest.mark.parametrize(
    ("schedule", "reached"),
    [
        (
            SCHEDULES.PolynomialDecay(0.0, 0.5, begin_step=0, end_step=15, frequency=10),
            "0.481 in step 10",
        ),
        (SCHEDULES.PolynomialDecay(0.0, 0.5, begin_step=0, end_step=40, frequency=10), "0.492"),
        (SCHEDULES.ConstantSparsity(0.5, begin_step=60), "0 in step 0"),
    ],
)
def test_a_schedule_that_stops_short_is_refused(schedule, reached):
    with pytest.raises(RequestError) as caught:
        require_reached(schedule, 30)
    config = ", ".join(f"{k}={v!r}" for k, v in schedule.get_config()["config"].items())
    begin, end = str(caught.value).split(reached)
    assert begin == (
        "Expected `schedule` to reach its sparsity of 0.5 in the 30 steps of this training. "
        "It reaches "
    )
    assert end.endswith(
        ", its last one. `end_step - begin_step` must be a multiple of `frequency`, and "
        f"`end_step` at most 30. Received: {config}"
    )


def test_all_zeros_are_there_before_the_last_renewal_of_a_constant():
    assert reached_at(named("constant", 0.6, 400), 400) == 1
    assert reached_at(SCHEDULES.ConstantSparsity(0.6, begin_step=0, frequency=7), 400) == 7
    assert reached_at(SCHEDULES.ConstantSparsity(0.6, begin_step=4, frequency=7), 400) == 4
    assert reached_at(named("polynomial", 0.6, 400), 400) == 200


def test_an_unknown_name_is_refused():
    with pytest.raises(RequestError) as caught:
        named("polinomial", 0.5, 10)
    assert str(caught.value) == (
        "Expected `schedule` to be one of 'polynomial', 'constant'. Received: "
        "schedule='polinomial'. Did you mean 'polynomial'?"
    )


def test_a_schedule_of_ones_own_is_taken_as_it_is():
    class Own(SCHEDULES.PruningSchedule):
        def __call__(self, step):
            return step == 2, tf.constant(0.5)

        def get_config(self):
            return {"class_name": "Own", "config": {}}

    require_reached(Own(), 1)
    assert last_renewal(Own(), 10) == 0
    assert np.isclose(renewals(Own(), 5)[2], 0.5)
