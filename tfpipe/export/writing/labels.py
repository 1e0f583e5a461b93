"""The names of the classes, beside a model file.

Example:

    to_labels(manifest.class_names, "out/labels.txt")
"""

import pathlib
from collections.abc import Sequence

from tfpipe.files import Path, write_text


def to_labels(class_names: Sequence[str], path: Path) -> pathlib.Path:
    """Writes one class name a line, in the order of the scores, and returns the path.

    >>> import tempfile
    >>> path = to_labels(("cat", "dog"), pathlib.Path(tempfile.mkdtemp()) / "labels.txt")
    >>> path.read_text(encoding="utf-8")
    'cat\\ndog\\n'
    """
    return write_text(path, as_text(class_names))


def as_text(class_names: Sequence[str]) -> str:
    """One class name a line."""
    return "".join(f"{name}\n" for name in class_names)
