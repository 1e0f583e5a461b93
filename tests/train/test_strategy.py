"""distribute(): where training runs, in which precision, and what is put back."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import models, train
from tfpipe.errors import RequestError

GPU = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")


@pytest.fixture
def gpus(monkeypatch):
    """TensorFlow lists GPUs of a compute capability; there is no device behind them."""
    grown = []

    def pretend(count, capability=(8, 0)):
        config = tf.config.experimental
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [GPU] * count)
        details = {"compute_capability": capability}
        monkeypatch.setattr(config, "get_device_details", lambda gpu: details)
        monkeypatch.setattr(config, "set_memory_growth", lambda gpu, on: grown.append((gpu, on)))
        return grown

    return pretend


def end_with(error, **options):
    with train.distribute(**options):
        raise error


def test_one_device_needs_no_strategy():
    with train.distribute() as strategy:
        assert strategy.num_replicas_in_sync == 1
        assert not tf.distribute.has_strategy()


def test_several_gpus_train_together(gpus, capfd):
    gpus(2)
    with train.distribute() as strategy:
        assert isinstance(strategy, tf.distribute.MirroredStrategy)
        assert tf.distribute.get_strategy() is strategy
    assert capfd.readouterr().err == "training on all 2 GPUs (MirroredStrategy), in float32\n"
    assert not tf.distribute.has_strategy()


def test_a_strategy_of_ones_own_is_taken(two_devices, capfd):
    with train.distribute(strategy=two_devices) as strategy:
        assert strategy is two_devices
        assert tf.distribute.get_strategy() is two_devices
    assert capfd.readouterr().err == (
        "training under the MirroredStrategy that was given, 2 replicas, in float32\n"
    )


def test_gpus_give_memory_as_it_is_needed(gpus):
    grown = gpus(1)
    with train.distribute():
        assert grown == [(GPU, True)]


def test_memory_that_cannot_grow_any_more_is_told(gpus, monkeypatch, capfd):
    gpus(1)

    def started(gpu, on):
        raise RuntimeError("Physical devices cannot be modified after being initialized")

    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", started)
    with train.distribute():
        pass
    assert capfd.readouterr().err == (
        "training on the only GPU, in float32 (TensorFlow had started before, and may have taken "
        "all of its memory)\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{worker: host}",
        "[1]",
        '{"cluster": {"worker": ["a:1", "b:1"]}}',
        '{"cluster": {"ps": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
    ],
)
def test_a_tf_config_that_cannot_be_read_is_refused(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(RequestError) as caught, train.distribute():
        pass
    assert str(caught.value) == (
        "Expected the environment variable TF_CONFIG to be JSON such as "
        '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
        '"task": {"type": "worker", "index": 0}}. '
        f"Received: TF_CONFIG={text!r}"
    )


def test_workers_are_refused_where_tensorflow_is_at_work_already(monkeypatch):
    text = '{"cluster": {"worker": ["localhost:1", "localhost:2"]}, "task": {"type": "worker", '
    monkeypatch.setenv("TF_CONFIG", text + '"index": 0}}')
    tf.constant(1) + 1
    with pytest.raises(RequestError) as caught, train.distribute():
        pass
    assert str(caught.value).startswith("TensorFlow is at work already, and cannot be told of")
    assert "Enter `distribute` before anything else that uses TensorFlow" in str(caught.value)


@pytest.mark.parametrize("strategy", ["mirrored", None])
def test_another_strategy_is_refused(strategy):
    with pytest.raises(RequestError) as caught, train.distribute(strategy=strategy):
        pass
    assert str(caught.value) == (
        "Expected `strategy` to be 'auto' or a tf.distribute.Strategy. "
        f"Received: strategy={strategy!r}"
    )


def test_a_model_made_in_the_block_remembers_it():
    with train.distribute() as strategy:
        model = models.lenet5()
    assert model.distribute_strategy is strategy


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_the_precision_is_that_of_the_block_alone(precision):
    with train.distribute(precision):
        assert keras.config.dtype_policy().name == precision
    assert keras.config.dtype_policy().name == "float32"


def test_the_policy_from_before_comes_back_after_an_exception():
    keras.config.set_dtype_policy("bfloat16")
    try:
        with pytest.raises(KeyError):
            end_with(KeyError(), precision="mixed_bfloat16")
        assert keras.config.dtype_policy().name == "bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")


def test_one_line_says_what_was_chosen(capfd):
    with train.distribute("mixed_bfloat16"):
        pass
    assert capfd.readouterr() == (
        "",
        "training on the CPU, as there is no GPU, in mixed_bfloat16\n",
    )


def test_float16_on_a_suitable_gpu_is_warned_of_nowhere(gpus, capfd):
    gpus(1)
    with train.distribute("mixed_float16"):  # warnings are errors here
        pass
    assert capfd.readouterr().err == "training on the only GPU, in mixed_float16\n"


def test_float16_on_an_old_gpu_is_warned_of(gpus):
    gpus(1, (6, 1))
    sentence = "without GPUs of compute capability 7.0 .here: 6.1.: it works, and is slower"
    with pytest.warns(UserWarning, match=sentence), train.distribute("mixed_float16"):
        pass


def test_float16_without_a_gpu_is_warned_of_at_the_callers_line():
    with (
        pytest.warns(UserWarning, match="^mixed_float16 without a GPU: it works") as caught,
        train.distribute("mixed_float16"),
    ):
        pass
    assert str(caught[0].message) == (
        "mixed_float16 without a GPU: it works, and is slower than float32."
    )
    assert caught[0].filename == __file__


def test_an_unknown_precision_is_refused():
    with pytest.raises(RequestError) as caught, train.distribute("mixed_float61"):
        pass
    assert str(caught.value) == (
        "Expected `precision` to be one of 'float32', 'mixed_float16', 'mixed_bfloat16'. "
        "Received: precision='mixed_float61'. Did you mean 'mixed_float16'?"
    )


def test_a_seed_gives_the_same_weights_again():
    def weights(seed):
        with train.distribute(seed=seed):
            return models.lenet5().get_weights()[0]

    np.testing.assert_array_equal(weights(3), weights(3))
    assert (weights(3) != weights(4)).any()


def test_it_works_where_tensorflow_is_at_work_already():
    tf.constant(1) + 1
    with train.distribute() as strategy:
        assert strategy.num_replicas_in_sync
