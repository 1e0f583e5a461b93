"""prune(): exactly the zeros that were asked for, where the weights were smallest."""

import os
import pathlib
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.compress.small import (
    KERNELS,
    TRAIN,
    X,
    asked_for,
    classifier,
    mixed_precision,
    zeros,
)
from tfpipe import compress, export
from tfpipe.compress.kernels import kernels
from tfpipe.compress.schedules import named
from tfpipe.compress.tfmot import load_tfmot
from tfpipe.errors import RequestError

EPOCHS = []


@pytest.fixture(scope="module")
def pruned():
    """Pruned to 80 % zeros, as by default; the callback notes its epochs in EPOCHS."""
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: EPOCHS.append(epoch))
    return compress.prune(classifier(), TRAIN, TRAIN, epochs=2, callbacks=[note])


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        compress.prune(*arguments, **options)
    return str(caught.value)


@pytest.mark.parametrize("sparsity", [0.5, 0.0])
def test_every_kernel_gets_the_zeros_asked_for(sparsity):
    pruned = compress.prune(classifier(), TRAIN, final_sparsity=sparsity, epochs=2)
    assert zeros(pruned) == asked_for(sparsity)


def test_four_fifths_of_every_kernel_become_zeros_by_default(pruned):
    assert zeros(pruned) == asked_for(0.8)


def test_one_step_is_enough():
    pruned = compress.prune(classifier(), TRAIN.take(1), final_sparsity=0.8, epochs=1)
    assert zeros(pruned) == asked_for(0.8)


@pytest.mark.parametrize("num_steps", [1, 2, 99, 250, 1150, 99_999])
def test_the_last_renewal_of_the_mask_asks_for_all_of_it(num_steps):
    schedule = named("polynomial", 0.8, num_steps)
    for step in range(num_steps // 2 + 1, 0, -1):
        renewed, sparsity = schedule(tf.constant(step, tf.int64))
        if renewed:
            break
    assert float(sparsity) == np.float32(0.8)


def test_under_two_replicas_in_mixed_precision(two_devices):
    with mixed_precision(), two_devices.scope():
        model = classifier()
    pruned = compress.prune(model, TRAIN, final_sparsity=0.8, epochs=2)
    assert zeros(pruned) == asked_for(0.8)
    assert isinstance(pruned.optimizer, keras.optimizers.LossScaleOptimizer)
    assert pruned.distribute_strategy is two_devices
    for copy in range(2):  # and not in one of the replicas only
        kernel = pruned.get_layer("dense").kernel.value.values[copy]
        assert np.sum(kernel.numpy() == 0) == asked_for(0.8)["dense/kernel"]


def test_the_model_given_stays_as_it_was():
    model = classifier()
    before = model.get_weights()
    compress.prune(model, TRAIN, epochs=1)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(model.optimizer.iterations) == 0


def test_what_survives_are_the_largest_weights():
    # With a learning rate of 0 the weights move by the masks alone.
    model = classifier(keras.optimizers.SGD(0.0))
    pruned = compress.prune(model, TRAIN, final_sparsity=0.7, epochs=1)
    for before, after in zip(model.weights, pruned.weights, strict=True):
        expected = before.numpy().copy()
        if before.path in KERNELS:
            count = asked_for(0.7)[before.path]
            smallest = np.argsort(np.abs(expected), axis=None)[:count]
            expected.flat[smallest] = 0
        np.testing.assert_array_equal(after.numpy(), expected, err_msg=before.path)


def test_the_share_of_zeros_rises_by_the_cubic_schedule_and_then_stays():
    places = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            places.append(self.model.get_layer("dense").kernel.numpy() == 0)

    compress.prune(classifier(), TRAIN, final_sparsity=0.8, epochs=10, callbacks=[Watch()])
    # The masks are renewed in each of the steps 1 to 50, and an epoch has 10.
    expected = [0.8 * (1 - (1 - min(step, 50) / 50) ** 3) for step in range(10, 101, 10)]
    assert [640 - place.sum() for place in places] == [round(640 * (1 - s)) for s in expected]
    for later in places[5:]:
        np.testing.assert_array_equal(later, places[4])


def test_the_weights_that_remain_train_on():
    model = classifier()
    pruned = compress.prune(model, TRAIN, final_sparsity=0.5, epochs=2)
    before, after = (m.get_layer("dense").kernel.numpy() for m in (model, pruned))
    assert (before[after != 0] != after[after != 0]).all()


def test_biases_are_not_pruned(pruned):
    assert (pruned.get_layer("dense").bias.numpy() != 0).all()


def test_training_without_pruning_is_training():
    pruned = compress.prune(classifier("sgd"), TRAIN, final_sparsity=0.0, epochs=2)
    expected = classifier("sgd")
    expected.fit(TRAIN, epochs=2, verbose=0, shuffle=False)
    for a, b in zip(pruned.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_val_callbacks_and_history_are_those_of_fit(pruned):
    assert EPOCHS == [0, 1]
    assert sorted(pruned.history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]


def test_the_optimizer_is_a_new_one_like_the_models_own():
    model = classifier(keras.optimizers.SGD(0.25, momentum=0.5))
    pruned = compress.prune(model, TRAIN, epochs=1)
    assert pruned.optimizer is not model.optimizer
    assert pruned.optimizer.get_config() == model.optimizer.get_config()


def test_an_optimizer_of_ones_own_is_used():
    decay = keras.optimizers.schedules.CosineDecay(0.125, 20)
    pruned = compress.prune(classifier(), TRAIN, epochs=2, optimizer=keras.optimizers.SGD(decay))
    assert isinstance(pruned.optimizer, keras.optimizers.SGD)
    assert float(pruned.optimizer.learning_rate) == pytest.approx(0, abs=1e-7)


def test_the_pruned_model_is_an_ordinary_model(pruned, tmp_path):
    pruned.save(tmp_path / "pruned.keras")
    loaded = keras.models.load_model(tmp_path / "pruned.keras")
    assert [type(layer) for layer in loaded.layers] == [type(x) for x in classifier().layers]
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), pruned.predict(X, verbose=0))


