"""Keras 3 on TensorFlow, checked once, where every room that needs Keras imports it from.

Example:

    from tfpipe.backend import keras
"""

import json
import os
import pathlib

from tfpipe.errors import RequestError


def _require_tensorflow(backend: str) -> None:
    if backend != "tensorflow":
        raise RequestError(
            f"tfpipe runs on Keras' TensorFlow backend. Received: backend={backend!r}. Set the "
            "environment variable KERAS_BACKEND=tensorflow before Python starts, or "
            '"backend": "tensorflow" in ~/.keras/keras.json.'
        )


def _wanted() -> str:
    """The backend that Keras is going to take, by its own rules."""
    folder = pathlib.Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    try:
        configured = json.loads((folder / "keras.json").read_bytes())["backend"]
    except (OSError, ValueError, KeyError):
        configured = "tensorflow"
    return os.environ.get("KERAS_BACKEND") or configured


# Looked at first: another backend may not even be installed, and Keras' import would fail.
_require_tensorflow(_wanted())

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

_require_tensorflow(keras.backend.backend())

# tf.keras is looked up on first use, and whatever imports tensorflow_model_optimization before
# that turns it into Keras 2 for the whole process. So it is used here, first.
_MODEL = tf.keras.Model

__all__ = ["keras"]
