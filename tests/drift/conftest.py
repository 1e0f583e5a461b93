"""What the tests of drift share: profiles of the digits, with the model and without."""

import numpy as np
import pytest

from tfpipe import drift, ops
from tfpipe.errors import RequestError

VOCABULARY = ("[PAD]", "[UNK]", "a", "fine", "film")


@pytest.fixture(scope="session")
def unseen(digits):
    """Pixels and labels that the trained model has not seen, in a random order: by writers, as
    they are, they do drift.
    """
    order = 1000 + np.random.default_rng(0).permutation(797)
    return digits[0][order], digits[1][order]


@pytest.fixture(scope="session")
def known(unseen):
    """Those that profiles are made of."""
    return unseen[0][:400], unseen[1][:400]


@pytest.fixture(scope="session")
def fresh(unseen):
    """Others like them."""
    return unseen[0][400:], unseen[1][400:]


@pytest.fixture(scope="session")
def profiled(known, trained, prepare):
    """The digits' profile with the model's scores and embeddings; tests must not change it."""
    return drift.profile(known, trained, prepare, class_names=[f"<{n}>" for n in range(10)])


@pytest.fixture(scope="session")
def plain(known):
    """The digits' profile without a model."""
    return drift.profile(known[0])


@pytest.fixture(scope="session")
def reading():
    """A chain for texts."""
    return ops.Chain([ops.Tokenize(VOCABULARY), ops.Window(4, stride=2)])


@pytest.fixture(scope="session")
def refused():
    """Calls a function that must refuse, and returns the sentence."""

    def call(function, *arguments, **options):
        with pytest.raises(RequestError) as caught:
            function(*arguments, **options)
        return str(caught.value)

    return call
