"""The rung after int8: int8 again, of weights that have learnt to live with it.

Example:

    write_aware(model, manifest, "out/xray", prepare=prepare)       # out/xray/int8_qat.tflite
"""

import pathlib
from typing import Any

from tfpipe.backend import keras
from tfpipe.compress import quantize_aware
from tfpipe.export.writing.tflite import to_tflite
from tfpipe.files import Path
from tfpipe.ops import Chain
from tfpipe.records import Manifest, one_hot, read

NAME = "int8_qat"
EPOCHS = 3
LEARNING_RATE = 1e-4  # Adam's: a tenth of its default, since the model is trained already
BATCH_SIZE = 32


def write_aware(
    model: keras.Model, manifest: Manifest, folder: Path, *, prepare: Chain
) -> pathlib.Path:
    """Trains a copy for three passes over the split "train" as an int8 file would compute.

    Returns:
        The path of the int8 file that is made of it.

    Raises:
        RequestError: the model is not compiled, or has a layer that tfmot cannot quantise.
    """
    train = read(manifest, "train", prepare, batch_size=BATCH_SIZE, shuffle_seed=0)
    if _wants_rows(model) and train.element_spec[1].shape.rank == 1:
        train = train.map(one_hot(manifest.num_classes))
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    trained = quantize_aware(model, train, epochs=EPOCHS, optimizer=optimizer)
    path = pathlib.Path(folder) / f"{NAME}.tflite"
    return to_tflite(trained, path, mode="int8", prepare=prepare)


def _wants_rows(model: keras.Model) -> bool:
    """Whether the loss is one of Keras' that take labels as rows of zeros with a one."""
    loss: Any = getattr(model, "loss", None)
    name = loss if isinstance(loss, str) else getattr(loss, "name", getattr(loss, "__name__", ""))
    return str(name).startswith("categorical")
