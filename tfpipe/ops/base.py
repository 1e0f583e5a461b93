"""What every op is: a frozen dataclass, called with an example dict, returning one.

An op says what image it takes and gives ("encoded", "uint8" or "float32"), so that a chain in
a wrong order is refused before any example is read.
"""

import dataclasses
from typing import Any, ClassVar

import tensorflow as tf

from tfpipe.errors import RequestError
from tfpipe.ops.checks import checked_image, require_fitting

Example = dict[str, tf.Tensor]

# What ops may look at, and what therefore must be tensors.
SEEN = ("image", "mask", "boxes", "classes")


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
        fields = dataclasses.fields(self)
        defaults = {field.name: repr(field.default) for field in fields}
        values = {field.name: repr(getattr(self, field.name)) for field in fields}
        given = [f"{name}={value}" for name, value in values.items() if value != defaults[name]]
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
        given = {name: tf.convert_to_tensor(example[name]) for name in SEEN if name in example}
        given["image"] = checked_image(self, given["image"])
        if self.takes != "encoded":
            require_fitting(self, given)
        return self.run({**example, **given})

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


def sizes_of(images: Any) -> tuple[Any, Any]:
    """Height and width of an image or a batch: ints where they are known, else scalar tensors.

    >>> sizes_of(tf.zeros((2, 8, 6, 3)))
    (8, 6)
    """
    known, found = images.shape[-3:-1], tf.shape(images)
    height, width = (known[axis] or found[axis - 3] for axis in (0, 1))
    return height, width
