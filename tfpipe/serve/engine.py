"""One file of a bundle, ready to answer: what an instance may be, and the scores of many.

Example:

    engine = load_engine("out/xray/bundle", "int8")
    scores = engine.score(engine.parse([{"b64": "/9j/4AAQ..."}]))       # float32 (1, num_classes)
"""

import dataclasses
import json
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.errors import DataError, RequestError, one_of
from tfpipe.export import Bundle, Predictor, load, load_bundle, load_texts
from tfpipe.export.writing.graph import input_name
from tfpipe.files import Path
from tfpipe.ops import Chain
from tfpipe.serve import examples, pixels

MAX_PIXELS = 2**25


@dataclasses.dataclass(frozen=True)
class Engine:
    """A model file with what comes before it; `load_engine` makes it.

    Args:
        name: the data's, as in `/v1/models/NAME`.
        version: 1, or the number that is the folder's name.
        predictor: as `export.load` gives it.
        input: what an instance is called: "images", "texts", "sequences" or "features".
        class_names: in the order of the scores; () where the scores have no names.
        parse: from a request's instances (JSON values, or the bytes of uploaded files) to
            examples; RequestError says which is wrong.
        prepare: from examples to what `predictor.predict` takes.
    """

    name: str
    version: int
    predictor: Predictor
    input: str
    class_names: tuple[str, ...]
    parse: Callable[[Sequence[Any]], list[Any]] = dataclasses.field(repr=False)
    prepare: Callable[[Sequence[Any]], Any] = dataclasses.field(repr=False)

    def score(self, parsed: Sequence[Any]) -> np.ndarray:
        """The scores of examples that `parse` gave: those of `predictor.predict`, to the bit.

        Raises:
            RequestError: an example cannot be used.
        """
        return self.predictor.predict(self.prepare(parsed))


def load_engine(
    path: Path,
    engine: str = "",
    *,
    version: int = 1,
    threads: int = 1,
    max_pixels: int = MAX_PIXELS,
) -> Engine:
    """Loads a bundle's file, and runs it once.

    Args:
        path: the folder that `export.bundle` wrote; all of it is compared with its sums.
        engine: "float32", "int8", "onnx", "saved_model", ...: the file's name without its ending;
            "" is the report's first.
        version: the number that it is served under.
        threads: in which TFLite and ONNX files run.
        max_pixels: that the images of one request may have together.

    Raises:
        RequestError: no bundle, or no such file in it.
        DataError: the bundle is damaged, or its file cannot be run.
    """
    bundle = load_bundle(path)
    manifest = _manifest(bundle)
    file = bundle.path / _file(bundle, engine)
    chain = Chain.from_json(bundle.path / "chain.json")
    outside = chain.outside()
    if outside.ops and outside.ops[0].on == "text":
        predictor: Predictor = load_texts(file, chain)
        forms = ("texts", _texts(), list)
    else:
        predictor = load(file, threads=threads)
        forms = _forms(predictor, outside, max_pixels)
    return Engine(manifest["name"], version, predictor, forms[0], bundle.class_names, *forms[1:])


def engines(bundle: Bundle) -> dict[str, str]:
    """A bundle's model files by the names that `--engine` takes."""
    stems = {name: pathlib.PurePath(name).stem for name in bundle.models}
    return {_KINDS.get(name, stem): name for name, stem in stems.items()}


_KINDS = {"model.onnx": "onnx", "model.keras": "keras"}


def _file(bundle: Bundle, engine: str) -> str:
    known = engines(bundle)
    if engine and engine not in known:
        raise RequestError(one_of("engine", engine, tuple(known)))
    return known[engine] if engine else bundle.models[0]


def _manifest(bundle: Bundle) -> dict[str, Any]:
    file = bundle.path / "manifest.json"
    try:
        value = json.loads(file.read_bytes())
        value["name"] + ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(file, f"not what `export.bundle` writes ({error!r})") from None
    return value


def _texts() -> Callable[[Sequence[Any]], list[Any]]:
    return lambda instances: examples.parse_all(_named(instances, ("texts",)), examples.text)


def _forms(predictor: Predictor, outside: Chain, max_pixels: int) -> tuple[str, Any, Any]:
    """The input's name, `parse` and `prepare` of what takes no texts."""
    shape, dtype = predictor.input_shape, predictor.dtype
    name = input_name((None, *shape), dtype)
    plain = examples.numbers(shape, dtype)
    if outside.ops and outside.ops[0].takes == "encoded":
        parse = _images(plain, max_pixels)
        return name, parse, pixels.reader(outside, shape)

    def parse_numbers(instances: Sequence[Any]) -> list[Any]:
        return examples.parse_all(_named(instances, (name,)), plain)

    return name, parse_numbers, _arrays(outside)


def _images(plain: examples.Parse, max_pixels: int) -> Callable[[Sequence[Any]], list[Any]]:
    def parse(instance: Any) -> pixels.Image:
        if isinstance(instance, bytes):
            return pixels.open_image(instance, max_pixels)
        if isinstance(instance, dict) and list(instance) == ["b64"]:
            return pixels.open_image(examples.b64(instance), max_pixels)
        if isinstance(instance, list):
            return plain(instance)
        raise RequestError(
            'Expected {"b64": "..."}, an encoded image in base64, or its pixels in nested lists. '
            f"Received: {examples.kind(instance)}."
        )

    def parse_all(instances: Sequence[Any]) -> list[Any]:
        parsed = examples.parse_all(_named(instances, ("images", "encoded")), parse)
        total = sum(image.num_pixels for image in parsed if isinstance(image, pixels.Encoded))
        if total > max_pixels:
            raise RequestError(
                f"Expected images of at most {max_pixels:,} pixels together. Received: {total:,}; "
                "send fewer in one request."
            )
        return parsed

    return parse_all


def _named(instances: Sequence[Any], names: Sequence[str]) -> list[Any]:
    """TensorFlow Serving's clients may name the input, in each instance."""
    return [
        next(iter(instance.values()))
        if isinstance(instance, dict) and len(instance) == 1 and next(iter(instance)) in names
        else instance
        for instance in instances
    ]


def _arrays(outside: Chain) -> Callable[[Sequence[np.ndarray]], np.ndarray]:
    if not outside.ops:
        return np.stack
    part = outside.ops[0].on

    @tf.function(autograph=False)  # a graph, as in `tf.data`
    def prepared(batch: tf.Tensor) -> tf.Tensor:
        return outside({part: batch})[part]

    return lambda arrays: prepared(tf.constant(np.stack(arrays))).numpy()
