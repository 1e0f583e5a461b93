"""`import tfpipe` is cheap; the rooms load when they are used."""

import pathlib
import time

import pytest

import tfpipe

ROOMS = sorted(
    path.parent.name for path in pathlib.Path(tfpipe.__file__).parent.glob("*/__init__.py")
)

TIMED = """
import sys, time
started = time.perf_counter()
import tfpipe
print(time.perf_counter() - started)
print(sorted({"tensorflow", "keras", "numpy", "cv2", "matplotlib"} & set(sys.modules)))
"""

HELP = """
import runpy, sys
sys.argv = ["digits", "--help"]
try:
    runpy.run_module("pipelines.digits", run_name="__main__")
finally:
    print("tensorflow" in sys.modules, file=sys.stderr)
"""


def test_import_takes_under_a_tenth_of_a_second(python):
    assert min(float(python(TIMED).stdout.split()[0]) for _ in range(4)) < 0.1


def test_import_loads_no_heavy_package(python):
    assert python(TIMED).stdout.splitlines()[1] == "[]"


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_an_attribute(room):
    assert tfpipe.__getattr__(room).__name__ == f"tfpipe.{room}"
    assert room in dir(tfpipe)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_offers_what_it_lists(room):
    module = tfpipe.__getattr__(room)
    assert all(hasattr(module, name) for name in module.__all__)


def test_a_room_loads_when_it_is_used(python):
    done = python("import tfpipe as tp; print(tp.report.human_bytes(1), tp.RequestError.__name__)")
    assert done.stdout == "1 B RequestError\n"


def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError) as caught:
        tfpipe.rooms  # noqa: B018
    assert str(caught.value) == "module 'tfpipe' has no attribute 'rooms'"


def test_help_does_not_load_tensorflow(python):
    done = python(HELP)
    assert "--overwrite" in done.stdout
    assert done.stderr == "False\n"


def test_help_takes_under_two_seconds(python):
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        assert python("-m", "pipelines.digits", "--help").returncode == 0
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 2
