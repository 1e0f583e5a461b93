"""Which folders in a folder are splits, and not classes.

Example:

    parts_in(pathlib.Path("data/xray"))          # {"train": "train", "valid": "val"}
"""

import pathlib

from tfpipe.errors import RequestError
from tfpipe.files import Path
from tfpipe.records.sources.layouts import explain
from tfpipe.records.sources.listing import folders, require_folder
from tfpipe.records.sources.names import few
from tfpipe.records.sources.splits import split_within


def given_splits(path: Path) -> tuple[str, ...]:
    """The splits into which a folder for `image_folder` is divided already; none if it is not.

    Args:
        path: the folder.

    Returns:
        Their names as tfpipe has them ("val" for "valid"), sorted.

    >>> import tempfile
    >>> root = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("Training/cat", "Training/dog", "Testing/cat", "Testing/dog"):
    ...     (root / name).mkdir(parents=True)
    >>> given_splits(root)
    ('test', 'train')

    Raises:
        RequestError: there is no such folder, others lie beside the splits, or a split holds no
            folder.
    """
    return tuple(sorted(set(parts_in(require_folder(path, "path")).values())))


def parts_in(root: pathlib.Path) -> dict[str, str]:
    """The split of each folder, if the folders are splits; nothing if they are classes.

    They are splits if their names speak of two or more of them ("training_set", "test_set"), or
    if one that speaks of a split holds folders: "train" beside "bus" is a class.

    Raises:
        RequestError: there are others beside them, or a split holds no folder.
    """
    names = folders(root)
    parts = {name: part for name in names if (part := split_within(name))}
    if len(set(parts.values())) < 2 and not any(folders(root / name) for name in parts):
        return {}
    others = [name for name in names if name not in parts]
    if others:
        raise RequestError(
            f"Expected the folders in {str(root)!r} to be either splits or classes. Found the "
            f"splits {few(list(parts))} beside {few(others)}. Move those away that are not meant."
        )
    for name in parts:
        if not folders(root / name):
            raise RequestError(
                f"Expected a folder for each class in {str(root / name)!r}. "
                f"{explain(root / name, 'image_folder')} Move it away if its images have no labels."
            )
    return parts