def test_kernels_are_found_in_every_kind_of_layer():
    x = keras.Input((5, 3))
    h = keras.layers.LSTM(4, name="lstm")(x)
    frozen = keras.layers.Dense(2, name="frozen", trainable=False)(h)
    model = keras.Model(x, keras.layers.BatchNormalization()(frozen))
    assert list(kernels(model)) == ["lstm/lstm_cell/kernel", "lstm/lstm_cell/recurrent_kernel"]


def test_sparsity_is_the_share_of_zeros_in_each_kernel():
    model = classifier()
    model.get_layer("dense").kernel.assign(np.arange(640).reshape(64, 10) % 5)
    found = compress.sparsity(model)
    assert list(found) == list(KERNELS)
    assert found["dense/kernel"] == 0.2
    assert found["conv/kernel"] == 0.0


@pytest.mark.parametrize("sparsity", [-0.1, 1, float("nan")])
def test_a_sparsity_out_of_range_is_refused(sparsity):
    assert refused(classifier(), TRAIN, final_sparsity=sparsity) == (
        "Expected `final_sparsity` to be at least 0 and below 1. "
        f"Received: final_sparsity={sparsity}"
    )


def test_a_model_without_kernels_is_refused():
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.BatchNormalization()(x), name="bare")
    model.compile("sgd", "mse")
    assert refused(model, TRAIN) == (
        "Expected a model with a trainable layer that has a kernel. "
        "Received: 'bare', which has none. `layer.trainable = True` lets one train."
    )


def test_a_model_that_is_not_compiled_is_refused():
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Dense(2)(x), name="raw")
    assert refused(model, TRAIN) == (
        "The model 'raw' is not compiled. "
        "Call `model.compile(optimizer=..., loss=..., metrics=[...])` first."
    )


def test_no_epochs_are_refused():
    assert refused(classifier(), TRAIN, epochs=0) == (
        "Expected `epochs` to be at least 1. Received: epochs=0"
    )


def test_an_endless_dataset_is_refused():
    assert refused(classifier(), TRAIN.repeat()).startswith(
        "Expected `train` to have a known number of batches. Received: it is infinite."
    )


def test_an_unknown_option_of_fit_is_python_s_affair():
    with pytest.raises(TypeError, match="unexpected keyword argument 'epoch'"):
        compress.prune(classifier(), TRAIN, epoch=1)


