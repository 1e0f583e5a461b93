"""What several rooms' tests share: fresh processes, two devices, and one trained model."""

import os
import pathlib
import signal
import subprocess
import sys

import cv2
import hypothesis
import numpy as np
import pytest
from sklearn.datasets import load_digits

from tfpipe.noise import filtered

# Two logical devices stand in for two GPUs. TensorFlow takes them only before it has started, so
# they are made here, for the whole session. What it says of itself pytest would print in the end.
with filtered():
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )

from tfpipe import models, ops, train

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

# A shell's background jobs ignore Ctrl-C, and so would all processes that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = pathlib.Path(__file__).parents[1]
# The real data sets, which lie beside the repository in some places and are not part of it.
DATA = pathlib.Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def python():
    """Runs Python code (or `-m` and a module) in a fresh process, in the repository's root."""

    def run(*arguments, timeout=120, **environment):
        command = arguments if arguments[0] == "-m" else ("-c", *arguments)
        inherited = {k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"}
        return subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env={**inherited, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    return run


@pytest.fixture(scope="session")
def shared_data():
    """Returns the folder of a real data set; the test is skipped where there is none."""

    def folder(name):
        if not (DATA / name).is_dir():
            pytest.skip(f"the data set {name} is not here")
        return DATA / name

    return folder


@pytest.fixture(scope="session")
def two_devices():
    """A strategy of two replicas."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture(scope="session")
def prepare():
    """The chain that the digits are trained with, without augmentation."""
    return ops.Chain([ops.Decode(channels=1), ops.Resize((32, 32)), ops.ToFloat()])


@pytest.fixture(scope="session")
def digits():
    """Real digits as uint8 pixels (1797, 32, 32, 1), and their labels."""
    source = load_digits()
    images = [cv2.resize(image, (32, 32)) for image in source.images * 255 / 16]
    return np.stack(images).round().astype(np.uint8)[..., None], source.target


@pytest.fixture(scope="session")
def trained(digits):
    """LeNet-5 after three passes over 1,000 digits; tests must not change it."""
    images, labels = digits
    batches = tf.data.Dataset.from_tensor_slices((images[:1000] / np.float32(255), labels[:1000]))
    tf.keras.utils.set_random_seed(0)
    model = models.lenet5()
    model.compile(
        tf.keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    train.fit(model, batches.batch(32), epochs=3)
    return model
