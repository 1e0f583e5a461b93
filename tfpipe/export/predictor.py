"""One predictor for every kind of model file: pixels in, scores out.

Example:

    predictor = load("out/int8.tflite")
    scores = predictor.predict(images)          # uint8 (N, H, W, C) -> float32 (N, classes)
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import DataError, RequestError
from tfpipe.export.graph import Size, input_spec, ops_inside
from tfpipe.files import Path
from tfpipe.ops import Chain

BATCH_SIZE = 32  # of the formats that run batches: what Keras' own predict takes

Run = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Predictor:
    """A model that is ready to run.

    Args:
        name: the file's, or the model's.
        format: "keras", "saved_model", "tflite" or "onnx".
        mode: how the weights are stored: "float32" or "int8".
        input_shape: (H, W, C) of one image.
        dtype: of the images: "uint8", or "float32" for a model without preprocessing inside.
        sparsity: the share of zeros in the weights, without biases.
        run: the function behind `predict`.
    """

    name: str
    format: str
    mode: str
    input_shape: tuple[int, ...]
    dtype: str
    sparsity: float
    run: Run = dataclasses.field(repr=False)

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Scores the images; safe to be called from several threads.

        Args:
            images: (N, H, W, C), of the predictor's shape and dtype.

        Returns:
            float32 (N, num_classes).

        Raises:
            RequestError: the images have another shape or dtype, or there is none.
        """
        if images.shape[1:] != self.input_shape or images.dtype != self.dtype:
            shape = ", ".join(map(str, self.input_shape))
            raise RequestError(
                f"{self.name} takes {self.dtype} images of shape (N, {shape}). "
                f"Received: {images.dtype} of shape {images.shape}."
            )
        if len(images) == 0:
            raise RequestError(f"{self.name} takes at least one image. Received: none.")
        return self.run(images)


def from_keras(
    model: keras.Model, prepare: Chain | None = None, *, input_size: Size | None = None
) -> Predictor:
    """The Keras model itself, with what `prepare` does to pixels before it.

    Args:
        model: a Keras model with one image input and one output.
        prepare: the chain that it was trained with; without one it takes what the model takes.
        input_size: that of the files that are compared with it, where they were given one.

    Example:

    >>> from tfpipe import models, ops
    >>> prepare = ops.Chain([ops.Decode(1), ops.Resize((32, 32)), ops.ToFloat()])
    >>> predictor = from_keras(models.lenet5(), prepare)
    >>> predictor.predict(np.zeros((2, 32, 32, 1), np.uint8)).shape
    (2, 10)
    """
    spec, chain = input_spec(model, prepare, input_size), Chain(ops_inside(prepare, input_size))

    def run(images: np.ndarray) -> np.ndarray:
        batches = tf.data.Dataset.from_tensor_slices(images).batch(BATCH_SIZE)
        prepared = batches.map(lambda images: chain({"image": images})["image"])
        return np.asarray(model.predict(prepared, verbose=0), np.float32)

    weights = [keras.ops.convert_to_numpy(w) for w in model.weights if w.name.endswith("kernel")]
    return Predictor(
        name=f"the Keras model {model.name!r}",
        format="keras",
        mode="float32",
        input_shape=tuple(spec.shape[1:]),
        dtype=spec.dtype.name,
        sparsity=zeros(weights),
        run=run,
    )


def in_batches(run: Run, size: int | None) -> Run:
    """The same function for any number of images: it sees `size` at once, or at most 32."""
    step = size or BATCH_SIZE

    def run_all(images: np.ndarray) -> np.ndarray:
        slices = np.split(images, range(step, len(images), step))
        return np.concatenate([run(part) for part in slices])

    return run_all


def zeros(weights: Iterable[np.ndarray]) -> float:
    """The share of zeros among all numbers of all arrays.

    >>> zeros([np.array([0.0, 1.0]), np.array([[0.0, 0.0]])])
    0.75
    """
    counts = [(int(np.sum(weight == 0)), weight.size) for weight in weights]
    total = sum(size for _, size in counts)
    return sum(count for count, _ in counts) / total if total else 0.0


def require_images(
    file: Path, inputs: Sequence[Sequence[int | None]], outputs: Sequence[str]
) -> None:
    """Refuses a file that a `Predictor` cannot run.

    Args:
        file: its path.
        inputs: the shapes of its inputs.
        outputs: the dtypes of its outputs.
    """
    if len(inputs) != 1 or len(outputs) != 1 or len(inputs[0]) != 4:
        raise DataError(file, "expected one input, a batch of images, and one output")
    if inputs[0][0] not in (None, 1):
        raise DataError(file, f"expected any number of images or one, found {inputs[0][0]} at once")
    if None in inputs[0][1:]:
        raise DataError(file, f"expected images of one size, found {tuple(inputs[0])}")
    if outputs[0] != "float32":
        raise DataError(file, f"expected scores in float32, found {outputs[0]}")


def first_line(error: BaseException) -> str:
    """What an error says, without the pages that some runtimes append.

    >>> first_line(ValueError("a\\nb")), first_line(KeyError())
    ('a', 'KeyError')
    """
    return (str(error).splitlines() or [type(error).__name__])[0]
