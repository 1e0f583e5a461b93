"""What one test found, as a sentence and as a row of a table.

Example:

    print(report.text_table(COLUMNS, [finding.cells() for finding in findings]))
"""

import dataclasses
import math

from tfpipe.report.words import human_number

COLUMNS = ("feature", "profile", "now", "test", "p", "Jensen-Shannon", "PSI", "drifted")


@dataclasses.dataclass(frozen=True)
class Finding:
    """What one test found; prints as a sentence.

    Args:
        feature: "input/sharpness", "prediction/class", "embedding", "accuracy", "latency/p95", ...
        reference: the profile's value: a median, a class' share, a mean distance, an accuracy.
        now: the same of the new examples.
        test: its name.
        p_value: corrected for the number of tests in the look (Benjamini and Hochberg).
        jensen_shannon: the histograms' distance, 0 to 1; nan where there is none.
        stability_index: PSI; nan where there is none.
        drifted: whether the p-value is at most the look's level.
        about: the class that moved most, where the feature is the class.

    Example:

    >>> print(Finding("input/mean", 0.5, 0.4, "Kolmogorov-Smirnov", p_value=1e-4))
    input/mean is 0.4, in the profile 0.5: Kolmogorov-Smirnov, p 1.0e-04
    """

    feature: str
    reference: float
    now: float
    test: str
    p_value: float
    jensen_shannon: float = math.nan
    stability_index: float = math.nan
    drifted: bool = False
    about: str = ""

    def __str__(self) -> str:
        what = f"{self.feature} ({self.about})" if self.about else self.feature
        distances = "".join(
            f", {name} {value:.3f}"
            for name, value in (
                ("Jensen-Shannon", self.jensen_shannon),
                ("PSI", self.stability_index),
            )
            if not math.isnan(value)
        )
        return (
            f"{what} is {human_number(self.now)}, in the profile {human_number(self.reference)}: "
            f"{self.test}, p {self.p_value:.1e}{distances}"
        )

    def cells(self) -> list[str]:
        """The row of a table whose heads are `COLUMNS`."""
        name = f"{self.feature} ({self.about})" if self.about else self.feature
        numbers = [human_number(self.reference), human_number(self.now)]
        distances = [
            "–" if math.isnan(value) else f"{value:.3f}"
            for value in (self.jensen_shannon, self.stability_index)
        ]
        drifted = "yes" if self.drifted else "no"
        return [name, *numbers, self.test, f"{self.p_value:.1e}", *distances, drifted]
