"""What a classifier looks at: Grad-CAM's heat maps.

Example:

    heat = grad_cam(model, images)                      # of each image's answer
    heat = grad_cam(model, images, [1] * len(images))   # of what speaks for class 1
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError, one_of, received
from tfpipe.models.graph import as_graph, called, last_operation, operations

_SQUASHING = ("softmax", "sigmoid", "log_softmax", "log_sigmoid")  # functions
_SQUASHERS = ("Softmax", "Sigmoid", "LogSoftmax", "LogSigmoid")  # layers and operations
# Only the proportions count, and float16 has no room for the small gradients of a large map.
_SCALE = 1024.0


def grad_cam(
    model: keras.Model,
    images: Any,
    classes: Sequence[int] | None = None,
    *,
    layer: str | None = None,
) -> np.ndarray:
    """Where in each image stands what speaks for a class.

    A layer's maps are added up, each weighted with the mean gradient of the class' score by that
    map; what is negative speaks against the class, and is cut off. The score is the one before
    softmax or sigmoid. Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks
    via Gradient-based Localization", ICCV, 2017, equations 1 and 2.

    A heat map shows what one layer's sum weighs, at that layer's resolution. It is no proof that
    the model would answer otherwise without that place.

    Args:
        model: a functional or Sequential classifier, with one input of images and one output of
            scores; the models in it are looked into. It is called as in inference.
        images: (B, H, W, C), as the model takes them. All go through the model at once, with
            every layer's values in memory: some 16 at a time is a good number for large models.
        classes: the class of each image, 0 to num_classes - 1; of a model with one unit, 1 is
            what the unit stands for, and 0 the other. None: each image's most probable one.
        layer: the name of a layer that gives maps (B, h, w, maps). None: the last one whose maps
            are larger than 1x1.

    Returns:
        float32 (B, H, W), from 0 to 1, the largest value in each image; all 0 where nothing in
        the layer's maps speaks for the class.

    Raises:
        RequestError: a model of another form, or without maps; no such layer; images or classes
            that do not fit.

    Example:

    >>> x = keras.Input((8, 8, 1))
    >>> maps = keras.layers.Conv2D(2, 3, padding="same", activation="relu")(x)
    >>> scores = keras.layers.Dense(2, "softmax")(keras.layers.GlobalAveragePooling2D()(maps))
    >>> grad_cam(keras.Model(x, scores), np.ones((3, 8, 8, 1), np.float32)).shape
    (3, 8, 8)
    """
    graph = _checked(model)
    inputs = _checked_images(graph, images)
    maps, gradient = _derived(graph, inputs, _maps(graph, layer), classes)
    weights = tf.reduce_mean(tf.cast(gradient, tf.float32), axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * tf.cast(maps, tf.float32), axis=-1))
    return _from_0_to_1(heat, inputs.shape[1:3])


def _derived(
    graph: Any, inputs: tf.Tensor, layer: Any, classes: Sequence[int] | None
) -> tuple[tf.Tensor, tf.Tensor]:
    """The layer's maps, and the derivative of the classes' scores by them."""
    last = last_operation(graph)
    maps: list[tf.Tensor] = []

    def run(operation: Any, *args: Any, **kwargs: Any) -> Any:
        if operation is last:
            return _unsquashed(operation)(*args, **kwargs)
        made = operation(*args, **kwargs)
        if operation is layer:
            tape.watch(made)
            maps.append(made)
        return made

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        (scores,) = keras.tree.flatten(called(graph, inputs, run))
        total = _SCALE * tf.reduce_sum(_chosen(tf.cast(scores, tf.float32), classes))
    gradient = tape.gradient(total, maps[-1])
    if gradient is None:
        raise RequestError(
            f"Expected a layer whose maps decide the scores. Received: {layer.name!r} of "
            f"{graph.name!r}, after which an operation has no gradient. Give another `layer`."
        )
    return maps[-1], gradient


def _from_0_to_1(heat: tf.Tensor, size: Sequence[int]) -> np.ndarray:
    large = tf.image.resize(heat[..., None], size)[..., 0].numpy()
    highest = large.max(axis=(1, 2), keepdims=True)
    return np.divide(large, highest, out=np.zeros_like(large), where=highest > 0)


def _chosen(scores: tf.Tensor, classes: Sequence[int] | None) -> tf.Tensor:
    """The score (B,) of each image's class; of one unit's class 0, its negative."""
    if scores.shape[-1] == 1:
        scores = tf.concat([-scores, scores], axis=-1)
    if classes is None:
        return tf.reduce_max(scores, axis=-1)
    num_images, num_classes = scores.shape
    given = np.asarray(classes)
    whole = given.shape == (num_images,) and given.dtype.kind in "iu"
    if not whole or not ((given >= 0) & (given < num_classes)).all():
        expected = f"`classes` to hold {num_images} whole numbers from 0 to {num_classes - 1}"
        raise RequestError(received(expected, classes=classes))
    return tf.gather(scores, given, axis=1, batch_dims=1)


def _unsquashed(layer: Any) -> Callable[..., Any]:
    """The last operation, which a softmax or sigmoid may end or be, without that."""
    if type(layer).__name__ in _SQUASHERS:
        return lambda scores, **_: scores
    if getattr(getattr(layer, "activation", None), "__name__", "") not in _SQUASHING:
        return layer
    twin = type(layer).from_config({**layer.get_config(), "activation": "linear"})

    def call(inputs: Any, **_: Any) -> Any:
        twin.build(inputs.shape)
        twin.set_weights(layer.get_weights())
        return twin(inputs)

    return call


def _checked(model: keras.Model) -> Any:
    graph = as_graph(model)
    one = len(graph.inputs) == 1 and len(graph.outputs) == 1
    if not one or len(graph.inputs[0].shape) != 4 or len(graph.outputs[0].shape) != 2:
        shapes = {
            "inputs": [tuple(x.shape) for x in graph.inputs],
            "outputs": [tuple(x.shape) for x in graph.outputs],
        }
        expected = "a model of one input of images (B, H, W, C) and one output (B, num_classes)"
        raise RequestError(received(expected, model=model.name, **shapes))
    return graph


def _maps(graph: Any, layer: str | None) -> Any:
    """The operation whose maps are weighed."""
    found = {}
    for operation in operations(graph):
        shape = getattr(operation.output, "shape", ())
        if len(shape) == 4 and tuple(shape[1:3]) != (1, 1):
            found[operation.name] = operation
    if not found:
        raise RequestError(
            f"Expected a model with a layer that gives maps (B, h, w, maps). Received: "
            f"{graph.name!r}, which has none: it says nothing of places."
        )
    if layer is None:
        return list(found.values())[-1]
    if layer not in found:
        raise RequestError(one_of("layer", layer, list(found)))
    return found[layer]


def _checked_images(graph: Any, images: Any) -> tf.Tensor:
    shape = np.shape(images)
    known = graph.inputs[0].shape[1:]
    fits = len(shape) == 4 and shape[0] > 0
    if not fits or any(k not in (None, s) for k, s in zip(known, shape[1:], strict=True)):
        expected = f"`images` of shape (B, {', '.join(map(str, known))})"
        raise RequestError(received(expected, shape=shape))
    return tf.convert_to_tensor(images, graph.inputs[0].dtype)
