"""CLAHE as a function and as an op."""

import dataclasses
import math
import numbers
from collections.abc import Callable
from typing import Any, ClassVar

import tensorflow as tf

from tfpipe.errors import RequestError, one_of, received
from tfpipe.ops.base import Op
from tfpipe.ops.clahe import compiled, forms, lab

COLOURS = ("lab", "channels")
BACKENDS = ("tensorflow", "opencv")
FORMS = {"saved_model": forms.plain, "tflite": forms.tflite, "onnx": forms.onnx}


@dataclasses.dataclass(frozen=True)
class Clahe(Op):
    """Contrast-limited adaptive histogram equalisation of uint8 images (Zuiderveld, 1994).

    Equal to `cv2.createCLAHE(clip_limit, tile_grid).apply` (OpenCV 4 and 5 on x86-64) in every
    bit, for every size, in the pipeline and in every exported file.

    With `colour="lab"` the lightness of L*a*b* is equalised and the colours are kept, also equal
    to OpenCV (`cvtColor` with `COLOR_RGB2LAB`, CLAHE of L, `COLOR_LAB2RGB`). 8-bit L*a*b* itself
    costs something: of all 2**24 colours 12 % come back as they were; a channel moves by 0.7 grey
    levels in the mean, and by 27 at most.

    Args:
        clip_limit: how often a grey level may come in a tile, as a multiple of the mean of all
            256; 0 or less clips nothing.
        tile_grid: (columns, rows) of tiles, the order of OpenCV's `tileGridSize`. It may be finer
            than the image.
        colour: for images of several channels: "lab" (RGB alone) or "channels", each by itself.
        backend: what computes it in the input pipeline: "tensorflow", or "opencv", which calls
            OpenCV from Python, takes a little less time on one or two cores, and needs this
            process: such a pipeline can be neither saved nor sent to a tf.data service. It turns
            off OpenCV's own threads (`cv2.setNumThreads(0)`), which would wait for those of
            tf.data. The bits are the same, and exported files never hold it.

    Raises:
        RequestError: an argument is none of these; images that are not uint8, or of no pixel; or
            several channels without a `colour`.

    Example:

    >>> Clahe()({"image": tf.zeros((32, 32, 1), tf.uint8)})["image"].shape
    TensorShape([32, 32, 1])
    """

    clip_limit: float = 2.0
    tile_grid: tuple[int, int] = (8, 8)
    colour: str | None = None
    backend: str = "tensorflow"
    takes: ClassVar[str] = "uint8"
    gives: ClassVar[str] = "uint8"

    def __post_init__(self) -> None:
        super().__post_init__()
        limit, grid = self.clip_limit, self.tile_grid
        if not isinstance(limit, numbers.Real) or not math.isfinite(limit):
            raise RequestError(
                received("`clip_limit` to be a number, 0 or less for no clipping", clip_limit=limit)
            )
        counts = grid if isinstance(grid, tuple) else ()
        if len(counts) != 2 or not all(isinstance(n, numbers.Integral) and n > 0 for n in counts):
            raise RequestError(
                received("`tile_grid` to be (columns, rows), 1 or more of each", tile_grid=grid)
            )
        if self.colour not in (None, *COLOURS):
            raise RequestError(one_of("colour", self.colour, COLOURS))
        if self.backend not in BACKENDS:
            raise RequestError(one_of("backend", self.backend, BACKENDS))

    def apply(self, image: Any) -> Any:
        """(H, W, C) or (B, H, W, C) to the same: compiled where the size is known beforehand."""
        image = tf.convert_to_tensor(image)
        self.check(image.dtype, image.shape)
        if self.backend == "opencv":
            return self._equalised(_of_some_pixel(image), forms.opencv, lab)
        # Eagerly, a size may come once and never again, and compiling takes a second.
        if tf.executing_eagerly() or None in image.shape[-3:]:
            return self._equalised(_of_some_pixel(image), forms.plain, lab)
        return self._equalised(image, compiled.compiled, compiled)

    def lower(self, images: Any, runtime: str) -> Any:
        """`apply` in the operators of a file's runtime; in "tflite" ones, nothing is quantised."""
        if runtime not in FORMS:
            raise RequestError(one_of("runtime", runtime, tuple(FORMS)))
        images = tf.convert_to_tensor(images)
        self.check(images.dtype, images.shape)
        return self._equalised(_of_some_pixel(images), FORMS[runtime], lab)

    def check(self, dtype: Any, shape: Any) -> None:
        """Refuses images of this dtype and shape, as far as it is known, that do not fit."""
        dtype = tf.as_dtype(dtype).name
        if dtype != "uint8":
            raise RequestError(received("`images` to be uint8, 0 to 255", dtype=dtype))
        rank = tf.TensorShape(shape).rank
        if rank is not None and rank not in (3, 4):
            raise RequestError(
                received("`images` to be (H, W, C) or (B, H, W, C)", shape=tuple(shape))
            )
        if rank is None or shape[-1] is None:
            raise RequestError(
                "Expected `images` with a known rank and number of channels; tf.ensure_shape "
                f"states them. Received: shape={shape}"
            )
        if 0 in shape[-3:]:
            raise RequestError(received("`images` of at least one pixel", shape=tuple(shape)))
        self._check_channels(shape[-1])

    def _check_channels(self, channels: int) -> None:
        if channels > 1 and self.colour is None:
            choices = "'lab' or 'channels'" if channels == 3 else "'channels'"
            raise RequestError(
                received(f"`colour` to be {choices} for {channels} channels", colour=self.colour)
            )
        if channels != 3 and self.colour == "lab":
            raise RequestError(received("3 channels for `colour='lab'`", channels=channels))

    def _equalised(self, images: Any, form: Callable[..., Any], colours: Any) -> Any:
        def equalise(planes: Any) -> Any:
            limit, grid = float(self.clip_limit), tuple(map(int, self.tile_grid))
            return tf.ensure_shape(form(planes, grid, limit), planes.shape)

        batch = images if images.shape.rank == 4 else images[None]
        if self.colour == "lab":
            lightness, a, b = colours.to_lab(batch)
            batch = colours.to_rgb(equalise(lightness), a, b)
        elif batch.shape[-1] == 1:
            # Not batch[..., 0], which copies pixel by pixel.
            batch = tf.expand_dims(equalise(tf.squeeze(batch, -1)), -1)
        else:
            batch = _by_channel(batch, equalise)
        return batch if images.shape.rank == 4 else batch[0]


