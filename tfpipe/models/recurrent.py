"""Recurrent models for text and for series of numbers: Hochreiter and Schmidhuber, "Long
Short-Term Memory", Neural Computation, 1997; in both directions: Graves and Schmidhuber,
"Framewise phoneme classification with bidirectional LSTM", Neural Networks, 2005.

Example:

    bilstm((64,), 2, vocabulary_size=8000)                    # texts of 64 tokens
    lstm((48, 3), 1, activation="linear", pooling="last")     # series of 48 steps, a forecast
"""

from typing import Any

from tfpipe.backend import keras
from tfpipe.errors import RequestError, one_of, received
from tfpipe.models.arguments import dense_head, require_counts, require_shape

layers = keras.layers

POOLINGS = ("max", "last")


def lstm(
    input_shape: tuple[int, ...] = (128, 1),
    num_classes: int = 2,
    *,
    activation: str = "softmax",
    vocabulary_size: int | None = None,
    units: int = 128,
    pooling: str = "max",
    dropout: float = 0.0,
) -> keras.Model:
    """An LSTM that reads forwards, a pooling over time, and a dense layer.

    There are no masks inside: TFLite's fused LSTM kernel has none, and a model with masks becomes
    a loop many times as large. So shorter texts are padded, and the pooling must bear it. The
    maximum over time does: what a unit found in the text stays, however much padding follows;
    the padding's own outputs take part, and training learns to keep them low. The last output
    would be what is left of the text after all the padding, and a mean would shrink with it.

    Args:
        input_shape: (time, features) for numbers, or (time,) for tokens. Always of full length:
            exported files have a fixed size.
        num_classes: units of the last layer: classes, labels, or numbers to predict.
        activation: "softmax" for classes, "sigmoid" for labels or two classes by one unit,
            "linear" for numbers.
        vocabulary_size: for text: the number of tokens, that of padding included. An embedding
            of `units` numbers per token comes first.
        units: of the LSTM.
        pooling: "max" over time; or "last", the output after the last step, for series without
            padding whose end matters most, such as forecasts.
        dropout: the share of the pooled features that training leaves out.

    Input shape: (B, time, features), float32, best with mean 0 and deviation 1; or (B, time),
        int32 tokens from 0 to vocabulary_size - 1.
    Output shape: (B, num_classes), float32.

    Raises:
        RequestError: a shape of another form, a size that is no whole number from 1, another
            activation or pooling, a softmax of one class, or a dropout outside 0 to below 1.

    Example:

    >>> lstm((48, 3), 2).count_params() == 4 * 128 * (3 + 128 + 1) + 2 * (128 + 1)
    True
    """
    require_counts(units=units)
    reader = layers.LSTM(units, return_sequences=pooling == "max", name="lstm")
    x, inputs = _inputs(input_shape, vocabulary_size, units)
    outputs = dense_head(_pooled(reader(x), pooling, dropout), num_classes, activation)
    return keras.Model(inputs, outputs, name="lstm")


def bilstm(
    input_shape: tuple[int, ...] = (128, 1),
    num_classes: int = 2,
    *,
    activation: str = "softmax",
    vocabulary_size: int | None = None,
    units: int = 128,
    pooling: str = "max",
    dropout: float = 0.0,
) -> keras.Model:
    """Two LSTMs, one that reads forwards and one backwards, and otherwise as `lstm`.

    Args:
        input_shape, num_classes, activation, vocabulary_size, dropout: as `lstm` takes them.
        units: of each LSTM; both give `2 * units` features.
        pooling: "max" over time, which bears padding (see `lstm`); or "last", each direction's
            output after its last step.

    Input shape: (B, time, features), float32, best with mean 0 and deviation 1; or (B, time),
        int32 tokens from 0 to vocabulary_size - 1.
    Output shape: (B, num_classes), float32.

    Raises:
        RequestError: a shape of another form, a size that is no whole number from 1, another
            activation or pooling, a softmax of one class, or a dropout outside 0 to below 1.

    Example:

    >>> model = bilstm((64,), 2, vocabulary_size=8000)
    >>> model.count_params() == 8000 * 128 + 2 * 4 * 128 * (128 + 128 + 1) + 2 * (256 + 1)
    True
    """
    require_counts(units=units)
    reader = layers.Bidirectional(
        layers.LSTM(units, return_sequences=pooling == "max", name="lstm"), name="bilstm"
    )
    x, inputs = _inputs(input_shape, vocabulary_size, units)
    outputs = dense_head(_pooled(reader(x), pooling, dropout), num_classes, activation)
    return keras.Model(inputs, outputs, name="bilstm")


def _inputs(input_shape: Any, vocabulary_size: int | None, units: int) -> tuple[Any, Any]:
    """What the LSTM reads, and the model's input."""
    if vocabulary_size is None:
        if isinstance(input_shape, list | tuple) and len(input_shape) == 1:
            expected = (
                "`input_shape` to be (time, features) in whole numbers from 1, or "
                "`vocabulary_size` with (time,) for tokens"
            )
            raise RequestError(received(expected, input_shape=input_shape))
        require_shape(input_shape, "(time, features)")
        sequences = keras.Input(input_shape, name="sequences")
        return sequences, sequences
    require_shape(input_shape, "(time,)")
    require_counts(vocabulary_size=vocabulary_size)
    tokens = keras.Input(input_shape, dtype="int32", name="tokens")
    return layers.Embedding(vocabulary_size, units, name="embedding")(tokens), tokens


def _pooled(x: Any, pooling: str, dropout: float) -> Any:
    if pooling not in POOLINGS:
        raise RequestError(one_of("pooling", pooling, POOLINGS))
    if not 0 <= dropout < 1:
        raise RequestError(received("`dropout` to be from 0 to below 1", dropout=dropout))
    x = layers.GlobalMaxPooling1D(name="pool")(x) if pooling == "max" else x
    return layers.Dropout(dropout, name="dropout")(x) if dropout else x
