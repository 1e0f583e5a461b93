"""One look at new examples: every feature tested against the profile, corrected for how many.

Example:

    for finding in look(profile, now, level=0.01):
        if finding.drifted:
            print(finding)
"""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import stats

from tfpipe.drift import distances, measures
from tfpipe.drift.finding import Finding
from tfpipe.drift.predictions import CLASS, CONFIDENCE
from tfpipe.drift.profiles import Profile

LEAST = 16  # examples that a test is made on
# Tests are made at this share of the rate that was asked for: a few p-values are approximate (a
# row's distance to a sample that it comes from itself, the kernel test's tail), and a rate that is
# promised must not hang on luck.
MARGIN = 0.75
SLACK = 1.5  # how much slower a request may be than the profile's
MOST_IN_KERNEL = 300  # of each sample: the kernel test's cost goes with the square
QUANTILES = {"median": 0.5, "p95": 0.95, "p99": 0.99}
DISTANCE = "input/distance"
LAYOUT, LAYOUT_DISTANCE = "input/layout", "input/layout/distance"
EMBEDDING, EMBEDDING_DISTANCE = "embedding", "embedding/distance"
DOUBT = "prediction/doubt"  # 1 less the confidence


class Window(NamedTuple):
    """New examples, as far as they are known.

    Args:
        rows: (N, columns of the profile).
        layouts: (N, L), of images; (N, 0) of anything else.
        embedded: (N, D); (0, 0) without a model.
        errors: of those whose labels have come, (M,).
        latency_ms: of the requests, (R,).
    """

    rows: np.ndarray
    layouts: np.ndarray
    embedded: np.ndarray
    errors: np.ndarray
    latency_ms: np.ndarray


def look(profile: Profile, now: Window, *, level: float) -> tuple[Finding, ...]:
    """Tests everything of which there are 16 examples or more.

    Benjamini and Hochberg's correction holds the share of false alarms among all alarms of the
    look to `level`; where nothing has drifted, that is the chance of any alarm.

    Returns:
        A finding per test, in the profile's order.
    """
    found = [
        *_columns(profile, now.rows),
        *_far(profile, now),
        *_together(LAYOUT, profile.layouts, now.layouts),
        *_together(EMBEDDING, profile.embedded, now.embedded),
        *_errors(profile, now.errors),
        *_latency(profile, now.latency_ms),
    ]
    if not found:
        return ()
    corrected = stats.false_discovery_control([finding.p_value for finding in found])
    return tuple(
        dataclasses.replace(finding, p_value=float(p), drifted=bool(p <= level))
        for finding, p in zip(found, corrected, strict=True)
    )


def most_moved(finding: Finding, profile: Profile, now: Window, number: int = 6) -> list[int]:
    """The places of the examples that a finding owes most to; none for accuracy and latency.

    They are those farthest in the direction in which the feature moved.
    """
    of_vectors = {LAYOUT: LAYOUT_DISTANCE, EMBEDDING: EMBEDDING_DISTANCE}
    name = of_vectors.get(finding.feature, finding.feature)
    if name in (DISTANCE, LAYOUT_DISTANCE, EMBEDDING_DISTANCE, DOUBT):
        values = _strangeness(name, profile, now)[1]
    elif finding.feature == CLASS:
        chosen = now.rows[:, profile.columns.index(CLASS)]
        grew = np.array([profile.class_name(c) == finding.about for c in chosen])
        values = np.where(grew == (finding.now > finding.reference), 1.0, np.nan)
    elif finding.feature in profile.columns:
        place = profile.columns.index(finding.feature)
        reference, values = profile.rows[:, place], now.rows[:, place]
        # By ranks: where a distribution widens to both sides, its median says nothing.
        rank = np.searchsorted(np.sort(reference), values) / len(reference) - 0.5
        values = (values - np.nanmedian(reference)) * (-1 if np.nanmean(rank) < 0 else 1)
    else:
        return []
    known = np.flatnonzero(np.isfinite(values))
    return known[np.argsort(-values[known], kind="stable")[:number]].tolist()


