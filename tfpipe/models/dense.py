"""Models of one or two dense layers: linear regression, one unit, and a hidden layer.

Example:

    linear((12,))                # 12 numbers -> 1 number
    mlp((28, 28, 1), 10)         # 784-128-10
"""

from typing import Any

from tfpipe.backend import keras
from tfpipe.errors import RequestError, received
from tfpipe.models.arguments import dense_head, require_counts

layers = keras.layers


def linear(input_shape: tuple[int, ...] = (1,), num_outputs: int = 1) -> keras.Model:
    """Linear regression: y = Wx + b. With a mean squared error it is least squares.

    Args:
        input_shape: of one example, such as (num_features,); more axes are laid out in a row.
        num_outputs: numbers to predict.

    Input shape: (B, *input_shape), float32, best with mean 0 and deviation 1.
    Output shape: (B, num_outputs), float32.

    Raises:
        RequestError: a size that is no whole number from 1.

    Example:

    >>> linear((12,)).count_params()
    13
    """
    require_counts(num_outputs=num_outputs)
    features = _features(input_shape)
    outputs = dense_head(_flat(features), num_outputs, "linear")
    return keras.Model(features, outputs, name="linear")


def perceptron(input_shape: tuple[int, ...] = (2,)) -> keras.Model:
    """One unit that tells two classes by a line: Rosenblatt, "The Perceptron", Psychological
    Review, 1958, with a sigmoid in place of the step, which has no gradient.

    Args:
        input_shape: of one example, such as (num_features,); more axes are laid out in a row.

    Input shape: (B, *input_shape), float32, best with mean 0 and deviation 1.
    Output shape: (B, 1), float32, the probability of class 1, for `binary_crossentropy`.

    Raises:
        RequestError: a size that is no whole number from 1.

    Example:

    >>> perceptron((2,)).count_params()
    3
    """
    features = _features(input_shape)
    return keras.Model(features, dense_head(_flat(features), 1, "sigmoid"), name="perceptron")


def mlp(
    input_shape: tuple[int, ...] = (28, 28, 1),
    num_classes: int = 10,
    *,
    activation: str = "softmax",
    units: int = 128,
) -> keras.Model:
    """A multilayer perceptron with one hidden layer (ReLU): by default 784-128-10.

    Args:
        input_shape: of one example: an image (height, width, channels), or (num_features,).
        num_classes: units of the last layer: classes, labels, or numbers to predict.
        activation: "softmax" for classes, "sigmoid" for labels or two classes by one unit,
            "linear" for numbers.
        units: of the hidden layer.

    Input shape: (B, *input_shape), float32 from 0 to 1.
    Output shape: (B, num_classes), float32.

    Raises:
        RequestError: a size that is no whole number from 1, another activation, or a softmax of
            one class.

    Example:

    >>> mlp().count_params() == (784 + 1) * 128 + (128 + 1) * 10
    True
    """
    require_counts(units=units)
    features = _features(input_shape)
    hidden = layers.Dense(units, "relu", name="hidden")(_flat(features))
    return keras.Model(features, dense_head(hidden, num_classes, activation), name="mlp")


def _features(input_shape: Any) -> Any:
    sizes = tuple(input_shape) if isinstance(input_shape, list | tuple) else ()
    if not sizes or not all(isinstance(n, int) and n >= 1 for n in sizes):
        expected = "`input_shape` to be (num_features,) or (height, width, channels)"
        raise RequestError(received(expected, input_shape=input_shape))
    return keras.Input(sizes, name="images" if len(sizes) == 3 else "features")


def _flat(x: Any) -> Any:
    return x if len(x.shape) == 2 else layers.Flatten(name="flatten")(x)
