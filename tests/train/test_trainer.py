"""fit(): the same training as Keras' own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.train.small import (
    TRAIN,
    VAL,
    WEIGHTS,
    X,
    Y,
    assert_close,
    assert_same_history,
    classifier,
    fit,
    refused,
)
from tfpipe import models


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_it_trains_as_keras_trains(optimizer):
    ours, theirs = classifier(optimizer), classifier(optimizer)
    history = fit(ours, TRAIN, VAL, epochs=3)
    expected = theirs.fit(TRAIN, validation_data=VAL, epochs=3, verbose=0, shuffle=False)
    assert_close(ours.get_weights(), theirs.get_weights())
    assert_same_history(history.history, expected.history)
    assert history.epoch == [0, 1, 2]
    assert ours.history is history


def test_lenet_trains_as_keras_trains(digits):
    images, labels = digits
    floats = images[:40].astype(np.float32) / 255
    dataset = tf.data.Dataset.from_tensor_slices((floats, labels[:40])).batch(16)

    def lenet():
        keras.utils.set_random_seed(2)
        model = models.lenet5()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    ours, theirs = lenet(), lenet()
    history = fit(ours, dataset, epochs=2).history
    assert_same_history(history, theirs.fit(dataset, epochs=2, verbose=0, shuffle=False).history)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_layers_that_differ_in_training_and_after_are_told_which_it_is():
    def normalised():
        keras.utils.set_random_seed(1)
        x = keras.Input((6,))
        h = keras.layers.BatchNormalization()(keras.layers.Dense(5)(x))
        model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(h))
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    ours, theirs = normalised(), normalised()
    history = fit(ours, TRAIN, VAL, epochs=2).history
    expected = theirs.fit(TRAIN, validation_data=VAL, epochs=2, verbose=0, shuffle=False)
    assert_close(ours.get_weights(), theirs.get_weights())
    assert_same_history(history, expected.history)


def test_sample_weights_count_as_in_keras():
    weighted = tf.data.Dataset.from_tensor_slices((X, Y, WEIGHTS)).batch(8)
    ours, theirs = (classifier(weighted_metrics=["accuracy"]) for _ in range(2))
    history = fit(ours, weighted, weighted, epochs=2).history
    expected = theirs.fit(weighted, validation_data=weighted, epochs=2, verbose=0, shuffle=False)
    assert_close(ours.get_weights(), theirs.get_weights())
    assert_same_history(history, expected.history)


def test_averages_of_weights_end_in_the_model_as_in_keras():
    ours, theirs = (
        classifier(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)) for _ in range(2)
    )
    fit(ours, TRAIN, epochs=2)
    theirs.fit(TRAIN, epochs=2, verbose=0, shuffle=False)
    assert_close(ours.get_weights(), theirs.get_weights())


def two_headed():
    keras.utils.set_random_seed(1)
    x = keras.Input((6,))
    a = keras.layers.Dense(3, activation="softmax", name="a")(x)
    model = keras.Model(x, {"a": a, "b": keras.layers.Dense(1, name="b")(x)})
    losses = {"a": "sparse_categorical_crossentropy", "b": "mse"}
    model.compile("adam", losses, metrics={"a": "accuracy", "b": "mae"})
    return model


TWO_HEADED = tf.data.Dataset.from_tensor_slices((X, {"a": Y, "b": WEIGHTS[:, None]})).batch(8)


def test_a_model_of_several_outputs_trains_as_in_keras():
    ours, theirs = two_headed(), two_headed()
    history = fit(ours, TWO_HEADED, TWO_HEADED, epochs=2).history
    expected = theirs.fit(
        TWO_HEADED, validation_data=TWO_HEADED, epochs=2, verbose=0, shuffle=False
    )
    assert_close(ours.get_weights(), theirs.get_weights())
    assert_same_history(history, expected.history)


def test_a_model_of_several_outputs_trains_on_two_replicas(two_devices):
    expected = two_headed()
    fit(expected, TWO_HEADED, epochs=2)
    with two_devices.scope():
        model = two_headed()
    fit(model, TWO_HEADED, epochs=2)
    assert_close(model.get_weights(), expected.get_weights())


def test_a_model_of_several_outputs_goes_on(tmp_path):
    options = {"epochs": 2, "checkpoint_s": 0, "steps_per_call": 2}
    expected = two_headed()
    history = fit(expected, TWO_HEADED, TWO_HEADED, **options).history
    options["resume"] = tmp_path / "run"

    def trained(last):
        def end(batch, logs=None):
            if batch == last:
                raise InterruptedError

        model, stop = two_headed(), keras.callbacks.LambdaCallback(on_train_batch_end=end)
        return model, fit(model, TWO_HEADED, TWO_HEADED, callbacks=[stop], **options).history

    with pytest.raises(InterruptedError):
        trained(3)
    model, found = trained(None)
    assert found == history
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_that_knows_no_input_size_yet_gets_it_from_the_data():
    model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
    assert np.isfinite(fit(model, TRAIN).history["loss"]).all()
    assert model.input_shape == (None, 6)


def test_a_row_that_stands_twice_in_a_batch_gets_the_sum_of_its_gradients():
    def trained(as_tokens):
        keras.utils.set_random_seed(1)
        tokens = np.array([[0, 0, 1], [2, 1, 1]])
        x = tokens if as_tokens else np.eye(3, dtype=np.float32)[tokens]
        layer = keras.layers.Embedding(3, 2) if as_tokens else keras.layers.Dense(2, use_bias=False)
        start = keras.Input(x.shape[1:], dtype=x.dtype)
        model = keras.Model(start, keras.layers.Dense(1)(keras.layers.Flatten()(layer(start))))
        model.set_weights([np.full(w.shape, 0.1) for w in model.weights])
        model.compile("adam", "mse")
        dataset = tf.data.Dataset.from_tensor_slices((x, np.ones(2))).batch(2)
        fit(model, dataset.repeat(4))
        return model.get_weights()

    assert_close(trained(True), trained(False))


def test_val_metrics_are_those_of_evaluate():
    model = classifier()
    history = fit(model, TRAIN, VAL, epochs=2).history
    expected = model.evaluate(VAL, return_dict=True, verbose=0)
    assert history["val_loss"][-1] == pytest.approx(expected["loss"], rel=1e-6)
    assert history["val_accuracy"][-1] == pytest.approx(expected["accuracy"])


def test_mixed_float16_trains_with_a_scaled_loss(two_devices):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        with two_devices.scope():
            model = classifier("adam")
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    history = fit(model, TRAIN, epochs=8).history
    assert history["loss"][-1] < history["loss"][0]
    # The first scale, 2^15, overflows nothing here: every step was an update.
    iterations = model.optimizer.inner_optimizer.iterations
    assert int(keras.ops.convert_to_numpy(iterations)) == 48
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}


def test_scaling_the_loss_changes_no_gradient():
    scaled = classifier(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01)))
    plain = classifier(keras.optimizers.SGD(0.01))
    history = [fit(model, TRAIN, epochs=2).history for model in (scaled, plain)]
    assert_close(scaled.get_weights(), plain.get_weights())
    assert_same_history(*history)


def test_a_softmax_model_that_is_not_compiled_gets_adam():
    x = keras.Input((6,))
    model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(x))
    history = fit(model, TRAIN, VAL).history
    assert isinstance(model.optimizer, keras.optimizers.Adam)
    assert sorted(history) == ["accuracy", "loss", "val_accuracy", "val_loss"]


def test_a_model_without_a_softmax_is_not_guessed_at():
    x = keras.Input((6,))
    model = keras.Model(x, keras.layers.Dense(3)(x), name="logits")
    assert refused(model, TRAIN) == (
        "The model 'logits' is not compiled and does not end in a softmax, so there is no loss to "
        "choose. Give `fit` a `loss`, or call `model.compile(optimizer=..., loss=..., "
        "metrics=[...])` first."
    )


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            lambda dataset: dataset.take(0),
            "it is empty. Look at what its source and its filters give.",
        ),
        (lambda dataset: dataset.repeat(), "it is infinite. `dataset.take(n)` ends it."),
        (
            lambda dataset: dataset.filter(lambda x, y: True),
            "its length is unknown. "
            "`dataset.apply(tf.data.experimental.assert_cardinality(n))` tells it.",
        ),
    ],
)
@pytest.mark.parametrize("name", ["train", "val"])
def test_a_dataset_without_a_known_length_is_refused(name, change, found):
    datasets = {"train": TRAIN, "val": VAL}
    datasets[name] = change(datasets[name])
    assert refused(classifier(), *datasets.values()) == (
        f"Expected `{name}` to have a known number of batches. Received: {found}"
    )


def test_a_told_length_is_enough():
    told = TRAIN.filter(lambda x, y: True).apply(tf.data.experimental.assert_cardinality(6))
    assert len(fit(classifier(), told).epoch) == 1


def test_batches_without_targets_are_refused():
    assert refused(classifier(), TRAIN.map(lambda x, y: x)) == (
        "Expected `train` to hold batches of (inputs, targets) or with sample weights too. "
        "Received: element_spec=TensorSpec(shape=(None, 6), dtype=tf.float32, name=None)"
    )
