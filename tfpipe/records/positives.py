"""How much the positives of rare labels should count, where an example has several labels.

Example:

    loss = WeightedBinaryFocalCrossentropy(positive_weights(manifest))
"""

from tfpipe.errors import RequestError, received
from tfpipe.records.manifest import Manifest


def positive_weights(
    manifest: Manifest, split: str = "train", *, most: float = 20.0
) -> tuple[float, ...]:
    """For each label its negatives divided by its positives, so that both weigh the same.

    The ratio is that of Rajpurkar et al., "CheXNet", 2017, section 2.1. The limit is not theirs:
    without one, a batch with a single positive of a very rare label would be about nothing else.

    Args:
        manifest: of records with `labels`.
        split: the one that is counted; no other is looked at.
        most: the largest weight, from 1.

    Returns:
        A weight for each class, in their order; 1 for a label that has no positive to weigh, or
        no negative.

    Raises:
        RequestError: there are no `labels`, no such split, or `most` is below 1.

    Example:

    >>> import dataclasses, tempfile
    >>> import numpy as np
    >>> from tfpipe import records
    >>> rows = [{"id": str(n), "image": np.zeros((2, 2, 1), np.uint8), "labels": [1, int(n == 0)]}
    ...         for n in range(4)]
    >>> features = {"image": records.Feature("image", (2, 2, 1)),
    ...             "labels": records.Feature("labels", (2,))}
    >>> source = records.examples(rows, features, class_names="ab", split={"train": 1.0})
    >>> positive_weights(records.write(source, tempfile.mkdtemp() + "/x"))
    (1.0, 3.0)
    """
    if "labels" not in manifest.features:
        raise RequestError(
            f"Expected examples with `labels`, whose positives can be weighed. {manifest.name!r} "
            f"has: {', '.join(manifest.features)}"
        )
    if most < 1:
        raise RequestError(received("`most` to be at least 1", most=most))
    part = manifest.split(split)
    number = part.num_examples
    return tuple(
        min((number - positives) / positives, most) if 0 < positives < number else 1.0
        for positives in part.class_counts
    )
