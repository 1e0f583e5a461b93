"""The deterministic part of a chain as a Keras layer, for anybody's model."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.ops.chain import Chain
from tfpipe.ops.config import from_config, to_config


@keras.saving.register_keras_serializable("tfpipe")
class ChainLayer(keras.layers.Layer):
    """What a chain does to pixels; `chain.as_layer()` makes it.

    `import tfpipe.ops` lets `keras.models.load_model` find it, in safe mode too.

    Args:
        chain: ops that are neither random nor decode; or what `get_config` made of them.

    Input shape:
        (B, H, W, C), uint8: `keras.Input((None, None, 3), dtype="uint8")`.

    Output shape:
        (B, H, W, C), of what the last op gives.

    Raises:
        RequestError: the images are of another dtype than the first op takes.

    Example:

    >>> from tfpipe import ops
    >>> layer = ops.Chain([ops.Decode(3), ops.Resize((4, 6)), ops.ToFloat()]).as_layer()
    >>> layer(tf.zeros((2, 8, 8, 3), tf.uint8)).shape
    TensorShape([2, 4, 6, 3])
    """

    def __init__(self, chain: Chain | Sequence[dict[str, Any]], **kwargs: Any):
        super().__init__(**kwargs)
        self.chain = chain if isinstance(chain, Chain) else Chain(from_config(chain))
        # Compiled by XLA, products and sums would be fused, and the last bits would differ.
        self.supports_jit = False

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Applies the ops."""
        for op in self.chain.ops:
            if images.dtype.name != op.takes:
                raise RequestError(
                    f"{op!r} expected {op.takes} images. Received: {images.dtype.name}"
                )
            images = op.lower(images, "saved_model")
        return images

    def get_config(self) -> dict[str, Any]:
        """Keras' arguments, and the chain's ops as in its JSON."""
        return {**super().get_config(), "chain": to_config(self.chain.ops)}
