"""What every op is: a frozen dataclass, called with an example dict, returning one.

An op says what image it takes and gives ("encoded", "uint8" or "float32"), so that a chain in
a wrong order is refused before any example is read.
"""

import dataclasses
from typing import Any, ClassVar

import tensorflow as tf

from tfpipe.errors import RequestError

Example = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Op:
    """The base of all ops; a new op overrides `apply` (a random one `run`), and `lower`
    where a file's runtime lacks the operators of `apply`.

    Attributes:
        takes: the image that the op works on: "encoded" (bytes), "uint8" or "float32".
        gives: the image that it returns.
        per_image: it needs single images, because their sizes may differ.
        per_batch: it needs a batch, because it mixes its images.
        random: it is for training only, and draws from the example's `key`.
    """

    takes: ClassVar[str]
    gives: ClassVar[str]
    per_image: ClassVar[bool] = False
    per_batch: ClassVar[bool] = False
    random: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        # Where a class has it in its own right, `dataclass` leaves it alone.
        cls.__repr__ = Op.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        """The op as code, with the arguments that are not left at their defaults."""
        values = {field: getattr(self, field.name) for field in dataclasses.fields(self)}
        given = [f"{f.name}={value!r}" for f, value in values.items() if value != f.default]
        return f"{type(self).__name__}({', '.join(given)})"

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, list):  # an op must have a hash, and compare with its JSON
                object.__setattr__(self, field.name, tuple(value))

    def __call__(self, example: Example) -> Example:
        """Applies the op to `example["image"]`, (H, W, C) or a batch (B, H, W, C).

        Raises:
            RequestError: there is no image, or one that the op does not take. What shows only
                when a graph runs (an image without pixels) is an InvalidArgumentError there.
        """
        if "image" not in example:
            raise RequestError(
                f"{self!r} expected an example with an `image`. "
                f"Received: {', '.join(map(repr, example)) or 'an empty dict'}"
            )
        image = tf.convert_to_tensor(example["image"])
        require_kind(self, image)
        require_rank(self, image)
        require_pixels(self, image)
        require_mask(self, image, example)
        return self.run({**example, "image": image})

    def run(self, example: Example) -> Example:
        """What the op does with an example that has passed the checks."""
        return {**example, "image": self.apply(example["image"])}

    def apply(self, image: Any) -> Any:
        """The op's arithmetic, on an image or a batch of images."""
        raise NotImplementedError

    def lower(self, images: Any, runtime: str) -> Any:
        """`apply` for an exported file: the same bits, from operators that its runtime has.

        Args:
            images: (B, H, W, C).
            runtime: "saved_model", "tflite" or "onnx".
        """
        return self.apply(images)


KINDS = {
    "encoded": "encoded images (bytes)",
    "uint8": "uint8 images, 0 to 255",
    "float32": "float32 images",
}


def require_kind(op: Op, image: tf.Tensor) -> None:
    """Refuses an image of another dtype than the op takes."""
    found = "encoded" if image.dtype == tf.string else image.dtype.name
    if found != op.takes:
        raise RequestError(f"{op!r} expected {KINDS[op.takes]}. Received: {found} images.")


def require_rank(op: Op, image: tf.Tensor) -> None:
    """Refuses what is neither an image nor a batch, and a batch where there must be none."""
    rank = image.shape.rank
    ranks: tuple[int, ...]
    if op.takes == "encoded":
        expected, ranks = "one encoded image, a scalar", (0,)
    elif op.per_batch:
        expected, ranks = "a batch of images (B, H, W, C)", (4,)
    else:
        expected, ranks = "an image (H, W, C) or a batch (B, H, W, C)", (3, 4)
    if rank is None:
        raise RequestError(
            f"{op!r} expected {expected}. Received: an image of unknown rank; "
            "`tf.ensure_shape` tells it."
        )
    if rank not in ranks:
        raise RequestError(f"{op!r} expected {expected}. Received: shape {_words(image.shape)}")


def require_pixels(op: Op, image: tf.Tensor) -> None:
    """Refuses an empty batch and an image without pixels; in a graph, when it runs."""
    sizes = image.shape.as_list()
    expected = f"{op!r} expected at least one image, of at least one pixel. Received:"
    if 0 in sizes:
        raise RequestError(f"{expected} shape {_words(image.shape)}")
    if None in sizes:
        tf.debugging.Assert(tf.size(image) > 0, [expected, "shape", tf.shape(image)])


def require_mask(op: Op, image: tf.Tensor, example: Example) -> None:
    """Refuses a mask that is not of the image's rank: one that is still encoded, or (H, W)."""
    if "mask" not in example or op.takes == "encoded":
        return
    mask = tf.convert_to_tensor(example["mask"])
    if mask.shape.rank != image.shape.rank:
        raise RequestError(
            f"{op!r} expected a `mask` of classes with the axes of its image, "
            f"{'(H, W, 1)' if image.shape.rank == 3 else '(B, H, W, 1)'}. "
            f"Received: {mask.dtype.name} of shape {mask.shape}"
        )


def require_channels(op: Op, image: tf.Tensor, channels: int) -> None:
    """Refuses images with other than `channels` channels; in a graph, when it runs if need be."""
    expected = f"{op!r} expected images with {channels} channels. Received:"
    found = image.shape[-1]
    if found is None:
        same = tf.shape(image)[-1] == channels
        tf.debugging.Assert(same, [expected, "shape", tf.shape(image)])
    elif found != channels:
        raise RequestError(f"{expected} shape {_words(image.shape)}")


def sizes_of(images: Any) -> tuple[Any, Any]:
    """Height and width of an image or a batch: ints where they are known, else scalar tensors.

    >>> sizes_of(tf.zeros((2, 8, 6, 3)))
    (8, 6)
    """
    known, found = images.shape[-3:-1], tf.shape(images)
    height, width = (known[axis] or found[axis - 3] for axis in (0, 1))
    return height, width


def _words(shape: tf.TensorShape) -> str:
    return str(tuple(shape.as_list()))
