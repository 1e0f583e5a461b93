"""What is missing, outside its range or not tested is told apart."""

import platform

import pytest
from packaging.requirements import Requirement

from tfpipe.doctor import Finding, packages, requirements

GROUPS = {
    "": ["keras>=3.15,<3.16", "PyYAML>=6,<7"],
    "serve": ["starlette>=1", "uvicorn>=0.5"],
    "beam": ["apache-beam>=2"],
    "test": ["pytest>=9"],
    "tested": ["keras==3.15.1", "pyyaml==6.0.3", "protobuf==6.33.6"],
}
TESTED = {"keras": "3.15.1", "pyyaml": "6.0.3", "protobuf": "6.33.6"}
MEND = 'For the tested versions: python -m pip install "tfpipe[tested]"'


@pytest.fixture
def environment(monkeypatch):
    """Stands in for what is installed."""
    groups = {extra: [Requirement(line) for line in lines] for extra, lines in GROUPS.items()}
    monkeypatch.setattr(packages, "wanted", lambda: groups)

    def install(**versions):
        def installed(name):
            names = {"tfpipe": "0.1.0", **{n.replace("_", "-"): v for n, v in versions.items()}}
            return names.get(name.lower())

        monkeypatch.setattr(packages, "installed", installed)
        monkeypatch.setattr(requirements, "installed", installed)

    return install


def test_the_tested_set(environment):
    environment(**TESTED)
    versions = "keras 3.15.1, protobuf 6.33.6, PyYAML 6.0.3"
    found = f"3 packages, the tested set: {versions}"
    assert packages.packages() == Finding("packages", "good", found)


@pytest.mark.parametrize(
    ("changed", "state", "row"),
    [
        ({"keras": "3.15.9"}, "note", ("keras", "3.15.9", "3.15.1", "<3.16,>=3.15", "not tested")),
        ({"protobuf": "7.1"}, "note", ("protobuf", "7.1", "6.33.6", "", "not tested")),
        (
            {"keras": "3.14.0"},
            "wrong",
            ("keras", "3.14.0", "3.15.1", "<3.16,>=3.15", "outside the range"),
        ),
        ({"keras": None}, "wrong", ("keras", "-", "3.15.1", "<3.16,>=3.15", "missing")),
    ],
)
def test_another_version(environment, changed, state, row):
    environment(**TESTED | changed)
    found = packages.packages()
    assert (found.state, found.todo) == (state, MEND)
    assert found.found == "1 of 3 packages is not of the tested set"
    assert found.rows == (("package", "installed", "tested", "range", ""), row)


def test_a_second_opencv_over_the_first(environment):
    environment(**TESTED, opencv_python="4.12.0")
    found = packages.packages()
    assert found.state == "note"
    problem = "writes over opencv-python-headless"
    assert found.rows[1:] == (("opencv-python", "4.12.0", "-", "", problem),)
    assert found.todo == (
        "python -m pip uninstall opencv-python, then "
        "python -m pip install --force-reinstall opencv-python-headless"
    )


def test_a_second_opencv_hides_nothing_else(environment):
    environment(**{**TESTED, "keras": "3.14.0"}, opencv_python="4.12.0")
    assert packages.packages().todo == (
        "python -m pip uninstall opencv-python, then "
        "python -m pip install --force-reinstall opencv-python-headless. "
        'For the tested versions: python -m pip install "tfpipe[tested]"'
    )


def test_extras_that_are_missing(environment):
    environment(starlette="1.0", apache_beam="2.77")
    assert packages.extras() == Finding(
        "extras",
        "note",
        "serve lacks uvicorn",
        'Where you need them: python -m pip install "tfpipe[serve]"',
    )


def test_extras_that_are_there(environment):
    environment(starlette="1.0", uvicorn="0.54", apache_beam="2.77")
    assert packages.extras() == Finding("extras", "good", "all are installed: serve, beam")


@pytest.mark.parametrize("version", ["3.10.4", "3.14.0"])
def test_an_unsuitable_python(monkeypatch, version):
    monkeypatch.setattr(platform, "python_version", lambda: version)
    found = packages.python()
    assert (found.state, version in found.found) == ("wrong", True)
    assert found.todo == (
        f"Make an environment with a CPython {requirements.pythons()} of 64 bits, "
        "and install tfpipe there."
    )


def test_this_python_is_suitable():
    assert packages.python().state == "good"
