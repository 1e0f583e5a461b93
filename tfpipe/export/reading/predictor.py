"""One predictor for every kind of model file: what goes in, scores out.

Example:

    predictor = load("out/int8.tflite")
    scores = predictor.predict(images)          # uint8 (N, H, W, C) -> float32 (N, classes)
"""

import collections
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import ClassVar

import numpy as np
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.export.reading.problems import refusing, tensorflow_line
from tfpipe.export.writing.graph import Size, answer, input_name, input_spec, ops_inside
from tfpipe.ops import Chain

BATCH_SIZE = 32  # of the formats that run batches: what Keras' own predict takes

Run = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Predictor:
    """A model that is ready to run.

    Args:
        name: the file's, or the model's.
        format: "keras", "saved_model", "tflite" or "onnx".
        mode: how it computes: "float32", "float16", "dynamic", "int8" or "int16x8".
        input_shape: of one example: (H, W, C) pixels, (T, F) sequence, (T,) tokens, (F,) features.
        dtype: of the inputs: "uint8" pixels, "int32" tokens, "float32" anything.
        sparsity: the share of zeros in the weights, without biases.
        run: the function behind `predict`.
        operators: how often it has each of its runtime's operators, by name.
        encode: from checked inputs to what the runtime itself takes, as from float32 to int8.

    Example:

    >>> from tfpipe import models
    >>> predictor = from_keras(models.lenet5())
    >>> predictor.input_shape, predictor.dtype, predictor.mode
    ((32, 32, 1), 'float32', 'float32')
    """

    name: str
    format: str
    mode: str
    input_shape: tuple[int, ...]
    dtype: str
    sparsity: float
    run: Run = dataclasses.field(repr=False)
    operators: Mapping[str, int] = dataclasses.field(default_factory=dict, repr=False)
    encode: Run = dataclasses.field(default=lambda inputs: inputs, repr=False)
    timed: ClassVar[str] = "example"  # what is run alone when a file is timed

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Scores the inputs; safe to be called from several threads.

        Args:
            inputs: (N, *input_shape), of the predictor's dtype.

        Returns:
            float32 (N, ...): (N, num_classes), (N, 1), or a mask's (N, H, W, num_classes).

        Raises:
            RequestError: the inputs have another shape or dtype, there is none, not all are
                finite, or the runtime cannot compute with them (a token outside the vocabulary).
        """
        word = input_name((None, *self.input_shape), self.dtype)
        if not isinstance(inputs, np.ndarray):
            raise RequestError(
                f"{self.name} takes {word} as a NumPy array. Received: {type(inputs).__name__}."
            )
        if inputs.shape[1:] != self.input_shape or inputs.dtype != self.dtype:
            shape = ", ".join(map(str, self.input_shape))
            raise RequestError(
                f"{self.name} takes {self.dtype} {word} of shape (N, {shape}). "
                f"Received: {inputs.dtype} of shape {inputs.shape}."
            )
        if len(inputs) == 0:
            raise RequestError(f"{self.name} takes at least one example. Received: none.")
        if word == "tokens" and inputs.min() < 0:  # ONNX would count from the vocabulary's end
            raise RequestError(f"{self.name} takes tokens from 0. Received: {inputs.min()}.")
        if inputs.dtype.kind == "f" and not np.isfinite(inputs).all():
            bad = int(np.sum(~np.isfinite(inputs)))
            raise RequestError(
                f"{self.name} takes finite numbers. Received: {bad:,} of {inputs.size:,} that are "
                "infinite or no number."
            )
        return self.run(inputs)

    def around(self, predictor: "Predictor") -> "Predictor":
        """A file's predictor for what this one takes: itself, unless this one takes texts."""
        return predictor


def from_keras(
    model: keras.Model, prepare: Chain | None = None, *, input_size: Size | None = None
) -> Predictor:
    """The Keras model itself, with what `prepare` does inside a file before it.

    Args:
        model: a functional Keras model with one input and one output.
        prepare: the chain that it was trained with; without one it takes what the model takes.
        input_size: that of the files that are compared with it, where they were given one.

    Raises:
        RequestError: the model is a subclassed one, or has several inputs or outputs, or does not
            take what the chain gives.

    Example:

    >>> from tfpipe import models, ops
    >>> prepare = ops.Chain([ops.Decode(1), ops.Resize((32, 32)), ops.ToFloat()])
    >>> predictor = from_keras(models.lenet5(), prepare)
    >>> predictor.predict(np.zeros((2, 32, 32, 1), np.uint8)).shape
    (2, 10)
    """
    spec, chain = input_spec(model, prepare, input_size), Chain(ops_inside(prepare, input_size))
    key = spec.name.removesuffix("s")  # images -> image, as in an example's dict
    name = f"the Keras model {model.name!r}"

    @tf.function(input_signature=[spec], autograph=False)
    def scores(inputs: tf.Tensor) -> tf.Tensor:
        prepared = chain({key: inputs})[key] if chain.ops else inputs
        return tf.cast(answer(model, prepared), tf.float32)

    def run(inputs: np.ndarray) -> np.ndarray:
        with refusing(name, tf.errors.OpError, says=tensorflow_line):
            # Not called by itself: TensorFlow would warn those who load many models of retracing.
            return scores.get_concrete_function()(tf.constant(inputs)).numpy()

    return Predictor(
        name=name,
        format="keras",
        mode=_mode(model),
        input_shape=tuple(spec.shape[1:]),
        dtype=spec.dtype.name,
        sparsity=zeros(
            keras.ops.convert_to_numpy(w)
            for w in model.weights
            if w.name.endswith(("kernel", "embeddings"))
        ),
        run=in_batches(run, None),
        operators=counted(_layers(model)),
    )


def in_batches(run: Run, size: int | None) -> Run:
    """The same function for any number of examples: it sees `size` at once, or at most 32."""
    step = size or BATCH_SIZE

    def run_all(inputs: np.ndarray) -> np.ndarray:
        slices = np.split(inputs, range(step, len(inputs), step))
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


def counted(names: Iterable[str]) -> dict[str, int]:
    """How often each name occurs, the most frequent first.

    >>> counted(["ADD", "MUL", "MUL"])
    {'MUL': 2, 'ADD': 1}
    """
    return dict(collections.Counter(sorted(names)).most_common())


def _layers(model: keras.Model) -> Iterator[str]:
    """The classes of the layers, those of the models in it too."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        else:
            yield type(layer).__name__


def _mode(model: keras.Model) -> str:
    """By the types that the weights are stored in; Keras' own int8 quantises at run time."""
    dtypes = {keras.backend.standardize_dtype(weight.dtype) for weight in model.weights}
    if "int8" in dtypes:
        return "dynamic"
    return "float16" if dtypes & {"float16", "bfloat16"} else "float32"
