"""Whether features can be stored and read, and examples have classes that there are.

Example:

    require_features({"label": Feature("label")}, ("cat", "dog"))
    problem({"label": 2}, {"label": Feature("label")}, num_classes=2)
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfpipe.errors import RequestError, one_of, received
from tfpipe.records.sources.base import KINDS, Example, Feature
from tfpipe.records.sources.masks import GREYS

# What is checked, decoded and counted by its key.
OF_ONE_NAME = ("image", "mask", "label", "labels", "boxes", "classes")
CLASSES = ("label", "labels", "classes")


def require_features(features: Mapping[str, Feature], class_names: Sequence[str]) -> None:
    """Checks that features are of kinds that there are, and of shapes that can be read.

    Raises:
        RequestError: says which feature, and what is wrong with it.
    """
    for key, feature in features.items():
        if feature.kind not in KINDS:
            raise RequestError(one_of("kind", feature.kind, KINDS))
        if key != feature.kind and feature.kind in OF_ONE_NAME:
            expected = f"the feature of the kind {feature.kind!r} to have that name"
            raise RequestError(received(expected, key=key))
        if feature.kind in CLASSES and not class_names:
            raise RequestError(
                received(f"`class_names` to name the classes of {key!r}", class_names=class_names)
            )
        if not _fits(feature, len(class_names)):
            expected = f"{key!r} to have {_NEEDS[feature.kind]}"
            raise RequestError(received(expected, feature=feature))


def problem(example: Example, features: Mapping[str, Feature], num_classes: int) -> str | None:
    """What is wrong with an example's classes; None if nothing is.

    >>> problem({"label": 2}, {"label": Feature("label")}, num_classes=2)
    "expected 'label' to be from 0 to 1, found 2"
    """
    for key, feature in features.items():
        if feature.kind in CLASSES and key in example:
            limit = 2 if feature.kind == "labels" else num_classes
            if _beyond(example[key], limit):
                what = "zeros and ones" if feature.kind == "labels" else f"from 0 to {limit - 1}"
                return f"expected {key!r} to be {what}, found {example[key]}"
    return None


def _beyond(classes: Any, limit: int) -> bool:
    try:
        numbers = np.asarray(classes)
    except ValueError:  # lists that differ in length
        return False
    # What are no whole numbers is refused, with the reason, when it is stored.
    return numbers.dtype.kind in "iu" and bool(((numbers < 0) | (numbers >= limit)).any())


def _fits(feature: Feature, num_classes: int) -> bool:
    shape, known = feature.shape, None not in feature.shape
    fits = {
        "image": len(shape) == 3 and shape[2] in (1, 3),
        "mask": len(feature.table) == GREYS,
        "labels": shape == (num_classes,),
        "sequence": len(shape) == 2 and known,
        "target": len(shape) < 2 and known,
    }
    return fits.get(feature.kind, True)


_NEEDS = {
    "image": "the shape (height, width, channels): 1 or 3 channels, None for a size that varies",
    "mask": "a `table` with the class of each grey from 0 to 255",
    "labels": "the shape (number of `class_names`,)",
    "sequence": "the shape (T, C)",
    "target": "the shape () or (k,)",
}
