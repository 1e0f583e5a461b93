"""Metrics that Keras lacks, as Keras metrics.

Keras' own are right where it has them: `MeanIoU(num_classes, sparse_y_pred=False)` for masks,
`AUC(multi_label=True)` for the mean over labels, `F1Score` for classes.
"""

from collections.abc import Sequence
from typing import Any

from tfpipe.backend import keras
from tfpipe.errors import RequestError, received

ops = keras.ops


@keras.saving.register_keras_serializable("tfpipe")
class AUCPerLabel(keras.metrics.AUC):
    """The area under the ROC curve of every label, and their mean.

    Counted at `num_thresholds` thresholds, and joined by straight lines, as `keras.metrics.AUC`
    does. A label without positives or without negatives has no ROC: nan, and no share in the mean.

    Args:
        labels: the labels' names.
        num_thresholds: more are more exact.
        name: of the mean in the history; each label's is "name/label".

    Input shape: multi-hot (B, num_labels), probabilities (B, num_labels).

    Raises:
        RequestError: no labels.

    Example:

    >>> metric = AUCPerLabel(["cat", "dog"])
    >>> metric.update_state([[1, 0], [0, 1], [0, 0]], [[0.9, 0.6], [0.1, 0.5], [0.2, 0.4]])
    >>> {name: round(float(value), 2) for name, value in metric.result().items()}
    {'auc': 0.75, 'auc/cat': 1.0, 'auc/dog': 0.5}
    """

    def __init__(
        self, labels: Sequence[str], num_thresholds: int = 200, name: str = "auc", **kwargs: Any
    ):
        if not labels:
            raise RequestError(received("`labels` to name at least one label", labels=labels))
        super().__init__(
            num_thresholds=num_thresholds,
            name=name,
            multi_label=True,
            num_labels=len(labels),
            **kwargs,
        )
        self.labels = list(labels)

    def result(self) -> dict[str, Any]:
        """The mean, and every label's."""
        positives = self.true_positives + self.false_negatives  # (num_thresholds, num_labels)
        negatives = self.true_negatives + self.false_positives
        hits = self.true_positives / positives
        alarms = self.false_positives / negatives
        areas = ops.sum((alarms[:-1] - alarms[1:]) * (hits[:-1] + hits[1:]) / 2, axis=0)
        known = ops.logical_not(ops.isnan(areas))
        total = ops.sum(ops.where(known, areas, 0.0))
        mean = total / ops.sum(ops.cast(known, areas.dtype))
        by_label = {f"{self.name}/{label}": areas[n] for n, label in enumerate(self.labels)}
        return {self.name: mean, **by_label}

    def get_config(self) -> dict[str, Any]:
        """What makes it again."""
        return {
            "labels": self.labels,
            "num_thresholds": self.num_thresholds,
            "name": self.name,
            "dtype": self.dtype,
        }