def _columns(profile: Profile, rows: np.ndarray) -> Iterator[Finding]:
    for place, name in enumerate(profile.columns):
        reference, now = (_known(each[:, place]) for each in (profile.rows, rows))
        if min(len(reference), len(now)) < LEAST:
            continue
        apart = (
            distances.jensen_shannon(reference, now),
            distances.stability_index(reference, now),
        )
        if name == CLASS:
            moved, (_, p_value) = measures.class_shares(reference, now)
            was, is_now = (float(np.mean(each == moved)) for each in (reference, now))
            about = profile.class_name(moved)
            yield Finding(name, was, is_now, "Fisher", p_value, *apart, about=about)
        else:
            p_value = measures.kolmogorov_smirnov(reference, now).p_value
            was, is_now = (float(np.median(each)) for each in (reference, now))
            yield Finding(name, was, is_now, "Kolmogorov-Smirnov", p_value, *apart)


def _far(profile: Profile, now: Window) -> Iterator[Finding]:
    for name in (DISTANCE, LAYOUT_DISTANCE, EMBEDDING_DISTANCE, DOUBT):
        reference, far = map(_known, _strangeness(name, profile, now))
        if min(len(reference), len(far)) >= LEAST:
            p_value = measures.among_the_farthest(reference, far).p_value
            means = float(reference.mean()), float(far.mean())
            yield Finding(name, *means, "minimum hypergeometric", p_value)


def _strangeness(name: str, profile: Profile, now: Window) -> tuple[np.ndarray, np.ndarray]:
    """How strange each of the profile's examples is, and each new one; of what is not known, none.

    The profile's are as new ones are: each is left out of what it is compared with.
    """
    if name == DOUBT:
        place = [profile.columns.index(CONFIDENCE)] if CONFIDENCE in profile.columns else []
        doubts = (1 - rows[:, place].ravel() for rows in (profile.rows, now.rows))
        return next(doubts), next(doubts)
    known, rows = {
        DISTANCE: (profile.input_distances, now.rows[:, : profile.num_inputs]),
        LAYOUT_DISTANCE: (profile.layout_distances, now.layouts),
        EMBEDDING_DISTANCE: (profile.embedding_distances, now.embedded),
    }[name]
    if known is None or not rows.shape[1]:
        return np.empty(0), np.empty(0)
    return known.own, known.of(rows)


def _together(name: str, reference: np.ndarray, now: np.ndarray) -> Iterator[Finding]:
    """The kernel test, whose tail is true from 32 examples on."""
    if reference.shape[1] and now.shape[1] and min(len(reference), len(now)) >= 2 * LEAST:
        found = measures.mean_discrepancy(*measures.evened(_some(reference), _some(now)))
        yield Finding(name, 0.0, found.statistic, "mean discrepancy", found.p_value)


def _some(rows: np.ndarray) -> np.ndarray:
    return rows[:: -(-len(rows) // MOST_IN_KERNEL)]


def _errors(profile: Profile, errors: np.ndarray) -> Iterator[Finding]:
    reference, now = _known(profile.errors), _known(errors)
    if min(len(reference), len(now)) < LEAST:
        return
    test, (_, p_value) = measures.more_wrong(reference, now)
    was, is_now = float(reference.mean()), float(now.mean())
    if profile.task == "target":
        yield Finding("error", was, is_now, test, p_value)
    else:
        yield Finding("accuracy", 1 - was, 1 - is_now, test, p_value)


def _latency(profile: Profile, latency_ms: np.ndarray) -> Iterator[Finding]:
    if min(len(profile.latency_ms), len(latency_ms)) < LEAST:
        return
    for name, quantile in QUANTILES.items():
        p_value = measures.slower(profile.latency_ms, latency_ms, quantile, SLACK).p_value
        was, is_now = (float(np.quantile(x, quantile)) for x in (profile.latency_ms, latency_ms))
        yield Finding(f"latency/{name}", was, is_now, f"binomial, {SLACK} times", p_value)


def _known(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]
