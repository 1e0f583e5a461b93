"""Every public name says in its docstring what it is, with an example that runs as a doctest."""

import pytest

import tfpipe

ROOMS = (
    "records",
    "ops",
    "models",
    "train",
    "compress",
    "export",
    "drift",
    "serve",
    "deploy",
    "doctor",
    "report",
)
WITHOUT = {"NIH_CLASSES"}  # a tuple has no docstring of its own
# Loaded before pytest collects `records/describe.py` by itself: it would put the module in the
# place of the function.
MODULES = {room: getattr(tfpipe, room) for room in ROOMS}


@pytest.mark.parametrize("name", ["DataError", "RequestError"])
def test_the_errors_have_an_example(name):
    assert ">>> " in getattr(tfpipe, name).__doc__


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_has_an_example(room):
    module = MODULES[room]
    # A class without a docstring of its own has None here, not that of its base.
    docs = {name: getattr(module, name).__doc__ or "" for name in module.__all__}
    assert {name for name, doc in docs.items() if ">>> " not in doc} == WITHOUT & docs.keys()
