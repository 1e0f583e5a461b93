"""One predictor for every kind of model file: pixels in, scores out.

Example:

    predictor = load("out/int8.tflite")
    scores = predictor.predict(images)          # uint8 (N, H, W, C) -> float32 (N, classes)
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.ops import Chain


@dataclasses.dataclass(frozen=True)
class Predictor:
    """A model that is ready to run.

    Args:
        name: the file's, or the model's.
        format: "keras" or "tflite".
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
    run: Callable[[np.ndarray], np.ndarray] = dataclasses.field(repr=False)

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Scores the images; safe to be called from several threads.

        Args:
            images: (N, H, W, C), of the predictor's shape and dtype.

        Returns:
            float32 (N, num_classes).

        Raises:
            RequestError: the images have another shape or dtype.
        """
        if images.shape[1:] != self.input_shape or images.dtype != self.dtype:
            shape = ", ".join(map(str, self.input_shape))
            raise RequestError(
                f"{self.name} takes {self.dtype} images of shape (N, {shape}). "
                f"Received: {images.dtype} of shape {images.shape}."
            )
        return self.run(images)


def from_keras(model: keras.Model, prepare: Chain | None = None) -> Predictor:
    """The Keras model itself, with what `prepare` does to pixels before it.

    Example:

    >>> from tfpipe import models, ops
    >>> prepare = ops.Chain([ops.Decode(1), ops.Resize((32, 32)), ops.ToFloat()])
    >>> predictor = from_keras(models.lenet5(), prepare)
    >>> predictor.predict(np.zeros((2, 32, 32, 1), np.uint8)).shape
    (2, 10)
    """
    chain = Chain([]) if prepare is None else prepare.in_graph()

    def run(images: np.ndarray) -> np.ndarray:
        inputs = chain({"image": images})["image"]
        return np.asarray(model.predict(inputs, verbose=0), np.float32)

    weights = [keras.ops.convert_to_numpy(w) for w in model.weights if w.name.endswith("kernel")]
    dtype = "uint8" if chain.ops else "float32"
    return Predictor(
        name=f"the Keras model {model.name!r}",
        format="keras",
        mode="float32",
        input_shape=tuple(model.input_shape[1:]),
        dtype=dtype,
        sparsity=zeros(weights),
        run=run,
    )


def zeros(weights: Sequence[np.ndarray]) -> float:
    """The share of zeros among all numbers of all arrays.

    >>> zeros([np.array([0.0, 1.0]), np.array([[0.0, 0.0]])])
    0.75
    """
    total = sum(weight.size for weight in weights)
    return sum(int(np.sum(weight == 0)) for weight in weights) / total if total else 0.0
