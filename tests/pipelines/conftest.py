"""What the tiny runs share."""

import functools

import pytest

from tfpipe import export


@pytest.fixture(scope="module")
def one_format():
    """Bundles of a float32 file alone: other files of each model are tested with the models."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "bundle", functools.partial(export.bundle, formats=("float32",)))
        yield
