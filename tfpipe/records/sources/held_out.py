"""A val split for data that come with train and test alone.

Example:

    source = with_val(voc_boxes("VOC2007"), 0.1, seed=0)
"""

import dataclasses
from collections.abc import Iterator

from tfpipe.errors import RequestError, received
from tfpipe.records.sources.base import Example, Source
from tfpipe.records.sources.division import rule
from tfpipe.records.sources.splits import split_of


def with_val(source: Source, fraction: float = 0.1, *, seed: int = 0) -> Source:
    """The source, with a part of its train examples as val, where it has no val split.

    The examples are drawn one by one, as `split=` does where it divides what is given as train.

    Args:
        source: any source; with a val split it is returned as it is.
        fraction: of the train examples, above 0 and below 1.
        seed: another seed draws others.

    Returns:
        A source of the same examples.

    Raises:
        RequestError: the fraction is another, or the source keeps groups together: pass it
            `split=` itself.

    Example:

    >>> import numpy as np
    >>> from tfpipe.records import arrays
    >>> given = {f"{n:06d}": "test" if n > 7 else "train" for n in range(10)}
    >>> source = arrays(np.zeros((10, 8, 8), np.uint8), np.arange(10) % 2, split=given)
    >>> sorted({example["split"] for example in with_val(source, 0.4)})
    ['test', 'train', 'val']
    """
    if not 0 < fraction < 1:
        raise RequestError(received("`fraction` to be above 0 and below 1", fraction=fraction))
    if any(example["split"] == "val" for example in source):
        return source
    if source.rule.get("grouped_by"):
        raise RequestError(
            "Expected a source without groups, which this could divide. Received one grouped by "
            f"{source.rule['grouped_by']}; pass it `split=(0.9, 0.1)`."
        )
    fractions = {"train": 1 - fraction, "val": fraction}

    def iterate() -> Iterator[Example]:
        for example in source:
            if example["split"] == "train":
                yield {**example, "split": split_of(example["id"], fractions, seed)}
            else:
                yield example

    made = rule(fractions, seed, given_by=str(source.rule.get("given_by") or "the source"))
    return dataclasses.replace(source, rule=made, iterate=iterate)
