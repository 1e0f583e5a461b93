"""Requests that TensorFlow Serving runs when it loads a model, so that no user waits for the first.

Example:

    write_warmup("models/digits/1", name="digits")      # assets.extra/tf_serving_warmup_requests

The file is TensorFlow Serving's ("SavedModel Warmup"): a TFRecord of PredictionLog messages, as
prediction_log.proto, predict.proto and model.proto of tensorflow/serving define them. The package
with their classes pins a TensorFlow of its own, so the few fields are encoded here: a message in a
message is its number and the wire type 2, its length, and its bytes (Protocol Buffers, "Encoding").
"""

import pathlib
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from tfpipe.errors import DataError
from tfpipe.export.writing.metadata import WARMUP
from tfpipe.files import Path

FILE = f"assets.extra/{WARMUP}"
BATCH_SIZES = (1, 8)  # alone, and as a client that collects would send them
SIZE_PX = 64  # of encoded pictures, which can have any size

Inputs = Mapping[str, tf.Tensor]


def write_warmup(saved_model: Path, *, name: str) -> pathlib.Path:
    """Writes requests of noise for every signature, each of which has been run once.

    Args:
        saved_model: a SavedModel's folder, which gets the file.
        name: the model's, as clients will call it.

    Returns:
        The file's path.

    Raises:
        DataError: a signature does not run; TensorFlow Serving would not load the model.
    """
    path = pathlib.Path(saved_model) / FILE
    path.parent.mkdir(exist_ok=True)
    loaded = tf.saved_model.load(str(saved_model))
    with tf.io.TFRecordWriter(str(path)) as records:
        for signature, run in loaded.signatures.items():
            _, specs = run.structured_input_signature
            for size in BATCH_SIZES:
                inputs = {key: noise(spec, size) for key, spec in specs.items()}
                _try(saved_model, signature, run, inputs)
                records.write(prediction_log(name, signature, inputs))
    return path


def noise(spec: tf.TensorSpec, batch_size: int) -> tf.Tensor:
    """Something of the kind that a signature takes: pixels, pictures, tokens or numbers.

    >>> noise(tf.TensorSpec((None, 8, 8, 1), tf.uint8), 2).shape
    TensorShape([2, 8, 8, 1])
    """
    rng = np.random.default_rng(0)
    if spec.dtype == tf.string:
        pixels = rng.integers(0, 256, (batch_size, SIZE_PX, SIZE_PX, 3), np.uint8)
        return tf.stack([tf.io.encode_png(each) for each in pixels])
    shape = (batch_size, *spec.shape[1:])
    if spec.dtype == tf.uint8:
        return tf.constant(rng.integers(0, 256, shape, np.uint8))
    if spec.dtype.is_integer:
        return tf.ones(shape, spec.dtype)  # tokens: 1 is a word that no vocabulary knows
    return tf.cast(rng.normal(size=shape), spec.dtype)


def prediction_log(name: str, signature: str, inputs: Inputs) -> bytes:
    """One request as a PredictionLog message.

    >>> prediction_log("a", "b", {})
    b'2\\n\\n\\x08\\n\\x06\\n\\x01a\\x1a\\x01b'
    """
    model = field(1, name.encode()) + field(3, signature.encode())  # ModelSpec
    tensors = b"".join(  # an entry of a map is a message with a key, 1, and a value, 2
        field(2, field(1, key.encode()) + field(2, tf.make_tensor_proto(x).SerializeToString()))
        for key, x in inputs.items()
    )
    request = field(1, model) + tensors  # PredictRequest
    return field(6, field(1, request))  # PredictionLog.predict_log, PredictLog.request


def field(number: int, content: bytes) -> bytes:
    """A field of bytes, text, or a message.

    >>> field(1, b"testing").hex(" ")
    '0a 07 74 65 73 74 69 6e 67'
    """
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have the eighth bit."""
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def _try(saved_model: Path, signature: str, run: Callable[..., object], inputs: Inputs) -> None:
    try:
        run(**inputs)
    except tf.errors.OpError as error:
        problem = f"the signature {signature!r} does not run: {error.message.splitlines()[0]}"
        raise DataError(saved_model, problem) from None
