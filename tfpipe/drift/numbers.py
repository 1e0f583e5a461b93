"""What the latest look found as plain numbers, for a page of metrics.

Example:

    numbers(findings, latency_ms)["p_value/input/sharpness"]
"""

from collections.abc import Sequence

import numpy as np

from tfpipe.drift.finding import Finding
from tfpipe.drift.findings import QUANTILES


def numbers(findings: Sequence[Finding], latency_ms: np.ndarray) -> dict[str, float]:
    """Of each feature what there is of its p-value, value and distances; the latency's quantiles.

    >>> numbers([], np.array([1.0, 3.0]))["latency_ms/median"]
    2.0
    """
    found: dict[str, float] = {"drifted": sum(finding.drifted for finding in findings)}
    for finding in findings:
        values = {
            "p_value": finding.p_value,
            "now": finding.now,
            "reference": finding.reference,
            "jensen_shannon": finding.jensen_shannon,
            "stability_index": finding.stability_index,
        }
        known = {name: value for name, value in values.items() if np.isfinite(value)}
        found.update({f"{name}/{finding.feature}": value for name, value in known.items()})
    if len(latency_ms):
        for name, quantile in QUANTILES.items():
            found[f"latency_ms/{name}"] = float(np.quantile(latency_ms, quantile))
    return found
