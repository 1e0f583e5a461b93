"""Names that load when they are first used."""

import pytest

from tfpipe.lazy import lazy

MODULES = {"Fraction": "fractions", "num_cores": "cores"}


def test_a_name_comes_from_its_module():
    load, _ = lazy("tfpipe", MODULES)
    from tfpipe.cores import num_cores

    assert load("num_cores") is num_cores


def test_the_names_are_listed_in_order():
    assert lazy("tfpipe", MODULES)[1]() == ["Fraction", "num_cores"]


def test_another_name_is_no_attribute():
    load, _ = lazy("tfpipe", MODULES)
    with pytest.raises(AttributeError) as caught:
        load("cores")
    assert str(caught.value) == "module 'tfpipe' has no attribute 'cores'"


@pytest.mark.parametrize("room", ["deploy", "drift", "serve"])
def test_a_room_loads_no_tensorflow_before_a_name_is_used(room, python):
    done = python(f"import sys, tfpipe.{room}; print('tensorflow' in sys.modules)")
    assert done.stdout == "False\n"
