"""A step is the same step however many replicas take their share of it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import train
from tfpipe.errors import RequestError

RNG = np.random.default_rng(0)
X = RNG.random((17, 6), np.float32)
Y = RNG.integers(0, 3, 17)
WEIGHTS = RNG.random(17, np.float32) + 0.1


def batches(*arrays, batch_size=8):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(batch_size)


def fit(*arguments, **options):
    """As Keras trains: it clips no gradient unless told to."""
    return train.fit(*arguments, **{"clip_norm": None, **options})


def classifier(strategy, optimizer="sgd", regularizer=None, **compiled):
    keras.utils.set_random_seed(1)
    with strategy.scope():
        x = keras.Input((6,))
        hidden = keras.layers.Dense(5, activation="tanh", kernel_regularizer=regularizer)(x)
        model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(hidden))
        settings = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **compiled}
        model.compile(optimizer() if callable(optimizer) else optimizer, **settings)
    return model


def trained(strategy, dataset, **options):
    model = classifier(strategy, **options)
    history = fit(model, dataset, dataset, epochs=3).history
    return model.get_weights(), history


def assert_same(one, two):
    for a, b in zip(one[0], two[0], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert list(one[1]) == list(two[1])
    for name in one[1]:
        np.testing.assert_allclose(one[1][name], two[1][name], rtol=1e-5)


@pytest.fixture(scope="module")
def one_device():
    return tf.distribute.get_strategy()


@pytest.mark.parametrize(
    ("arrays", "options"),
    [
        # full batches
        ((X[:16], Y[:16]), {}),
        # the last batch is 5, as 3 and 2
        ((X[:13], Y[:13], WEIGHTS[:13]), {"weighted_metrics": ["accuracy"]}),
        # the last batch is 1: a replica has none
        ((X, Y), {"optimizer": "adam", "regularizer": keras.regularizers.L2(0.1)}),
    ],
    ids=["even", "uneven, with weights", "an empty replica, with losses of layers"],
)
def test_two_replicas_are_one_of_the_same_global_batch(two_devices, one_device, arrays, options):
    dataset = batches(*arrays)
    one = trained(one_device, dataset, **options)
    two = trained(two_devices, dataset, **options)
    assert np.isfinite(list(two[1].values())).all()
    assert_same(one, two)


def uneven(sizes):
    """Batches of these sizes."""
    rng = np.random.default_rng(1)
    parts = [(rng.random((size, 6), np.float32), rng.integers(0, 3, size)) for size in sizes]
    signature = (tf.TensorSpec((None, 6)), tf.TensorSpec((None,), tf.int64))
    dataset = tf.data.Dataset.from_generator(lambda: iter(parts), output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(len(sizes)))


# float16 has 11 bits: a gradient that is summed in two parts is rounded to another 2^-11 of it.
@pytest.mark.parametrize(
    ("policy", "atol", "rtol"), [("float32", 1e-6, 1e-5), ("mixed_float16", 3e-4, 2e-3)]
)
def test_batches_of_any_size_are_the_same_on_two_replicas(
    two_devices, one_device, policy, atol, rtol
):
    sizes = np.random.default_rng(0).permutation([1, 1, 2, 3, 4, 5, 7, 8, 9, 16])
    found = []
    keras.config.set_dtype_policy(policy)
    try:
        for strategy in (one_device, two_devices):
            model = classifier(strategy, lambda: keras.optimizers.SGD(0.5))
            history = train.fit(model, uneven(sizes), uneven(sizes), clip_norm=0.3).history
            found.append((model.get_weights(), history))
    finally:
        keras.config.set_dtype_policy("float32")
    (weights, history), (other_weights, other_history) = found
    for a, b in zip(weights, other_weights, strict=True):
        np.testing.assert_allclose(a, b, atol=atol)
    for name, value in history.items():
        np.testing.assert_allclose(other_history[name], value, rtol=rtol)


def squared(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_pred - keras.ops.one_hot(y_true, 3)))


SUM = keras.losses.SparseCategoricalCrossentropy(reduction="sum")


@pytest.mark.parametrize(
    ("loss", "named"),
    [
        (squared, "squared, which returns one value per batch"),
        (SUM, "sparse_categorical_crossentropy, which has reduction='sum'"),
    ],
)
@pytest.mark.parametrize("split", ["among replicas", "in a group"])
def test_a_loss_that_is_no_mean_over_examples_is_refused_where_batches_are_split(
    two_devices, one_device, loss, named, split
):
    strategy = two_devices if split == "among replicas" else one_device
    model = classifier(strategy, loss=loss)
    with pytest.raises(RequestError) as caught:
        fit(model, batches(X, Y), accumulate=1 if split == "among replicas" else 2)
    assert str(caught.value) == (
        "Expected the loss to be a mean over examples, as batches are split among replicas or "
        f"accumulated. Received: {named}. Return one value per example and leave the reduction to "
        "Keras."
    )


def test_a_loss_that_is_a_mean_by_itself_is_what_keras_makes_of_it(one_device):
    ours = trained(one_device, batches(X, Y), loss=squared)
    model = classifier(one_device, loss=squared)
    theirs = model.fit(
        batches(X, Y), validation_data=batches(X, Y), epochs=3, verbose=0, shuffle=False
    )
    assert_same(ours, (model.get_weights(), theirs.history))


def test_the_gradient_is_that_of_the_mean_over_the_batch(two_devices):
    model = classifier(two_devices, optimizer=keras.optimizers.SGD(1.0))
    before = model.get_weights()
    inputs, hidden, outputs = X[:5], before[:2], before[2:]

    with tf.GradientTape() as tape:
        variables = [tf.Variable(value) for value in (*hidden, *outputs)]
        h = tf.tanh(inputs @ variables[0] + variables[1])
        log_probabilities = tf.nn.log_softmax(h @ variables[2] + variables[3])
        loss = -tf.reduce_mean(tf.gather(log_probabilities, Y[:5], batch_dims=1))
    gradients = tape.gradient(loss, variables)

    history = fit(model, batches(inputs, Y[:5])).history
    np.testing.assert_allclose(history["loss"], [loss], rtol=1e-5)
    for old, new, gradient in zip(before, model.get_weights(), gradients, strict=True):
        np.testing.assert_allclose(new, old - gradient, atol=1e-6)


def test_a_loss_without_a_mean_is_what_keras_makes_of_it(one_device):
    options = {"loss": keras.losses.SparseCategoricalCrossentropy(reduction="sum")}
    ours = trained(one_device, batches(X, Y), **options)
    model = classifier(one_device, **options)
    dataset = batches(X, Y)
    theirs = model.fit(dataset, validation_data=dataset, epochs=3, verbose=0, shuffle=False)
    assert_same(ours, (model.get_weights(), theirs.history))


def normalised(strategy):
    with strategy.scope():
        x = keras.Input((6,))
        h = keras.layers.BatchNormalization(momentum=0.0, name="bn")(x)
        return keras.Model(x, keras.layers.Dense(3, activation="softmax")(h))


def test_batch_statistics_are_those_of_each_replicas_part(two_devices):
    """The moving mean, of the last batch alone here, is the mean of the parts' means."""
    model = normalised(two_devices)
    fit(model, batches(X[:5], Y[:5]))
    expected = (X[:3].mean(0) + X[3:5].mean(0)) / 2
    for part in model.get_layer("bn").moving_mean.value.values:
        np.testing.assert_allclose(part.numpy(), expected, rtol=1e-5)


