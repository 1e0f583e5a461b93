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
        random: it is for training only, and draws from the example's `key`.
    """

    takes: ClassVar[str]
    gives: ClassVar[str]
    per_image: ClassVar[bool] = False
    random: ClassVar[bool] = False

    def __call__(self, example: Example) -> Example:
        """Applies the op to `example["image"]`, (H, W, C) or a batch (B, H, W, C)."""
        image = tf.convert_to_tensor(example["image"])
        found = "encoded" if image.dtype == tf.string else image.dtype.name
        if found != self.takes:
            raise RequestError(f"{self!r} expected {KINDS[self.takes]}. Received: {found} images.")
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
