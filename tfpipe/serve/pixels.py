"""Encoded images to the pixels that a file takes, by the ops that training ran.

Example:

    encoded = open_image(data, max_pixels=2**25)        # the header only; RequestError if it is bad
    pixels = reader(chain, (32, 32, 1))([encoded])      # uint8 (1, 32, 32, 1)
"""

import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from tfpipe.decode import decode_plain
from tfpipe.errors import RequestError
from tfpipe.export.reading.problems import tensorflow_line
from tfpipe.ops import Chain, Decode, Resize
from tfpipe.records.headers import Header, read_header
from tfpipe.records.images import GROUP_PIXELS, look
from tfpipe.records.sources.base import Refused
from tfpipe.serve.examples import numbered

SMALL_PIXELS = 2**16  # larger ones are decoded on several cores
PLAIN = ("JPEG", "MPO", "PNG")  # which one operator decodes


@dataclasses.dataclass(frozen=True)
class Encoded:
    """The bytes of an image, and what its header says."""

    data: bytes
    header: Header

    @property
    def num_pixels(self) -> int:
        """Those that are decoded."""
        return self.header.height * self.header.width


Image = Encoded | np.ndarray  # an array: the pixels as the file takes them


def open_image(data: bytes, max_pixels: int) -> Encoded:
    """Reads the header; nothing is decoded.

    Raises:
        RequestError: it is no image, of a kind that training would not have read, or larger.

    Example:

    >>> open_image(b"hello", 2**20)
    Traceback (most recent call last):
        ...
    tfpipe.errors.RequestError: The image cannot be used: not an image; it begins with b'hello'.
    """
    try:
        return Encoded(data, read_header(data, max_pixels))
    except Refused as reason:
        raise RequestError(f"The image cannot be used: {reason}.") from None


def reader(chain: Chain, shape: Sequence[int]) -> Callable[[Sequence[Image]], np.ndarray]:
    """The function from images to a batch of pixels.

    Args:
        chain: what happens before the file (`prepare.outside()`).
        shape: (H, W, C) of what the file takes.

    Returns:
        A function from N images to uint8 (N, H, W, C). It raises RequestError where one does not
        decode as its header says, or has another size and the chain does not resize.
    """
    decode = _decoder(chain, shape)
    channels = next(op.channels for op in chain.ops if isinstance(op, Decode))
    only_resizes = all(isinstance(op, Decode | Resize) for op in chain.ops)

    def read(images: Sequence[Image]) -> np.ndarray:
        """The images as a batch of pixels."""
        pixels = np.empty((len(images), *shape), np.uint8)
        for place, image in enumerate(images):
            if isinstance(image, np.ndarray):
                pixels[place] = image
        for group in _groups(images):
            ready = {p: i for p, i in group.items() if only_resizes and _fits(i.header, shape)}
            rest = {p: i for p, i in group.items() if p not in ready}
            try:
                _require_plain(group, channels, len(images))
                for place, image in ready.items():
                    pixels[place] = tf.ensure_shape(decode_plain(image.data, channels), shape)
                if rest:
                    pixels[list(rest)] = decode(
                        tf.constant([image.data for image in rest.values()]),
                        tf.constant([image.header.orientation for image in rest.values()]),
                    )
            except tf.errors.OpError as error:
                _look(group, channels, len(images))  # which knows the reason better
                sentence = f"The image cannot be used: {tensorflow_line(error)}."
                raise RequestError(sentence) from None
        return pixels

    return read


def _decoder(chain: Chain, shape: Sequence[int]) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    def one(pair: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        return tf.ensure_shape(chain({"image": pair[0], "orientation": pair[1]})["image"], shape)

    strings, numbers = tf.TensorSpec((None,), tf.string), tf.TensorSpec((None,), tf.int32)

    # In one graph, the images of a group are decoded on several cores.
    @tf.function(input_signature=[strings, numbers], autograph=False)
    def decode(data: tf.Tensor, orientations: tf.Tensor) -> tf.Tensor:
        pixels = tf.TensorSpec(shape, tf.uint8)
        return tf.map_fn(one, (data, orientations), fn_output_signature=pixels)

    return decode


def _fits(header: Header, shape: Sequence[int]) -> bool:
    """Whether decoding is all: by itself it takes 0.05 ms, and in the graph, alone, 0.7 ms."""
    return (
        (header.height, header.width) == tuple(shape[:2])
        and header.height * header.width <= SMALL_PIXELS
        and header.format in PLAIN
        and header.orientation == 1
    )


def _groups(images: Sequence[Image]) -> Iterator[dict[int, Encoded]]:
    """The encoded ones by their places, as many at once as take little memory."""
    group: dict[int, Encoded] = {}
    pixels = 0
    for place, image in enumerate(images):
        if isinstance(image, np.ndarray):
            continue
        if group and pixels + image.num_pixels > GROUP_PIXELS:
            yield group
            group, pixels = {}, 0
        group[place] = image
        pixels += image.num_pixels
    if group:
        yield group


def _require_plain(group: dict[int, Encoded], channels: int, count: int) -> None:
    """Looks at the kinds that TensorFlow may decode otherwise than they look."""
    headers = {place: image.header for place, image in group.items()}
    odd = [p for p, h in headers.items() if h.format in ("BMP", "GIF") or h.may_be_transparent]
    _look({place: group[place] for place in odd}, channels, count)


def _look(group: dict[int, Encoded], channels: int, count: int) -> None:
    """Looks at images as `records.write` does."""
    for place, image in group.items():
        try:
            look(image.data, channels, max_pixels=sys.maxsize)  # the size was looked at before
        except Refused as reason:
            sentence = f"The image cannot be used: {reason}."
            raise RequestError(numbered(sentence, place, count)) from None
