"""distill(): the loss of Hinton et al., on any pair of models, and a student that is its own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.compress.small import mixed_precision
from tfpipe import compress, models, train
from tfpipe.errors import RequestError

layers, losses = keras.layers, keras.losses
RNG = np.random.default_rng(0)
X = RNG.normal(size=(44, 6)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 0)
TRAIN = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)  # the last batch has 4
ENDS = {
    "softmax": ("softmax", losses.SparseCategoricalCrossentropy()),
    "logits": (None, losses.SparseCategoricalCrossentropy(from_logits=True)),
}


def net(units=4, end="softmax", outputs=3, optimizer="sgd", seed=0, **options):
    keras.utils.set_random_seed(seed)
    activation, loss = ENDS.get(end, ("sigmoid", losses.BinaryCrossentropy()))
    x = keras.Input((6,))
    h = layers.Dense(units, activation="tanh", name="hidden", **options)(x)
    h = layers.Dense(outputs, activation=activation, dtype="float32", name="head")(h)
    model = keras.Model(x, h, name="net")
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        compress.distill(*arguments, **options)
    return str(caught.value)


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("ends", [("softmax", "logits"), ("logits", "softmax")])
def test_the_loss_is_hintons(ends):
    student, teacher = net(3, ends[0]), net(9, ends[1], seed=5)
    history = compress.distill(
        student, teacher, TRAIN, temperature=3.0, alpha=0.7, optimizer=keras.optimizers.SGD(0.0)
    ).history.history

    def logits(model):
        return model.layers[1](X).numpy() @ model.layers[2].kernel.numpy()  # biases are 0

    z_s, z_t = (logits(m).astype(np.float64) for m in (student, teacher))
    p, q = softmax(z_t / 3), softmax(z_s / 3)
    divergence = (p * np.log(p / q)).sum(axis=1).mean()
    cross = -np.log(softmax(z_s)[np.arange(len(Y)), Y]).mean()
    assert history["loss"] == pytest.approx([0.7 * 9 * divergence + 0.3 * cross], rel=1e-5)


def test_the_loss_of_sigmoids_is_a_mean_over_labels():
    labels = np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1).astype(np.float32)
    batches = tf.data.Dataset.from_tensor_slices((X, labels)).batch(8)
    student, teacher = (net(n, "sigmoid", outputs=2, seed=n) for n in (3, 9))
    history = compress.distill(
        student, teacher, batches, temperature=2.0, alpha=1.0, optimizer=keras.optimizers.SGD(0.0)
    ).history.history
    outputs = [m.predict(X, verbose=0).astype(np.float64) for m in (teacher, student)]
    p, q = (1 / (1 + np.exp(-np.log(o / (1 - o)) / 2)) for o in outputs)
    divergence = (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).mean()
    assert history["loss"] == pytest.approx([4 * divergence], rel=1e-4)


def test_without_the_teacher_s_share_it_is_training():
    student, alone = net(), net()
    found = compress.distill(student, net(9), TRAIN, alpha=0.0, epochs=2, clip_norm=None)
    train.fit(alone, TRAIN, epochs=2, clip_norm=None)
    for a, b in zip(found.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_regularisation_counts_in_full():
    options = {"kernel_regularizer": keras.regularizers.L2(0.5)}
    student, teacher = net(**options), net(9)
    losses_by_alpha = [
        compress.distill(
            student, teacher, TRAIN, alpha=alpha, optimizer=keras.optimizers.SGD(0.0)
        ).history.history["loss"][0]
        for alpha in (0.0, 1.0)
    ]
    plain = compress.distill(
        net(), teacher, TRAIN, alpha=1.0, optimizer=keras.optimizers.SGD(0.0)
    ).history.history["loss"][0]
    penalty = 0.5 * (student.get_layer("hidden").kernel.numpy() ** 2).sum()
    assert losses_by_alpha[1] - plain == pytest.approx(penalty, rel=1e-4)
    assert losses_by_alpha[0] == pytest.approx(student.evaluate(TRAIN, verbose=0)[0], rel=1e-4)


def test_validation_shows_the_student_s_own_loss():
    still = keras.optimizers.SGD(0.0)
    found = compress.distill(net(), net(9), TRAIN, TRAIN, alpha=0.9, optimizer=still)
    expected = net().evaluate(TRAIN, verbose=0, return_dict=True)
    history = found.history.history
    assert history["val_loss"] == pytest.approx([expected["loss"]], rel=1e-5)
    assert history["val_accuracy"] == history["accuracy"] == [expected["accuracy"]]


def test_the_student_is_an_ordinary_model_and_the_given_ones_stay(tmp_path):
    student, teacher = net(), net(9)
    before = [*student.get_weights(), *teacher.get_weights()]
    found = compress.distill(student, teacher, TRAIN, epochs=3, optimizer=keras.optimizers.Adam())
    for a, b in zip(before, [*student.get_weights(), *teacher.get_weights()], strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(found.get_weights()[0], before[0])
    assert int(found.optimizer.iterations) == 18
    found.save(tmp_path / "student.keras")
    loaded = keras.models.load_model(tmp_path / "student.keras")
    assert type(loaded) is type(student)
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in student.layers]
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), found.predict(X, verbose=0))
    train.fit(loaded, TRAIN)


def test_the_result_does_not_depend_on_replicas_or_accumulation(two_devices):
    def trained(**options):
        student = net(optimizer=keras.optimizers.SGD(0.3))
        return compress.distill(student, teacher, options.pop("data", TRAIN), epochs=2, **options)

    teacher = net(9)
    expected = trained().get_weights()
    with two_devices.scope():
        split = trained().get_weights()
    parts = trained(
        data=tf.data.Dataset.from_tensor_slices((X, Y)).batch(4), accumulate=2
    ).get_weights()
    for a, b, c in zip(expected, split, parts, strict=True):
        np.testing.assert_allclose(b, a, atol=1e-6)
        np.testing.assert_allclose(c, a, atol=1e-6)


def test_mixed_precision_scales_the_loss():
    with mixed_precision():
        student = net()
    found = compress.distill(student, net(9), TRAIN, epochs=2)
    assert isinstance(found.optimizer, keras.optimizers.LossScaleOptimizer)
    assert np.isfinite(found.history.history["loss"]).all()


class Stop(keras.callbacks.Callback):
    def __init__(self, after):
        super().__init__()
        self.after = after

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) >= self.after:
            raise KeyboardInterrupt


def test_it_goes_on_to_the_bit_with_the_same_teacher_only(tmp_path):
    def trained(path, after=99, teacher=0, temperature=4.0):
        return compress.distill(
            net(optimizer="adam"),
            net(9, seed=teacher),
            TRAIN,
            temperature=temperature,
            epochs=3,
            callbacks=[Stop(after)],
            resume=path,
            checkpoint_s=0,
            steps_per_call=2,
        )

    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "run", 8)
    for change, words in (
        ({"teacher": 1}, "teacher of Distillation="),
        ({"temperature": 2.0}, "temperature of Distillation=4.0 and not 2.0"),
    ):
        with pytest.raises(RequestError, match=words):
            trained(tmp_path / "run", **change)
    found, expected = trained(tmp_path / "run"), trained(tmp_path / "whole")
    for a, b in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_models_that_do_not_fit_are_refused():
    assert refused(net(), net(9, outputs=4), TRAIN) == (
        "Expected student and teacher to have the same shapes of outputs. "
        "Received: student=(None, 3), teacher=(None, 4)"
    )
    assert refused(net(), net(9, "sigmoid"), TRAIN) == (
        "Expected student and teacher to have the same kinds of outputs. "
        "Received: student='softmax', teacher='sigmoid'"
    )
    other = keras.Sequential([keras.Input((5,)), layers.Dense(3, activation="softmax")])
    assert refused(net(), other, TRAIN) == (
        "Expected student and teacher to have the same shapes of inputs. "
        "Received: student=[(None, 6)], teacher=[(None, 5)]"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"temperature": 0}, "Expected `temperature` to be above 0. Received: temperature=0"),
        ({"alpha": 1.5}, "Expected `alpha` to be from 0 to 1. Received: alpha=1.5"),
    ],
)
def test_wrong_arguments_are_refused(options, sentence):
    assert refused(net(), net(9), TRAIN, **options) == sentence


@pytest.mark.slow
def test_a_teacher_helps_a_small_student(digits):
    """On half of scikit-learn's digits, over five seeds."""
    images, labels = digits
    x, y = images / np.float32(255), labels
    batches = tf.data.Dataset.from_tensor_slices((x[:900], y[:900])).shuffle(900, seed=0).batch(32)
    keras.utils.set_random_seed(0)
    teacher = models.lenet5()
    train.fit(teacher, batches, epochs=30, optimizer=keras.optimizers.Adam(2e-3))

    def score(model):
        return np.mean(model.predict(x[900:], verbose=0).argmax(axis=1) == y[900:])

    alone, taught = [], []
    for seed in range(5):
        keras.utils.set_random_seed(seed)
        pixels = keras.Input((32, 32, 1))
        h = layers.Flatten()(layers.AveragePooling2D(4)(pixels))
        h = layers.Dense(12, activation="relu")(h)
        student = keras.Model(pixels, layers.Dense(10, activation="softmax")(h))
        student.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
        found = compress.distill(student, teacher, batches, temperature=4.0, alpha=0.9, epochs=30)
        taught.append(score(found))
        train.fit(student, batches, epochs=30)
        alone.append(score(student))
    print(f"teacher {score(teacher):.4f}, alone {alone}, taught {taught}")
    assert np.mean(taught) >= np.mean(alone)
