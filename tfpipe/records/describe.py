"""What a records folder holds, in words.

Example:

    print(describe(load("records/xray")))
"""

from typing import Any

from tfpipe.records.manifest import Manifest
from tfpipe.report import human_bytes, text_table

MAX_CLASSES = 30


def describe(manifest: Manifest) -> str:
    """Splits, classes, image sizes, how the split was made, what was refused, duplicates."""
    features = ", ".join(f"{key} ({value.kind})" for key, value in manifest.features.items())
    lines = [f"{manifest.name}: {features}; in {manifest.path}", _table(manifest)]
    if manifest.image_sizes:
        lines.append(f"image sizes: {_sizes(manifest.image_sizes)}")
    rule = ", ".join(f"{key} {value}" for key, value in manifest.rule.items())
    lines.append(f"split by: {rule}")
    lines.append(f"refused: {manifest.num_refused:,} examples{_see(manifest)}")
    lines.append(f"in more than one split: {manifest.duplicates['num_contents']:,} contents")
    return "\n".join(lines)


def _table(manifest: Manifest) -> str:
    splits = manifest.splits
    rows: list[list[str]] = [
        ["examples", *(f"{split.num_examples:,}" for split in splits.values())],
        ["size", *(human_bytes(split.num_bytes) for split in splits.values())],
    ]
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


def _see(manifest: Manifest) -> str:
    return ", listed in refused.csv" if manifest.num_refused else ""
