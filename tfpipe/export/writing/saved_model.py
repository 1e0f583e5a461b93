"""SavedModel folders: what TensorFlow, TF Serving and TensorFlow.js' converter read.

Example:

    to_saved_model(model, "out/saved_model", prepare=prepare)
    scores = tf.saved_model.load("out/saved_model").signatures["encoded"](encoded=[jpeg])["scores"]
"""

import pathlib

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.export.writing.graph import (
    Scoring,
    Size,
    input_spec,
    lowered,
    ops_inside,
    scoring,
)
from tfpipe.export.writing.lookups import track_lookups
from tfpipe.export.writing.metadata import about, put
from tfpipe.export.writing.twin import in_float32
from tfpipe.files import Path, staged
from tfpipe.ops import Chain


def to_saved_model(
    model: keras.Model,
    path: Path,
    *,
    prepare: Chain | None = None,
    input_size: Size | None = None,
) -> pathlib.Path:
    """Writes the model as a SavedModel, with its preprocessing inside.

    It has the signatures `serving_default` and `serve`, which are the same: `images`, uint8
    pixels (B, H, W, C), to `scores`, float32 (B, num_classes). Where the chain begins with
    decoding there is `encoded` too: `encoded`, strings (B,), the bytes of JPEG or PNG files of
    any size, to `scores`; each image is decoded and resized as in training. EXIF's orientation
    is not read (TensorFlow has no operator for it): such images must be turned upright before.
    Other models take what they took: `sequences` (B, T, F), `features` (B, F), `tokens` (B, T) in
    int32.

    Args:
        model: a Keras model with one input of a fixed size and one output, in any precision.
        path: the folder to write; it appears whole or not at all. A SavedModel that stands there
            is replaced.
        prepare: as `to_tflite` takes it.
        input_size: as `to_tflite` takes it; `encoded` resizes in any case.

    Returns:
        The path.

    Raises:
        RequestError: a folder that holds other files; a model with several inputs or outputs, of
            an open size, or of another size than the chain gives.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> from tfpipe import export, ops
    >>> x = keras.Input((8, 8, 1))
    >>> model = keras.Model(x, keras.layers.GlobalAveragePooling2D()(x))
    >>> prepare = ops.Chain([ops.Decode(1), ops.Resize((8, 8)), ops.ToFloat()])
    >>> path = to_saved_model(model, pathlib.Path(tempfile.mkdtemp()) / "a", prepare=prepare)
    >>> export.load(path).predict(np.full((1, 8, 8, 1), 255, np.uint8))
    array([[1.]], dtype=float32)
    """
    _refuse_other_content(pathlib.Path(path))
    spec, ops = input_spec(model, prepare, input_size), ops_inside(prepare, input_size)
    twin = in_float32(model)
    archive = keras.export.ExportArchive()  # that it tracks the model would store it twice
    scores = scoring(twin, ops, "saved_model")
    for name in ("serving_default", "serve"):
        archive.add_endpoint(name, scores, input_signature=[spec])
    if prepare is not None and any(op.takes == "encoded" for op in prepare.ops):
        batch = tf.TensorSpec((None,), tf.string, "encoded")
        archive.add_endpoint("encoded", _from_bytes(twin, prepare), input_signature=[batch])
    track_lookups(archive, twin)
    with staged(path) as aside:
        archive.write_out(str(aside), verbose=False)
        put(aside, about("float32", "tensorflow", prepare))
    return pathlib.Path(path)


def _refuse_other_content(folder: pathlib.Path) -> None:
    """A SavedModel takes the place of a SavedModel, of an empty folder or of nothing."""
    if folder.exists() and not folder.is_dir():
        raise RequestError(f"Expected {str(folder)!r} to be a folder. It is a file.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "saved_model.pb").is_file():
        raise RequestError(
            f"{str(folder)!r} holds files that are not of a SavedModel. "
            "Choose an empty or a new folder."
        )


def _from_bytes(twin: keras.Model, prepare: Chain) -> Scoring:
    spec, (decode, *rest) = input_spec(twin, prepare), prepare.outside().ops
    scores = scoring(twin, ops_inside(prepare, None), "saved_model")

    def read(image: tf.Tensor) -> tf.Tensor:
        pixels = lowered(rest, decode({"image": image})["image"], "saved_model")
        return tf.ensure_shape(pixels, spec.shape[1:])

    def from_bytes(encoded: tf.Tensor) -> dict[str, tf.Tensor]:
        return scores(tf.map_fn(read, encoded, fn_output_signature=spec.dtype))

    return from_bytes