def test_a_replica_without_examples_keeps_its_batch_statistics(two_devices):
    model = normalised(two_devices)
    history = fit(model, batches(X, Y), batches(X, Y)).history  # the last batch is of one example
    assert np.isfinite([*history.values()]).all()
    expected = (X[16] + X[12:16].mean(0)) / 2
    for part in model.get_layer("bn").moving_mean.value.values:
        np.testing.assert_allclose(part.numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("replicas", [1, 2])
def test_the_norm_is_clipped_after_averaging_and_unscaling(two_devices, one_device, replicas):
    strategy = two_devices if replicas == 2 else one_device
    model = classifier(strategy, keras.optimizers.SGD(1.0))
    free = classifier(strategy, keras.optimizers.SGD(1.0))
    scaled = classifier(
        strategy, lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0))
    )
    start = model.get_weights()
    dataset = batches(X[:5], Y[:5])
    fit(free, dataset)
    gradients = [a - b for a, b in zip(start, free.get_weights(), strict=True)]
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    for clipped in (model, scaled):
        fit(clipped, dataset, clip_norm=norm / 4)
        for old, new, gradient in zip(start, clipped.get_weights(), gradients, strict=True):
            np.testing.assert_allclose(new, old - gradient / 4, atol=1e-6)


def test_a_norm_below_the_limit_is_left_alone(one_device):
    model, free = (classifier(one_device) for _ in range(2))
    fit(model, batches(X, Y), clip_norm=1e3)
    fit(free, batches(X, Y))
    for a, b in zip(model.get_weights(), free.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
