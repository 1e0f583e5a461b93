"""What stays is left out of Python's collections, and what went is freed."""

import gc
import weakref

import pytest

from tfpipe.serve.memory import settle


class Knot:
    """Reaches itself: only the collector can free it."""

    def __init__(self):
        self.self = self


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()


def test_what_is_there_is_not_looked_through_again():
    knot = Knot()
    settle()
    assert not any(each is knot for each in gc.get_objects())
    assert len(gc.get_objects()) < gc.get_freeze_count() / 10


def test_what_was_frozen_and_is_gone_is_freed_the_next_time():
    gone = weakref.ref(Knot())
    gc.freeze()
    gc.collect()
    assert gone() is not None
    settle()
    assert gone() is None
