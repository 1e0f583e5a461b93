"""What a records folder holds, in words.

Example:

    print(describe(load("records/xray")))
"""

from collections.abc import Mapping
from typing import Any

from tfpipe.records.manifest import Manifest
from tfpipe.records.sources.base import Feature
from tfpipe.report import human_bytes, text_table

MAX_CLASSES = 30


def describe(manifest: Manifest) -> str:
    """Splits, classes, image sizes, how the split was made, what was refused, duplicates.

    Args:
        manifest: what `records.write` or `records.load` returned.

    Returns:
        Lines for a person to read.

    Example:

    >>> print(describe(manifest))
    arrays: image (image), label (label); in .../records
              test    train
    --------  ------  ------
    examples       8       8
    size      ... kB  ... kB
    0              4       4
    1              4       4
    image sizes: all 32x32 pixels
    split: by fractions (train 0.5, test 0.5), seed 0; stratified by class
    refused: 0 examples
    in more than one split: 0 contents
    """
    features = ", ".join(f"{key} ({_kind(value)})" for key, value in manifest.features.items())
    lines = [f"{manifest.name}: {features}; in {manifest.path}", _table(manifest)]
    if manifest.image_sizes:
        lines.append(f"image sizes: {_sizes(manifest.image_sizes)}")
    lines.append(f"split: {rule_in_words(manifest.rule)}")
    lines.append(f"refused: {_refused(manifest)}")
    lines.append(f"in more than one split: {manifest.duplicates['num_contents']:,} contents")
    return "\n".join(lines)


def _kind(feature: Feature) -> str:
    if feature.kind not in ("sequence", "target"):
        return feature.kind
    size = "x".join(map(str, feature.shape))
    return f"{feature.kind}, float32 {size}".rstrip()


def _table(manifest: Manifest) -> str:
    splits = manifest.splits
    rows: list[list[str]] = [
        ["examples", *(f"{split.num_examples:,}" for split in splits.values())],
        ["size", *(human_bytes(split.num_bytes) for split in splits.values())],
    ]
    counted = any(any(split.class_counts) for split in splits.values())
    if not counted:
        return text_table(["", *splits], rows)
    for label, name in enumerate(manifest.class_names[:MAX_CLASSES]):
        rows.append([name, *(f"{split.class_counts[label]:,}" for split in splits.values())])
    if manifest.num_classes > MAX_CLASSES:
        rows.append(
            [f"and {manifest.num_classes - MAX_CLASSES} more classes", *([""] * len(splits))]
        )
    return text_table(["", *splits], rows)


def _sizes(sizes: Any) -> str:
    smallest, largest = (f"{h}x{w}" for h, w in (sizes["smallest"], sizes["largest"]))
    if sizes["distinct"] == 1:
        return f"all {smallest} pixels"
    h, w, count = sizes["most_common"][0]
    return (
        f"{sizes['distinct']:,} different, from {smallest} to {largest} pixels; "
        f"{count:,} are {h}x{w}"
    )


def rule_in_words(rule: Mapping[str, Any]) -> str:
    """A manifest's rule as a person would say it."""
    words = []
    if rule.get("given_by"):
        words.append(f"as given by {rule['given_by']}")
    if rule.get("fractions"):
        shares = ", ".join(f"{name} {share:g}" for name, share in rule["fractions"].items())
        words.append(f"by fractions ({shares}), seed {rule.get('seed')}")
    if rule.get("grouped_by"):
        words.append(f"grouped by {rule['grouped_by']}")
    if rule.get("stratified"):
        words.append("stratified by class")
    return "; ".join(words) or ", ".join(f"{key} {value}" for key, value in rule.items())


def _refused(manifest: Manifest) -> str:
    words = [f"{manifest.num_refused:,} examples"]
    if manifest.num_notes:
        words.append(f"and {manifest.num_notes:,} parts of others")
    if manifest.num_refused or manifest.num_notes:
        words.append("(refused.csv lists them)")
    return " ".join(words)