def clahe(
    images: Any,
    clip_limit: float = 2.0,
    *,
    tile_grid: tuple[int, int] = (8, 8),
    colour: str | None = None,
) -> Any:
    """uint8 (H, W, C) or (B, H, W, C) to the same; the arguments and errors are those of `Clahe`.

    >>> clahe(tf.constant([[[7], [9]], [[9], [9]]], tf.uint8), 0, tile_grid=(1, 1)).numpy().ravel()
    array([ 64, 255, 255, 255], dtype=uint8)
    """
    return Clahe(clip_limit, tile_grid, colour).apply(images)


def _of_some_pixel(images: Any) -> Any:
    """The same images; where their size shows only when the graph runs, it is looked at then."""
    if None not in images.shape[-3:]:
        return images
    check = tf.debugging.assert_positive(
        tf.shape(images)[-3:],
        "Expected `images` of at least one pixel. Received: a height or width of 0",
    )
    with tf.control_dependencies([check]):
        return tf.identity(images)


def _by_channel(images: Any, equalise: Callable[[Any], Any]) -> Any:
    height, width = (images.shape[axis] or tf.shape(images)[axis] for axis in (1, 2))
    channels = images.shape[3]
    planes = tf.reshape(tf.transpose(images, (0, 3, 1, 2)), (-1, height, width))
    batch = tf.reshape(equalise(planes), (-1, channels, height, width))
    return tf.transpose(batch, (0, 2, 3, 1))