def test_zeros_are_positive(pruned):
    """A negative zero is another number to a zip archive."""
    found = weights(pruned)
    for path in KERNELS:
        zero = found[path][found[path] == 0]
        assert len(zero) > 0
        assert not np.signbit(zero).any()


def weights(model):
    return {v.path: v.numpy() for v in model.weights}


@pytest.mark.parametrize(
    ("layers", "names"),
    [("inner", ["depthwise", "dense"]), (["head"], ["head"])],
)
def test_only_the_chosen_layers_are_pruned(layers, names):
    pruned = compress.prune(classifier(), TRAIN, final_sparsity=0.5, layers=layers, epochs=1)
    expected = {path: count * (path[:-7] in names) for path, count in asked_for(0.5).items()}
    assert zeros(pruned) == expected


def test_a_name_without_a_kernel_is_refused_before_the_training():
    assert refused(classifier(), TRAIN, layers=["flatten"]).startswith(
        "Expected `layers` to be one of 'conv', 'depthwise', 'dense', 'head'. Received: "
    )


SCHEDULES = load_tfmot().sparsity.keras


def test_a_schedule_has_its_own_sparsity():
    schedule = SCHEDULES.ConstantSparsity(0.5, 0, frequency=1)
    assert refused(classifier(), TRAIN, schedule=schedule, final_sparsity=0.5) == (
        "Expected `final_sparsity` in the schedule alone. Received: final_sparsity=0.5"
    )
    assert refused(classifier(), TRAIN, schedule="cubic") == (
        "Expected `schedule` to be one of 'polynomial', 'constant'. Received: schedule='cubic'"
    )


def test_a_schedule_that_does_not_fit_the_training_is_refused():
    schedule = SCHEDULES.PolynomialDecay(0.0, 0.5, begin_step=0, end_step=500)
    assert refused(classifier(), TRAIN, schedule=schedule).startswith(
        "Expected `schedule` to reach its sparsity of 0.5 in the 30 steps of this training. "
        "It reaches 0 in step 0"
    )


def test_an_early_stop_must_wait_for_the_last_mask():
    early = keras.callbacks.EarlyStopping("loss", patience=0)
    assert refused(classifier(), TRAIN, epochs=6, callbacks=[early]) == (
        "An `EarlyStopping` would compare epochs with more and more zeros, of which the first are "
        "no result. Give `EarlyStopping` a `start_from_epoch=3`, or train longer."
    )
    early = keras.callbacks.EarlyStopping("loss", patience=1, start_from_epoch=3)
    pruned = compress.prune(classifier(), TRAIN, epochs=6, callbacks=[early])
    assert zeros(pruned) == asked_for(0.8)


