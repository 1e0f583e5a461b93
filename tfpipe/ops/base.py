"""What every op is: a frozen dataclass, called with an example dict, returning one.

An op says what it works on (`image`, `text` or `sequence`) and what it takes and gives of that, so
that a chain in a wrong order is refused before any example is read.
"""

import dataclasses
import hashlib
from typing import Any, ClassVar

import tensorflow as tf

from tfpipe.errors import RequestError
from tfpipe.ops.checks import RANKS, checked_image, checked_value, require_fitting

Example = dict[str, tf.Tensor]

# What ops may look at, and what therefore must be tensors.
SEEN = ("image", "mask", "boxes", "classes")

MANY = 100  # values of one argument: a vocabulary is not printed


@dataclasses.dataclass(frozen=True)
class Op:
    """The base of all ops; a new op overrides `apply` (a random one `run`), and `lower`
    where a file's runtime lacks the operators of `apply`.

    Attributes:
        on: the part of an example that the op works on: "image", "text" or "sequence".
        takes: what it takes of that: an image that is "encoded" (bytes), "uint8" or "float32";
            a "text" (a string), or its "tokens" (int32); a "sequence" (float32).
        gives: what it returns; "windows" are tokens that go into a model.
        per_image: it needs single images, because their sizes may differ.
        per_batch: it needs a batch, because it mixes its images.
        random: it is for training only, and draws from the example's `key`.

    Example:

    >>> @dataclasses.dataclass(frozen=True)
    ... class Invert(Op):
    ...     takes = gives = "uint8"
    ...     def apply(self, image):
    ...         return 255 - image
    >>> Invert()({"image": tf.zeros((1, 1, 1), tf.uint8)})["image"].numpy().item()
    255
    """

    on: ClassVar[str] = "image"
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
        values = {field.name: _shown(getattr(self, field.name)) for field in fields}
        given = [f"{name}={value}" for name, value in values.items() if value != defaults[name]]
        return f"{type(self).__name__}({', '.join(given)})"

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, list):  # an op must have a hash, and compare with its JSON
                object.__setattr__(self, field.name, tuple(value))

    def __call__(self, example: Example) -> Example:
        """Applies the op to `example["image"]`, (H, W, C) or a batch (B, H, W, C), or to a text,
        tokens (T,) or a sequence (T, C), or a batch of them.

        Raises:
            RequestError: there is none, or one that the op does not take. What shows only
                when a graph runs (an image without pixels) is an InvalidArgumentError there.
        """
        if self.on not in example:
            raise RequestError(
                f"{self!r} expected an example with {'an' if self.on == 'image' else 'a'} "
                f"`{self.on}`. Received: {', '.join(map(repr, example)) or 'an empty dict'}"
            )
        if self.on != "image":
            return self.run({**example, self.on: checked_value(self, example[self.on])})
        given = {name: tf.convert_to_tensor(example[name]) for name in SEEN if name in example}
        given["image"] = checked_image(self, given["image"])
        if self.takes != "encoded":
            require_fitting(self, given)
        return self.run({**example, **given})

    def run(self, example: Example) -> Example:
        """What the op does with an example that has passed the checks."""
        return {**example, self.on: self.apply(example[self.on])}

    def num_axes(self, example: Example) -> int:
        """The axes of the batch that an example is, or 0 for a single example."""
        return example[self.on].shape.rank - RANKS[self.takes]

    def apply(self, image: Any) -> Any:
        """The op's arithmetic, on an image or a batch of images (or texts, or sequences)."""
        raise NotImplementedError

    def lower(self, images: Any, runtime: str) -> Any:
        """`apply` for an exported file: the same bits, from operators that its runtime has.

        Args:
            images: (B, H, W, C).
            runtime: "saved_model", "tflite" or "onnx".
        """
        return self.apply(images)


def _shown(value: Any) -> str:
    if isinstance(value, tuple) and len(value) > MANY:
        return f"<{len(value)} values, sha256 {hashlib.sha256(repr(value).encode()).hexdigest()}>"
    return repr(value)


def sizes_of(images: Any) -> tuple[Any, Any]:
    """Height and width of an image or a batch: ints where they are known, else scalar tensors.

    >>> sizes_of(tf.zeros((2, 8, 6, 3)))
    (8, 6)
    """
    known, found = images.shape[-3:-1], tf.shape(images)
    height, width = (known[axis] or found[axis - 3] for axis in (0, 1))
    return height, width
