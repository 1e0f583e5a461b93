"""cluster(): few values in every kernel, which are trained, and zeros that stay."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.compress.small import mixed_precision
from tfpipe import compress, export
from tfpipe.compress.kernels import kernels
from tfpipe.errors import RequestError

RNG = np.random.default_rng(0)
X = RNG.random((120, 8, 8, 1), np.float32)
Y = (X.mean((1, 2, 3)) > 0.5).astype(np.int64)
TRAIN = tf.data.Dataset.from_tensor_slices((X, Y)).batch(20)  # 6 steps


def classifier(optimizer="adam", seed=1):
    keras.utils.set_random_seed(seed)
    x = keras.Input((8, 8, 1))
    h = keras.layers.Conv2D(4, 3, activation="tanh", name="conv")(x)
    h = keras.layers.Dense(10, name="dense")(keras.layers.Flatten()(h))
    probabilities = keras.layers.Dense(2, activation="softmax", dtype="float32", name="head")(h)
    model = keras.Model(x, probabilities, name="small")
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def values(model):
    return {path: kernel.numpy() for path, kernel in kernels(model).items()}


def counts(model):
    return {path: len(np.unique(value)) for path, value in values(model).items()}


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        compress.cluster(*arguments, **options)
    return str(caught.value)


@pytest.fixture(scope="module")
def clustered():
    return compress.cluster(classifier(), TRAIN, TRAIN, num_clusters=5, epochs=2)


def test_every_kernel_has_few_values(clustered):
    assert counts(clustered) == {"conv/kernel": 5, "dense/kernel": 5, "head/kernel": 5}


def test_the_result_is_an_ordinary_model(clustered, tmp_path):
    clustered.save(tmp_path / "clustered.keras")
    loaded = keras.models.load_model(tmp_path / "clustered.keras")
    assert [type(layer) for layer in loaded.layers] == [type(x) for x in classifier().layers]
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), clustered.predict(X, verbose=0))
    assert sorted(clustered.history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]


def test_the_model_given_stays_as_it_was():
    model = classifier()
    before = model.get_weights()
    compress.cluster(model, TRAIN, epochs=1)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_update_is_a_step_along_the_mean_gradient_of_each_cluster():
    """Han et al.'s shared weights by hand, and tfmot's GradientAggregation.AVG."""
    start = classifier(keras.optimizers.SGD(0.0))
    shared = compress.cluster(start, TRAIN, num_clusters=4, epochs=1)
    for path, before in values(start).items():  # a rate of 0: k-means alone
        now = values(shared)[path]
        for value in np.unique(now):
            assert before[now == value].mean() == pytest.approx(value, abs=1e-5)

    with tf.GradientTape() as tape:
        loss = shared.compute_loss(X[:20], Y[:20], shared(X[:20]))
    gradients = dict(
        zip(values(shared), tape.gradient(loss, [*kernels(shared).values()]), strict=True)
    )
    after = compress.cluster(
        shared, TRAIN.take(1), num_clusters=4, epochs=1, optimizer=keras.optimizers.SGD(0.5)
    )
    for path, before in values(shared).items():
        expected = before.copy()
        for value in np.unique(before):
            there = before == value
            expected[there] -= 0.5 * gradients[path].numpy()[there].mean()
        np.testing.assert_allclose(values(after)[path], expected, atol=1e-6, err_msg=path)


def test_the_shared_values_are_trained():
    model = classifier()
    settled = compress.cluster(
        model, TRAIN, num_clusters=4, epochs=1, optimizer=keras.optimizers.SGD(0.0)
    )
    trained = compress.cluster(
        model, TRAIN, num_clusters=4, epochs=15, optimizer=keras.optimizers.Adam(0.02)
    )
    losses = [m.evaluate(X, Y, verbose=0)[0] for m in (settled, trained)]
    assert losses[1] < 0.95 * losses[0]


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "initial",
    ["kmeans++", pytest.param("linear", marks=SLOW), pytest.param("density", marks=SLOW)],
)
def test_pruned_then_clustered_keeps_the_zeros(initial):
    pruned = compress.prune(classifier(), TRAIN, final_sparsity=0.75, epochs=2)
    found = compress.cluster(pruned, TRAIN, num_clusters=6, initial=initial, epochs=2)
    for path, before in values(pruned).items():
        np.testing.assert_array_equal(values(found)[path] == 0, before == 0, err_msg=path)
        assert not np.signbit(values(found)[path][before == 0]).any()
    assert max(counts(found).values()) <= 6


def test_clustered_then_int8_has_few_numbers_in_each_channel(clustered, tmp_path):
    from ai_edge_litert.interpreter import Interpreter

    calibration = tf.data.Dataset.from_tensor_slices(X).batch(20)
    file = export.to_tflite(
        clustered, tmp_path / "int8.tflite", mode="int8", calibration=calibration
    )
    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    weights = [
        interpreter.tensor(detail["index"])()
        for detail in interpreter.get_tensor_details()
        if detail["dtype"] == np.int8 and len(detail["quantization_parameters"]["scales"]) > 1
    ]
    assert len(weights) == 3
    for tensor in weights:
        assert max(len(np.unique(channel)) for channel in tensor) <= 5


def test_under_two_replicas_in_mixed_precision_with_accumulation(two_devices):
    with mixed_precision(), two_devices.scope():
        model = classifier()
    found = compress.cluster(model, TRAIN, num_clusters=3, epochs=2, accumulate=2)
    assert isinstance(found.optimizer, keras.optimizers.LossScaleOptimizer)
    for kernel in kernels(found).values():
        for copy in kernel.value.values:
            assert len(np.unique(copy.numpy())) == 3


def test_in_keras_own_fit_the_weights_are_shared_after_every_call():
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(max(counts(model).values()))
    )
    model = classifier()
    model.compile("adam", "sparse_categorical_crossentropy", steps_per_execution=2)
    clustering = compress.Clustering(num_clusters=7)
    model.fit(X, Y, batch_size=20, verbose=0, callbacks=[watch, clustering])
    assert seen == [7, 7, 7]
    with pytest.raises(RequestError) as caught:
        model.fit(X, Y, verbose=0, callbacks=[clustering])
    assert str(caught.value) == ("This `Clustering` has clustered a model already. Make a new one.")


def test_averages_of_weights_are_shared_too():
    averaging = keras.optimizers.Adam(0.01, use_ema=True)
    found = compress.cluster(classifier(), TRAIN, num_clusters=4, epochs=2, optimizer=averaging)
    assert max(counts(found).values()) == 4


def test_layers_are_chosen():
    found = compress.cluster(classifier(), TRAIN, num_clusters=4, layers="inner", epochs=1)
    assert counts(found) == {"conv/kernel": 36, "dense/kernel": 4, "head/kernel": 20}


class Stop(keras.callbacks.Callback):
    def __init__(self, after=99):
        super().__init__()
        self.after = after

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) >= self.after:
            raise KeyboardInterrupt


def test_a_clustering_goes_on_to_the_bit(tmp_path):
    options = {"num_clusters": 4, "epochs": 2, "checkpoint_s": 0, "steps_per_call": 2}
    expected = compress.cluster(classifier(), TRAIN, callbacks=[Stop()], **options)
    options["resume"] = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        compress.cluster(classifier(), TRAIN, callbacks=[Stop(4)], **options)
    # Whatever clusters this model's weights would make: those of the checkpoint count.
    found = compress.cluster(classifier(seed=2), TRAIN, callbacks=[Stop()], **options)
    for a, b in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    sentence = refused(classifier(), TRAIN, callbacks=[Stop()], **{**options, "num_clusters": 5})
    assert "num_clusters of Clustering=4 and not 5" in sentence


def test_wrong_arguments_are_refused():
    assert refused(classifier(), TRAIN, num_clusters=1) == (
        "Expected `num_clusters` to be at least 2. Received: num_clusters=1"
    )
    assert refused(classifier(), TRAIN, initial="kmeans") == (
        "Expected `initial` to be one of 'kmeans++', 'linear', 'density'. "
        "Received: initial='kmeans'. Did you mean 'kmeans++'?"
    )
    assert refused(classifier(), TRAIN, layers=["heat"]).endswith("Did you mean 'head'?")
