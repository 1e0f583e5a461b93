"""What a bundle's instances are, by its chain: images, texts, sequences or features.

Example:

    form = form_of(predictor, chain, max_pixels=2**25)
    inputs = form.prepare(form.parse([{"b64": "/9j/4AAQ..."}]))     # uint8 (1, H, W, C)
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfpipe.errors import RequestError
from tfpipe.export import Predictor
from tfpipe.export.writing.graph import input_name
from tfpipe.ops import Chain, Standardize
from tfpipe.serve import examples, pixels

ParseAll = Callable[[Sequence[Any]], list[Any]]


class Form(NamedTuple):
    """How requests become inputs.

    Args:
        name: what an instance may be called: "images", "texts", "sequences" or "features".
        parse: from a request's instances to examples.
        prepare: from the examples of one or more requests to what the predictor takes.
        restore: from scores to what is answered; of forecasts, those in the units of the data.
    """

    name: str
    parse: ParseAll
    prepare: Callable[[Sequence[Any]], Any]
    restore: Callable[[np.ndarray], np.ndarray] = lambda scores: scores


def form_of(predictor: Predictor, chain: Chain, max_pixels: int) -> Form:
    """The form that fits a chain: encoded images, texts, or numbers.

    Args:
        predictor: a file's.
        chain: that it was trained with.
        max_pixels: that the images of one request may have together.
    """
    outside = chain.outside()
    first = outside.ops[0] if outside.ops else None
    if first and first.on == "text":
        return Form("texts", _by_one(("texts",), examples.text), list)
    shape, name = predictor.input_shape, input_name((None, *predictor.input_shape), predictor.dtype)
    numbers = examples.numbers(shape, predictor.dtype)
    if first and first.takes == "encoded":
        return Form(name, _images(numbers, max_pixels), pixels.reader(outside, shape))
    form = Form(name, _by_one((name,), numbers), _arrays(outside))
    standard = next((op for op in outside.ops if isinstance(op, Standardize)), None)
    return form if standard is None else form._replace(restore=standard.restored)


def _by_one(names: Sequence[str], parse: examples.Parse) -> ParseAll:
    """Instances may come under the input's name, as TensorFlow Serving's clients may send them."""

    def named(instance: Any) -> Any:
        if isinstance(instance, dict) and len(instance) == 1 and next(iter(instance)) in names:
            (instance,) = instance.values()
        return parse(instance)

    return lambda instances: examples.parse_all(instances, named)


def _images(numbers: examples.Parse, max_pixels: int) -> ParseAll:
    def parse(instance: Any) -> pixels.Image:
        """An uploaded file, an image in base64, or pixels in nested lists."""
        if isinstance(instance, bytes):
            return pixels.open_image(instance, max_pixels)
        if isinstance(instance, dict) and list(instance) == ["b64"]:
            return pixels.open_image(examples.b64(instance), max_pixels)
        if isinstance(instance, list):
            return numbers(instance)
        raise RequestError(
            'Expected {"b64": "..."}, an encoded image in base64, or its pixels in nested lists. '
            f"Received: {examples.kind(instance)}."
        )

    parse_each = _by_one(("images", "encoded"), parse)

    def parse_all(instances: Sequence[Any]) -> list[Any]:
        """Every instance, and no more pixels together than may be."""
        parsed = parse_each(instances)
        total = sum(image.num_pixels for image in parsed if isinstance(image, pixels.Encoded))
        if total > max_pixels:
            raise RequestError(
                f"Expected images of at most {max_pixels:,} pixels together. Received: {total:,}; "
                "send fewer in one request."
            )
        return parsed

    return parse_all


def _arrays(outside: Chain) -> Callable[[Sequence[np.ndarray]], np.ndarray]:
    if not outside.ops:
        return np.stack
    part = outside.ops[0].on
    # Not in a graph: `tf.function` would make of a division by a constant a product, which has
    # other bits; `tf.data`, in which training ran the chain, does not.
    return lambda arrays: outside({part: tf.constant(np.stack(arrays))})[part].numpy()
