"""Models by name."""

import pytest

from tfpipe import models
from tfpipe.errors import RequestError


def test_a_name_builds_its_model():
    model = models.build("lenet5", input_shape=(28, 28, 3), num_classes=4)
    assert (model.name, model.input_shape) == ("lenet5", (None, 28, 28, 3))
    assert model.output_shape == (None, 4)


@pytest.mark.parametrize("name", models.names())
def test_every_name_builds_with_its_defaults(name):
    assert models.build(name).count_params() > 0


def test_an_unknown_name_is_refused():
    with pytest.raises(RequestError) as caught:
        models.build("lenet")
    assert str(caught.value) == (
        "Expected `name` to be one of 'lenet5'. Received: name='lenet'. Did you mean 'lenet5'?"
    )
