"""Published weights: downloaded, read from a file, or one sentence that says what to do.

Example:

    with downloading("The ImageNet weights of ResNet50", how):
        base = keras.applications.ResNet50(weights="imagenet")
    load_whole(base, checked_file(path, "'imagenet'"), "the weights of ResNet50")
"""

import contextlib
import pathlib
import warnings
from collections.abc import Iterator

import numpy as np

from tfpipe.backend import keras
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


def load_whole(model: keras.Model, weights: Path, what: str) -> None:
    """Gives a model the weights of a file, all of them.

    Args:
        model: whose weights are replaced.
        weights: the path of the file, in any of Keras' formats.
        what: it should hold, for the error.

    Raises:
        DataError: the file holds something else.
    """
    expected = f"expected {what}, found"
    for variable in model.weights:
        variable.assign(np.full(variable.shape, np.nan))
    try:
        with warnings.catch_warnings():  # Keras may only warn of layers that the file lacks
            warnings.simplefilter("ignore")
            model.load_weights(weights)
    except (OSError, ValueError, KeyError) as error:
        problem = f"{expected} something else: {str(error).splitlines()[0]}"
        raise DataError(weights, problem) from error
    lacking = [v.path for v in model.weights if np.isnan(keras.ops.convert_to_numpy(v)).any()]
    if lacking:
        raise DataError(weights, f"{expected} no numbers for {lacking[0]}")
