"""When masks are renewed, and how many zeros they then have: tfmot's schedules."""

from typing import Any

import tensorflow as tf

from tfpipe.compress.patterns import Pattern, groups
from tfpipe.compress.tfmot import load_tfmot
from tfpipe.errors import RequestError, one_of, received

NAMES = ("polynomial", "constant")
NUM_RENEWALS = 50


def check_sparsity(final_sparsity: float | None, pattern: Pattern, schedule: Any) -> None:
    """Refuses a share of zeros out of range, or one that something else says already."""
    if final_sparsity is not None and not 0 <= final_sparsity < 1:
        raise RequestError(
            received("`final_sparsity` to be at least 0 and below 1", final_sparsity=final_sparsity)
        )
    if groups(pattern) and (final_sparsity is not None or schedule != "polynomial"):
        raise RequestError(
            received(
                f"neither `final_sparsity` nor `schedule`: the pattern {pattern!r} says how many "
                "weights are zero, from the first step on",
                final_sparsity=final_sparsity,
                schedule=schedule,
            )
        )
    if not isinstance(schedule, str) and final_sparsity is not None:
        raise RequestError(
            received("`final_sparsity` in the schedule alone", final_sparsity=final_sparsity)
        )


def named(name: str, final_sparsity: float, num_steps: int) -> Any:
    """tfmot's schedule of that name, over the first half of the steps.

    Args:
        name: "polynomial": from 0 to `final_sparsity` as 1 - (1 - t)^3 (Zhu and Gupta, "To prune,
            or not to prune", 2017); "constant": `final_sparsity` from the first step on.
        final_sparsity: the share of zeros, from 0 to below 1.
        num_steps: of the training.

    >>> named("polynomial", 0.8, 1000).get_config()["config"]["frequency"]
    10
    """
    if name not in NAMES:
        raise RequestError(one_of("schedule", name, NAMES))
    every = max(1, num_steps // (2 * NUM_RENEWALS))
    # The last renewal must fall on a multiple of `every`, or the final sparsity is not reached.
    last = max(every, num_steps // 2 // every * every)
    schedules = load_tfmot().sparsity.keras
    if name == "constant":
        return schedules.ConstantSparsity(final_sparsity, 1, end_step=last, frequency=every)
    return schedules.PolynomialDecay(
        0.0, final_sparsity, begin_step=0, end_step=last, frequency=every
    )


def at_once(sparsity: float) -> Any:
    """tfmot's schedule of masks that are made once, after the first step."""
    constant = load_tfmot().sparsity.keras.ConstantSparsity
    return constant(sparsity, 1, end_step=1, frequency=1)


def target(schedule: Any) -> float | None:
    """The share of zeros that one of tfmot's own schedules ends with."""
    config = schedule.get_config()["config"]
    return config.get("final_sparsity", config.get("target_sparsity"))


def last_renewal(schedule: Any, num_steps: int) -> int:
    """The step of the last renewal of the masks; 0 where there is none, or it cannot be told."""
    config = schedule.get_config()["config"]
    if not {"begin_step", "end_step", "frequency"} <= set(config):
        return 0
    begin, end, every = config["begin_step"], config["end_step"], config["frequency"]
    end = num_steps if end < 0 else min(end, num_steps)
    return max(0, begin + (end - begin) // every * every)


def reached_at(schedule: Any, num_steps: int) -> int:
    """The first step whose masks have all the zeros; 0 where it cannot be told."""
    config = schedule.get_config()["config"]
    if "target_sparsity" in config:
        return config["begin_step"] or config["frequency"]  # steps begin at 1
    return last_renewal(schedule, num_steps)


def require_reached(schedule: Any, num_steps: int) -> None:
    """Refuses a schedule that would end at another sparsity than the one it is made for.

    tfmot renews masks in steps `begin_step + n * frequency` only, so its schedules stop short
    where the last of these comes before `end_step`.
    """
    wanted = target(schedule)
    if wanted is None:
        return
    last = last_renewal(schedule, num_steps)
    reached = float(schedule(tf.constant(last, tf.int64))[1]) if last else 0.0
    if abs(reached - wanted) > 1e-6:
        raise RequestError(
            received(
                f"`schedule` to reach its sparsity of {wanted} in the {num_steps} steps of this "
                f"training. It reaches {reached:.3g} in step {last}, its last one. "
                "`end_step - begin_step` must be a multiple of `frequency`, and `end_step` at most "
                f"{num_steps}",
                **schedule.get_config()["config"],
            )
        )
