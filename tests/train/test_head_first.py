"""head_first(): what trains in which phase, for how long and at what rate."""

import keras

from tfpipe import models, train


def remembering(phases):
    def fit(model, rate, epochs):
        phases.append(({weight.path for weight in model.trainable_weights}, rate, epochs))
        return len(phases)

    return fit


def test_the_head_of_a_frozen_base_trains_first_and_then_all_but_statistics():
    model, phases = models.residual((32, 32, 3), 2, depth=8, width=4), []
    for layer in model.layers[:-1]:
        layer.trainable = False
    assert train.head_first(remembering(phases), model, 0.02, 10) == 2
    (head, *first), (rest, *then) = phases
    assert (first, then) == ([0.02, 3], [0.002, 10])
    assert head == {weight.path for weight in model.layers[-1].weights}
    bn = {
        weight.path
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
        for weight in layer.weights
    }
    assert rest == {weight.path for weight in model.weights} - bn


def test_a_model_that_is_not_frozen_has_one_phase():
    model, phases = models.residual((32, 32, 3), 2, depth=8, width=4), []
    every = {weight.path for weight in model.trainable_weights}
    assert train.head_first(remembering(phases), model, 0.02, 10) == 1
    assert phases == [(every, 0.02, 10)]