def test_a_training_that_was_stopped_too_early_is_an_error():
    class Enough(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    assert refused(classifier(), TRAIN, epochs=6, callbacks=[Enough()]) == (
        "The pruning of 'small' was stopped after 10 updates, and its schedule needs 30. "
        "Give `EarlyStopping` a `start_from_epoch=3`, or train longer."
    )


# Interrupted trainings

JOB = """
import os, signal, sys
import keras, numpy as np, tensorflow as tf
import tfpipe as tp
tf.config.experimental.enable_op_determinism()
out, kill_at = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(0)
x, y = rng.random((96, 8), np.float32), rng.integers(0, 3, 96)
train = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)

class Kill(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) >= kill_at > 0:
            os.kill(os.getpid(), signal.SIGKILL)

with tp.train.distribute("float32", seed=1):
    pixels = keras.Input((8,))
    h = keras.layers.Dropout(0.2)(keras.layers.Dense(16, activation="relu")(pixels))
    model = keras.Model(pixels, keras.layers.Dense(3, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    pruned = tp.compress.prune(
        model, train, final_sparsity=0.6, epochs=4, callbacks=[Kill()], resume=out,
        checkpoint_s=0, steps_per_call=2,
    )
np.savez(out + ".npz", *[v.numpy() for v in pruned.variables + pruned.optimizer.variables])
"""


def job(out, kill_at=0):
    return subprocess.run(
        [sys.executable, "-c", JOB, str(out), str(kill_at)],
        cwd=pathlib.Path(__file__).parents[2],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_a_killed_pruning_goes_on_to_the_bit(tmp_path):
    assert job(tmp_path / "whole").returncode == 0
    for kill_at in (9, 22, 40):  # while masks are renewed, and after
        assert job(tmp_path / "killed", kill_at).returncode == -signal.SIGKILL
    done = job(tmp_path / "killed")
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(tmp_path / "whole.npz") as one, np.load(tmp_path / "killed.npz") as two:
        for name in one.files:
            np.testing.assert_array_equal(one[name], two[name])
        assert (one["arr_0"] == 0).mean() == pytest.approx(0.6, abs=0.01)


class Stop(keras.callbacks.Callback):
    """Ends the process' part, as a kill would, after some updates."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def on_train_batch_end(self, batch, logs=None):
        done = tf.convert_to_tensor(self.model.optimizer.iterations.value)
        if int(done) >= self.after:
            raise KeyboardInterrupt


def interrupted_and_not(folder, after, model, **options):
    """The same pruning, interrupted after some updates and finished; and undisturbed."""

    def pruned(path, after=99):
        return compress.prune(
            model(),
            TRAIN,
            epochs=2,
            callbacks=[Stop(after)],
            resume=path,
            checkpoint_s=0,
            steps_per_call=1,
            **options,
        )

    with pytest.raises(KeyboardInterrupt):
        pruned(folder / "run", after)
    return pruned(folder / "run"), pruned(folder / "whole")


@pytest.mark.parametrize("after", [pytest.param(5, marks=pytest.mark.slow), 14])
def test_a_pruning_goes_on_to_the_bit(tmp_path, after):
    """Interrupted while masks are renewed, until step 10 of 20, and after it."""
    found, expected = interrupted_and_not(tmp_path, after, classifier)
    assert zeros(found) == asked_for(0.8)
    for a, b in zip(found.variables, expected.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.slow
@pytest.mark.parametrize("after", [3, 6])
def test_replicas_go_on_to_the_bit(tmp_path, two_devices, after):
    """In mixed precision, with accumulation."""

    def model():
        with mixed_precision(), two_devices.scope():
            return classifier()

    found, expected = interrupted_and_not(tmp_path, after, model, accumulate=2)
    assert zeros(found) == asked_for(0.8)
    for a, b in zip(found.variables, expected.variables, strict=True):
        for one, two in zip(a.value.values, b.value.values, strict=True):
            np.testing.assert_array_equal(one.numpy(), two.numpy())


def test_a_pruning_to_something_else_does_not_go_on(tmp_path):
    compress.prune(classifier(), TRAIN, epochs=1, final_sparsity=0.5, resume=tmp_path / "run")
    options = {"epochs": 1, "resume": tmp_path / "run", "layers": "inner"}
    assert (
        "final_sparsity of Pruning=0.5 and not 0.8, layers of Pruning='all' and not 'inner'."
    ) in refused(classifier(), TRAIN, **options)
    again = compress.prune(
        classifier(), TRAIN, epochs=1, final_sparsity=0.5, resume=tmp_path / "run"
    )
    assert zeros(again) == asked_for(0.5)  # it was finished


# What comes after


def test_zeros_stay_zeros_in_an_int8_file(pruned, tmp_path):
    from ai_edge_litert.interpreter import Interpreter

    calibration = tf.data.Dataset.from_tensor_slices(
        np.random.default_rng(1).random((120, 8, 8, 1), np.float32)
    ).batch(20)
    file = export.to_tflite(pruned, tmp_path / "int8.tflite", mode="int8", calibration=calibration)
    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    found = {}
    for detail in interpreter.get_tensor_details():
        if detail["dtype"] == np.int8 and len(detail["quantization_parameters"]["scales"]) > 1:
            assert not detail["quantization_parameters"]["zero_points"].any()
            tensor = interpreter.tensor(detail["index"])()
            found[tensor.size] = tensor
    for path, size in {"dense/kernel": 640, "head/kernel": 20}.items():
        kernel = weights(pruned)[path].T  # (outputs, inputs), as TFLite has it
        assert (found[size][kernel == 0] == 0).all()
    assert (found[36] == 0).sum() >= asked_for(0.8)["conv/kernel"]
