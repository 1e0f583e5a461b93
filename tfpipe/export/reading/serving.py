"""SavedModel folders, run by TensorFlow: what their `serving_default` gives.

Example:

    predictor = load_saved_model(pathlib.Path("out/saved_model"))
    scores = predictor.predict(images)
"""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.errors import DataError
from tfpipe.export.reading.ends import require_ends
from tfpipe.export.reading.predictor import Predictor, counted, in_batches, zeros
from tfpipe.export.reading.problems import first_line, refusing, tensorflow_line

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_KERNELS = ("kernel:0", "embeddings:0")


def load_saved_model(folder: pathlib.Path) -> Predictor:
    """Loads a SavedModel's `serving_default`; it runs in as many threads as TensorFlow has.

    Raises:
        DataError: TensorFlow cannot load it, or it does not take one batch of examples and give
            scores.
    """
    loaded = _opened(folder)  # without it, the signature's variables are gone
    serving = loaded.signatures["serving_default"]
    takes = list(serving.structured_input_signature[1].values())
    gives = serving.structured_outputs
    require_ends(
        folder,
        [_sizes(spec) for spec in takes],
        [(_sizes(spec), _meaning(spec.dtype.name)) for spec in gives.values()],
    )
    (examples,), (scores,) = takes, gives

    def encode(batch: np.ndarray) -> np.ndarray:
        return batch.astype(examples.dtype.as_numpy_dtype, copy=False)

    def run(batch: np.ndarray) -> np.ndarray:
        with refusing(folder.name, tf.errors.OpError, says=tensorflow_line):
            inputs = {examples.name: tf.constant(encode(batch))}
            given = loaded.signatures["serving_default"](**inputs)[scores]
        return tf.cast(given, tf.float32).numpy()

    kernels = [v.numpy() for v in serving.variables if v.name.endswith(_KERNELS)]
    return Predictor(
        name=folder.name,
        format="saved_model",
        mode="float16" if _halves(serving.variables) else "float32",
        input_shape=tuple(examples.shape[1:]),
        dtype=_TAKES.get(examples.dtype.name, examples.dtype.name),
        sparsity=zeros(kernels),
        run=in_batches(run, examples.shape[0]),
        operators=counted(_operators(serving)),
        encode=encode,
    )


_TAKES = {**dict.fromkeys(_FLOATS, "float32"), "int64": "int32"}


def _opened(folder: pathlib.Path) -> Any:
    try:
        loaded = tf.saved_model.load(str(folder))
    except Exception as error:
        # TensorFlow's reader fails with whatever the damage leads it to: OSError, KeyError,
        # TypeError, AttributeError, errors of its own.
        raise DataError(folder, f"TensorFlow cannot run it ({first_line(error)})") from None
    if "serving_default" not in loaded.signatures:
        raise DataError(folder, "TensorFlow cannot run it (it has no signature 'serving_default')")
    return loaded


def _meaning(dtype: str) -> str:
    return "float32" if dtype in _FLOATS else dtype


def _halves(variables: Any) -> bool:
    return any(variable.dtype.name in ("float16", "bfloat16") for variable in variables)


def _operators(serving: Any) -> Iterator[str]:
    """Every operator's name, those of the functions that are called too, each function once."""
    graph = serving.graph.as_graph_def()
    yield from (node.op for node in graph.node)
    for function in graph.library.function:
        yield from (node.op for node in function.node_def)


def _sizes(spec: tf.TensorSpec) -> list[int | None]:
    return spec.shape.as_list() if spec.shape.rank is not None else [None]
