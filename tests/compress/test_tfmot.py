"""Importing tfmot changes nothing: `tf.keras` is Keras 3, and the environment is as it was."""

import pytest

SLOW = pytest.mark.slow
MODULES = [
    "tfpipe.compress.tfmot",
    "tfpipe",
    "tfpipe.backend",
    "tfpipe.cli",
    "tfpipe.compress",
    "tfpipe.export",
    "tfpipe.models",
    "tfpipe.ops",
    "tfpipe.records",
    "tfpipe.report",
    "tfpipe.train",
]

LOADED = """
import importlib, os
importlib.import_module({module!r})
from tfpipe.compress.tfmot import load_tfmot
assert load_tfmot() is load_tfmot()
import tensorflow as tf
import keras
print(tf.keras.__version__ == keras.__version__, keras.__version__[:2])
print(os.environ.get("TF_USE_LEGACY_KERAS"))
"""

PRUNED = """
import os
import tfpipe as tp
import tensorflow as tf
import keras
x = tf.random.uniform((8, 4))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
model.compile("sgd", "mse")
tp.compress.prune(model, tf.data.Dataset.from_tensors((x, x[:, :3])), final_sparsity=0.5, epochs=2)
import tensorflow_model_optimization
print(tf.keras.__version__ == keras.__version__, keras.__version__[:2])
print(isinstance(model, tf.keras.Model), os.environ.get("TF_USE_LEGACY_KERAS"))
"""


# A process takes seconds: by default only where `tf.keras` is resolved last.
@pytest.mark.parametrize(
    "module", [MODULES[0], *(pytest.param(m, marks=SLOW) for m in MODULES[1:])]
)
def test_loading_it_leaves_keras_3_whatever_was_imported_first(python, module):
    done = python(LOADED.format(module=module))
    assert done.stdout == "True 3.\nNone\n", done.stderr


@pytest.mark.slow
def test_who_asked_for_keras_2_keeps_it(python):
    code = (
        "import os\n"
        "from tfpipe.compress.tfmot import load_tfmot\n"
        "load_tfmot()\n"
        "import keras, tensorflow as tf\n"
        "print(tf.keras.Model.__module__[:8], keras.__version__[:2])\n"
        "print(os.environ['TF_USE_LEGACY_KERAS'])"
    )
    assert python(code, TF_USE_LEGACY_KERAS="1").stdout == "tf_keras 3.\n1\n"


@pytest.mark.parametrize(
    "value", ["0", pytest.param(None, marks=SLOW), pytest.param("", marks=SLOW)]
)
def test_after_pruning_too_and_the_persons_own_setting_stays(python, value):
    done = python(PRUNED, **({} if value is None else {"TF_USE_LEGACY_KERAS": value}))
    assert done.stdout == f"True 3.\nTrue {value}\n", done.stderr
