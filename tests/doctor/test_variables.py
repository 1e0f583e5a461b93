"""Variables that change what TensorFlow and Keras do are named, and what they do is true."""

import pytest

from tfpipe.doctor import Finding
from tfpipe.doctor.variables import variables

LEGACY = "tf.keras is Keras 2, whose models and optimizers tfpipe does not take"
NONE = Finding("variables", "good", "none is set that changes what TensorFlow and Keras do")


@pytest.mark.parametrize("value", ["1", "true", "True"])
def test_keras_2(value):
    assert variables({"TF_USE_LEGACY_KERAS": value}) == Finding(
        "variables",
        "wrong",
        f"TF_USE_LEGACY_KERAS={value}: {LEGACY}",
        "Unless you mean it: unset TF_USE_LEGACY_KERAS",
    )


@pytest.mark.slow
def test_that_variable_does_what_is_said(python):
    code = "import tensorflow as tf; print(tf.keras.optimizers.Adam.__module__)"
    assert python(code, TF_USE_LEGACY_KERAS="1").stdout.startswith("tf_keras.")


@pytest.mark.parametrize(
    "environment",
    [{}, {"TF_USE_LEGACY_KERAS": "0"}, {"KERAS_BACKEND": "tensorflow"}, {"TF_CONFIG": ""}],
)
def test_nothing_that_matters(environment):
    assert variables(environment) == NONE


def test_several_are_as_bad_as_the_worst():
    found = variables({"TF_CONFIG": "{}", "KERAS_BACKEND": "jax", "HOME": "x"})
    assert (found.state, found.todo) == (
        "wrong",
        "Unless you mean it: unset KERAS_BACKEND TF_CONFIG",
    )
    assert found.found == (
        "KERAS_BACKEND=jax: Keras computes with it, and tfpipe needs TensorFlow; "
        "TF_CONFIG={}: training waits for the other workers that it names"
    )
    assert variables({"TF_CONFIG": "{}"}).state == "note"
