"""`.keras` files, for whoever goes on in Keras.

Example:

    to_keras(model, "out/model.keras", prepare=prepare)
    model = keras.models.load_model("out/model.keras")    # after `import tfpipe.ops`
"""

import pathlib

from tfpipe.backend import keras
from tfpipe.export.writing.graph import Size, input_spec, ops_inside, require_ending
from tfpipe.export.writing.metadata import about, put
from tfpipe.files import Path, staged
from tfpipe.ops import Chain


def to_keras(
    model: keras.Model,
    path: Path,
    *,
    prepare: Chain | None = None,
    input_size: Size | None = None,
) -> pathlib.Path:
    """Writes the model as a `.keras` file, with its preprocessing inside.

    Args:
        model: a Keras model; in its own precision, and with its optimizer if it has one and there
            is no `prepare`.
        path: the file to write; it ends in ".keras".
        prepare: the chain that the model was trained with: what it does to pixels becomes a layer
            before the model, and the file takes uint8 pixels (B, H, W, C). `import tfpipe.ops`
            lets `keras.models.load_model` find that layer, in safe mode too.
        input_size: (height, width) of the pixels, if not the size after the chain's last
            resizing. Then resizing is inside.

    Returns:
        The path.

    Raises:
        RequestError: another ending; with `prepare`, a model with several inputs or outputs, of an
            open size, or of another size than the chain gives.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> from tfpipe import ops
    >>> x = keras.Input((8, 8, 1))
    >>> model = keras.Model(x, keras.layers.GlobalAveragePooling2D()(x))
    >>> prepare = ops.Chain([ops.Decode(1), ops.Resize((8, 8)), ops.ToFloat()])
    >>> path = to_keras(model, pathlib.Path(tempfile.mkdtemp()) / "a.keras", prepare=prepare)
    >>> keras.models.load_model(path)(np.full((1, 8, 8, 1), 255, np.uint8)).numpy()
    array([[1.]], dtype=float32)
    """
    require_ending(path, ".keras")
    ops = ops_inside(prepare, input_size)
    whole = _with_layer(model, prepare, input_size) if ops else model
    with staged(path) as aside:
        whole.save(aside)
        put(aside, about(model.dtype_policy.name, "keras", prepare))
    return pathlib.Path(path)


def _with_layer(model: keras.Model, prepare: Chain | None, input_size: Size | None) -> keras.Model:
    spec, ops = input_spec(model, prepare, input_size), ops_inside(prepare, input_size)
    pixels = keras.Input(tuple(spec.shape[1:]), dtype=spec.dtype.name, name=spec.name)
    return keras.Model(pixels, model(Chain(ops).as_layer()(pixels)), name=model.name)
