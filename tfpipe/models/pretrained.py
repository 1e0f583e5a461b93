"""Published weights: downloaded, read from a file, or one sentence that says what to do.

Example:

    with downloading("the ImageNet weights of ResNet50", how):
        base = keras.applications.ResNet50(weights="imagenet")
"""

import contextlib
import pathlib
from collections.abc import Iterator

from tfpipe.errors import DataError, RequestError, received
from tfpipe.files import Path


@contextlib.contextmanager
def downloading(weights: str, how: str) -> Iterator[None]:
    """Turns a failed download into a sentence with the two ways out.

    Args:
        weights: what is downloaded.
        how: where a file with them comes from.

    Raises:
        RequestError: there is no network, or the host refuses.
    """
    try:
        yield
    except Exception as error:
        # Keras' get_file raises a bare Exception; kagglehub and sockets raise OSErrors.
        if not isinstance(error, OSError) and not str(error).startswith("URL fetch failure"):
            raise
        raise RequestError(
            f"{weights} could not be downloaded ({str(error).splitlines()[0]}). Pass weights=None "
            f"to train from scratch, or the path of a file as `weights`: {how}."
        ) from error


def checked_file(weights: Path, names: str) -> str:
    """The path as text.

    Args:
        weights: the path of a file.
        names: what else `weights` can be, for the error.

    Raises:
        RequestError: there is no such file.
    """
    path = pathlib.Path(weights)
    if not path.is_file():
        expected = f"`weights` to be {names}, None, or the path of a file"
        raise RequestError(received(expected, weights=str(weights)))
    return str(path)


@contextlib.contextmanager
def reading(weights: Path, what: str) -> Iterator[None]:
    """Turns a file that does not fit into a sentence.

    Raises:
        DataError: the file holds something else.
    """
    try:
        yield
    except (OSError, ValueError, KeyError) as error:
        problem = f"expected {what}, found something else: {str(error).splitlines()[0]}"
        raise DataError(weights, problem) from error
