"""A model as a person reads it: the summary as text, and the graph as a picture.

Example:

    print(draw(unet(), "unet.png"))
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.files import Path, write_bytes

MOST_BOXES = 24


def draw(model: keras.Model, path: Path | None = None) -> str:
    """Keras' summary of a model, and a picture of its graph.

    The picture needs matplotlib alone (keras.utils.plot_model needs Graphviz). A layer without
    weights stands in the box of the layer before it, if it takes nothing else; where there are
    still more than 24 boxes, layers that follow each other at one size of image share a box.
    Smaller images stand further to the right, so the two ways of a U-Net make a U on its side.

    Args:
        model: functional, or a Sequential that is built.
        path: the PNG file to write.

    Returns:
        The summary: layers, output shapes, parameters.

    Raises:
        RequestError: a model that has no graph of layers.

    Example:

    >>> from tfpipe.models import perceptron
    >>> "Total params: 3" in draw(perceptron())
    True
    """
    steps = _steps(model)
    if path is not None:
        from tfpipe.report.flow import flow

        boxes, arrows = _grouped(steps)
        indents = _indents([_shape(group[-1]) for group in boxes])
        write_bytes(path, flow([_text(group) for group in boxes], arrows, indents=indents))
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    return "\n".join(lines)


def _steps(model: keras.Model) -> list[Any]:
    """The model's layers and operations: branch after branch, each after what it takes from."""
    if not getattr(model, "inputs", None):
        raise RequestError(
            f"Expected a functional model, whose layers can be drawn. Received: {model.name!r}, "
            f"type={type(model).__name__}"
        )
    graph = keras.Model(model.inputs, model.outputs)  # a Sequential has none of its own
    waiting = {id(step): step for step in graph.operations}
    sources = {name: {id(source) for source in _sources(step)} for name, step in waiting.items()}
    last, steps = 0, []
    while waiting:
        ready = [name for name in waiting if not sources[name] & waiting.keys()]
        follow = [name for name in ready if last in sources[name]]
        last = (follow or ready)[0]
        steps.append(waiting.pop(last))
    return steps


def _sources(step: Any) -> list[Any]:
    return [
        tensor._keras_history.operation
        for node in step._inbound_nodes[:1]
        for tensor in node.input_tensors
    ]


def _grouped(steps: Sequence[Any]) -> tuple[list[list[Any]], list[tuple[int, int]]]:
    """The boxes, and the arrows between them, by number."""
    readers = Counter(id(source) for step in steps for source in _sources(step))
    boxes: list[list[Any]] = []
    for step in steps:
        sources = _sources(step)
        follows = boxes and len(sources) == 1 and sources[0] is boxes[-1][-1]
        if follows and readers[id(sources[0])] == 1 and _belongs(step, boxes[-1][-1]):
            boxes[-1].append(step)
        else:
            boxes.append([step])
    if len(boxes) > MOST_BOXES:
        boxes = _by_size(boxes)
    number = {id(step): n for n, box in enumerate(boxes) for step in box}
    arrows = {(number[id(source)], number[id(step)]) for step in steps for source in _sources(step)}
    return boxes, sorted((start, end) for start, end in arrows if start != end)


def _belongs(step: Any, before: Any) -> bool:
    """A layer without weights to the one before it, and padding to the one after it."""
    if isinstance(before, keras.layers.ZeroPadding2D):
        return True
    if isinstance(before, keras.layers.InputLayer) or len(_shape(step)) != len(_shape(before)):
        return False
    if isinstance(step, keras.layers.ZeroPadding2D):
        return False
    return isinstance(step, keras.layers.BatchNormalization) or not getattr(step, "weights", ())


def _by_size(boxes: Sequence[list[Any]]) -> list[list[Any]]:
    """Boxes that follow each other at one size of image, as one."""
    first, *rest = boxes
    joined = [first]
    for box in rest:
        size, before = _size(box[-1]), joined[-1][-1]
        if size and size == _size(before) and not isinstance(before, keras.layers.InputLayer):
            joined[-1] = joined[-1] + box
        else:
            joined.append(box)
    return joined


def _shape(step: Any) -> tuple[Any, ...]:
    output = step.output if not isinstance(step.output, list | tuple) else step.output[0]
    return tuple(output.shape[1:])


def _size(step: Any) -> tuple[Any, ...]:
    """The height and width; nothing for what is no image."""
    shape = _shape(step)
    return shape[:2] if len(shape) == 3 else ()


def _indents(shapes: Sequence[tuple[Any, ...]]) -> list[int]:
    """The larger the image, the further left; what is no image stands on the right."""
    heights = sorted({shape[0] for shape in shapes if len(shape) == 3}, reverse=True)
    return [heights.index(shape[0]) if len(shape) == 3 else len(heights) for shape in shapes]


def _text(box: Sequence[Any]) -> str:
    """Names, what there is, and what comes out."""
    name = box[0].name if len(box) == 1 else f"{box[0].name} … {box[-1].name}"
    kinds = Counter(_kind(step) for step in box)
    made = [f"{count} × {kind}" if count > 1 else kind for kind, count in kinds.items()]
    rows = [" + ".join(made[n : n + 3]) for n in range(0, len(made), 3)]
    return "\n".join([name, *rows, " × ".join(map(str, _shape(box[-1])))])


def _kind(step: Any) -> str:
    """A layer's class, and the size of its window where it has one."""
    kind = type(step).__name__
    window = getattr(step, "kernel_size", None) or getattr(step, "pool_size", None)
    if isinstance(window, list | tuple):
        kind += " " + "x".join(map(str, window))
    activation = getattr(getattr(step, "activation", None), "__name__", "linear")
    return kind if activation == "linear" else f"{kind} {activation}"
