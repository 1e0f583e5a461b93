"""Models by name."""

import inspect

import keras
import pytest

from tfpipe import models
from tfpipe.errors import RequestError


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        models.build(*arguments, **options)
    return str(caught.value)


def test_a_name_builds_its_model():
    model = models.build("lenet5", input_shape=(28, 28, 3), num_classes=4)
    assert (model.name, model.input_shape) == ("lenet5", (None, 28, 28, 3))
    assert model.output_shape == (None, 4)


@pytest.mark.parametrize("name", ["perceptron", "lenet5", "lstm"])
def test_a_name_builds_what_its_function_builds_by_default(name):
    keras.utils.clear_session()
    by_name = models.build(name).get_config()
    keras.utils.clear_session()
    assert getattr(models, name)().get_config() == by_name


@pytest.mark.parametrize("name", models.names())
def test_a_function_has_at_most_seven_arguments_and_two_by_position(name):
    parameters = inspect.signature(getattr(models, name)).parameters.values()
    assert len(parameters) <= 7
    assert sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters) <= 2


def test_an_unknown_name_is_refused():
    assert refused("lenet") == (
        "Expected `name` to be one of 'linear', 'perceptron', 'mlp', 'lenet5', 'residual', "
        "'resnet50', 'lstm', 'bilstm', 'unet', 'yolov8'. Received: name='lenet'. "
        "Did you mean 'lenet5'?"
    )


def test_an_argument_that_a_model_does_not_take_is_refused():
    assert refused("mlp", depth=3, num_classes=4) == (
        "Expected an argument of `mlp`: 'input_shape', 'num_classes', 'activation', 'units'. "
        "Received: depth=3"
    )


@pytest.mark.slow
def test_keras_cv_is_loaded_when_it_is_needed_and_leaves_the_process_as_it_was(python):
    done = python(
        "import os, sys, tensorflow as tf, tfpipe.models as m; m.lenet5()\n"
        "loaded = lambda: sorted({'keras_cv', 'keras_core', 'tf_keras'} & set(sys.modules))\n"
        "before = loaded(), dict(os.environ)\n"
        "m.yolov8((32, 32, 3), 2)\n"
        "print(before[0], loaded(), before[1] == dict(os.environ), tf.keras.__version__[:2])"
    )
    assert done.stdout == "[] ['keras_cv'] True 3.\n"
