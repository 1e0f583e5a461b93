"""What a model gets of an example: (inputs, targets), as Keras takes them, and sample weights."""

from collections.abc import Collection, Mapping

import numpy as np
import tensorflow as tf

from tfpipe.errors import RequestError, one_of, received
from tfpipe.records.manifest import Manifest

Example = dict[str, tf.Tensor]
Weights = str | Mapping[str, float] | None

INPUTS = ("image", "text", "sequence")
TARGETS = ("label", "labels", "mask", "target")
_PADS = {"boxes": np.float32(-1), "classes": np.int64(-1)}


def batch(dataset: tf.data.Dataset, batch_size: int, manifest: Manifest) -> tf.data.Dataset:
    """Batches of examples; where there are boxes, they are padded with -1 to the largest number."""
    if "boxes" not in manifest.features:
        return dataset.batch(batch_size, num_parallel_calls=2)  # copying takes long, too

    def as_batch(windows: dict[str, tf.data.Dataset]) -> tf.data.Dataset:
        """From a window, a small dataset of the values of each key, to one batch."""
        return tf.data.Dataset.zip(
            {
                key: window.padded_batch(batch_size, padding_values=_PADS[key])
                if key in _PADS
                else window.batch(batch_size)  # a padded image would not fit its boxes
                for key, window in windows.items()
            }
        )

    return dataset.window(batch_size).flat_map(as_batch)


def require_pair(keys: Collection[str]) -> None:
    """Refuses examples that lack what a model gets, or what it should give."""
    if not {*INPUTS} & {*keys} or not {*TARGETS, "boxes"} & {*keys}:
        inputs, targets = (", ".join(map(repr, names)) for names in (INPUTS, (*TARGETS, "boxes")))
        raise RequestError(
            f"Expected examples with an input ({inputs}) and a target ({targets}). "
            f"Received: {', '.join(map(repr, sorted(keys)))}"
        )


def split_example(example: Example, table: tf.Tensor | None) -> tuple[object, ...]:
    """(inputs, targets), or (inputs, targets, sample weights) where there is a table of them."""
    inputs = next(example[key] for key in INPUTS if key in example)
    boxes = {key: example[key] for key in ("boxes", "classes") if key in example}
    targets = boxes or next(example[key] for key in TARGETS if key in example)
    if table is None:
        return inputs, targets
    if "label" not in example:
        raise RequestError(
            "`weights` go by each example's `label`, and `prepare` gives none (ops that mix images "
            "replace it by `labels`). Leave `weights` out, or that op."
        )
    return inputs, targets, tf.gather(table, example["label"])


def weight_table(manifest: Manifest, split: str, weights: Weights) -> tf.Tensor | None:
    """The weight of each class, float32 (num_classes,).

    Args:
        manifest: names and counts the classes.
        split: whose counts "balanced" goes by.
        weights: "balanced" (all classes weigh the same, and the mean weight is 1), or a dict
            from class names to weights, or None.

    Raises:
        RequestError: there is no label, or the dict does not name every class, or a weight is
            negative.
    """
    if weights is None:
        return None
    require_label(manifest, "weights")
    counts = manifest.split(split).class_counts
    if isinstance(weights, str):
        if weights != "balanced":
            raise RequestError(one_of("weights", weights, ("balanced",)))
        present = sum(count > 0 for count in counts)
        return tf.constant([sum(counts) / (present * count) if count else 0.0 for count in counts])
    if set(weights) != set(manifest.class_names):
        expected = f"`weights` to name every class: {', '.join(manifest.class_names)}"
        raise RequestError(received(expected, weights=dict(weights)))
    if min(weights.values()) < 0:
        raise RequestError(received("`weights` to be numbers from 0", weights=dict(weights)))
    return tf.constant([float(weights[name]) for name in manifest.class_names])


def require_label(manifest: Manifest, argument: str) -> None:
    """Refuses an argument that is about classes where an example has not just one."""
    if "label" not in manifest.features:
        raise RequestError(
            f"Expected examples with one `label` for `{argument}`. "
            f"{manifest.name!r} has: {', '.join(manifest.features)}"
        )
