"""CLAHE as a Keras layer."""

from typing import Any

from tfpipe.backend import keras
from tfpipe.ops.clahe.op import Clahe


@keras.saving.register_keras_serializable(package="tfpipe")
class ClaheLayer(keras.layers.Layer):
    """`Clahe` inside a Keras model, in TensorFlow's own operators.

    It has no weights and passes no gradient. In an input pipeline `Clahe` is faster; for TFLite
    and ONNX files give `Clahe` to the exporter, which then takes the operators that they have.

    Args:
        clip_limit: see `Clahe`.
        tile_grid: see `Clahe`.
        colour: see `Clahe`.
        **kwargs: what every Keras layer takes.

    Input shape:
        uint8 (B, H, W, C): `keras.Input(shape, dtype="uint8")`.

    Output shape:
        uint8 (B, H, W, C).

    Raises:
        RequestError: as with `Clahe`.

    Example:

    >>> images = keras.Input((64, 64, 1), dtype="uint8")
    >>> keras.Model(images, keras.layers.Rescaling(1 / 255)(ClaheLayer()(images))).output_shape
    (None, 64, 64, 1)
    """

    def __init__(
        self,
        clip_limit: float = 2.0,
        tile_grid: tuple[int, int] = (8, 8),
        colour: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(autocast=False, **kwargs)
        self.clahe = Clahe(clip_limit, tile_grid, colour)

    def call(self, images: Any) -> Any:
        """Equalises a batch."""
        return self.clahe.lower(images, "saved_model")

    def compute_output_spec(self, images: Any) -> Any:
        """Says what `call` gives, without a trace of it."""
        self.clahe.check(images.dtype, images.shape)
        return keras.KerasTensor(images.shape, dtype="uint8")

    def get_config(self) -> dict[str, Any]:
        """Everything that `__init__` takes."""
        names = ("clip_limit", "tile_grid", "colour")
        return super().get_config() | {name: getattr(self.clahe, name) for name in names}
