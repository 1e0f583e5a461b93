"""distribute(): where training runs, in which precision, and what is put back."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import models, train
from tfpipe.errors import RequestError


@pytest.fixture
def one_gpu(monkeypatch):
    """TensorFlow lists a GPU; the strategy still gets the machine's real devices."""
    gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [gpu])


def end_with(error, **options):
    with train.distribute(**options):
        raise error


def test_all_devices_train_together():
    with train.distribute() as strategy:
        assert isinstance(strategy, tf.distribute.MirroredStrategy)
        assert strategy.num_replicas_in_sync == 2  # conftest made two
        assert tf.distribute.get_strategy() is strategy
    assert tf.distribute.get_strategy() is not strategy


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


@pytest.mark.usefixtures("one_gpu")
def test_with_gpus_the_line_counts_the_replicas(capfd):
    with train.distribute("mixed_float16"):  # and warns of nothing: warnings are errors here
        pass
    assert capfd.readouterr().err == "training on 2 GPUs, in mixed_float16\n"


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
