"""What a model gets of an example: (inputs, targets), as Keras takes them, and sample weights."""

from collections.abc import Mapping

import tensorflow as tf

from tfpipe.errors import RequestError, one_of, received
from tfpipe.records.manifest import Manifest

Example = dict[str, tf.Tensor]
Weights = str | Mapping[str, float] | None

INPUTS = ("image", "text", "sequence")
TARGETS = ("label", "labels", "mask")
PAD = -1.0


def batch(dataset: tf.data.Dataset, batch_size: int, manifest: Manifest) -> tf.data.Dataset:
    """Batches of examples; where there are boxes, they are padded with -1 to the largest number."""
    if "boxes" not in manifest.features:
        return dataset.batch(batch_size)
    shapes = {key: spec.shape for key, spec in dataset.element_spec.items()}
    values = {key: _padding(spec.dtype) for key, spec in dataset.element_spec.items()}
    return dataset.padded_batch(batch_size, padded_shapes=shapes, padding_values=values)


def split_example(example: Example, table: tf.Tensor | None) -> tuple[object, ...]:
    """(inputs, targets), or (inputs, targets, sample weights) where there is a table of them."""
    inputs = next(example[key] for key in INPUTS if key in example)
    boxes = {key: example[key] for key in ("boxes", "classes") if key in example}
    targets = boxes or next(example[key] for key in TARGETS if key in example)
    if table is None:
        return inputs, targets
    return inputs, targets, tf.gather(table, example["label"])


def weight_table(manifest: Manifest, split: str, weights: Weights) -> tf.Tensor | None:
    """The weight of each class, float32 (num_classes,).

    Args:
        manifest: names and counts the classes.
        split: whose counts "balanced" goes by.
        weights: "balanced" (all classes weigh the same, and the mean weight is 1), or a dict
            from class names to weights, or None.

    Raises:
        RequestError: there is no label, or the dict does not name every class.
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
    return tf.constant([float(weights[name]) for name in manifest.class_names])


def require_label(manifest: Manifest, argument: str) -> None:
    """Refuses an argument that is about classes where an example has not just one."""
    if "label" not in manifest.features:
        raise RequestError(
            f"Expected examples with one `label` for `{argument}`. "
            f"{manifest.name!r} has: {', '.join(manifest.features)}"
        )


def _padding(dtype: tf.DType) -> tf.Tensor:
    if dtype == tf.string:
        return tf.constant("")
    unsigned = dtype in (tf.uint8, tf.bool)
    return tf.cast(0 if unsigned else PAD, dtype)
