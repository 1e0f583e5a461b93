"""Walking a model with a model in it gives what calling it gives, operation by operation."""

import keras
import numpy as np

from tfpipe import models
from tfpipe.models import graph


def nested():
    inner = models.lenet5((16, 16, 1), 4)
    x = keras.Input((16, 16, 1))
    return keras.Model(x, inner(keras.layers.Rescaling(2.0, name="twice")(x)) + 1.0)


def test_a_walk_computes_what_the_model_computes():
    model, images = nested(), np.random.default_rng(0).random((2, 16, 16, 1), np.float32)
    walked = []

    def run(operation, *args, **kwargs):
        walked.append(operation.name)
        return operation(*args, **kwargs)

    np.testing.assert_array_equal(graph.called(model, images, run), model(images))
    assert walked == [operation.name for operation in graph.operations(model)]
    assert walked[:2] == ["twice", "conv1"]
    assert graph.last_operation(model).name == walked[-1]
