"""setup.cfg's ranges, scripts/constraints.txt and scripts/_environment name the same versions."""

import configparser
import pathlib

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = pathlib.Path(__file__).parents[2]
PYTHONS = ("3.11", "3.12", "3.13")

setup = configparser.ConfigParser()
setup.read(ROOT / "setup.cfg", encoding="utf-8")


def requirements(text):
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line]


def wanted():
    extras = setup["options.extras_require"].values()
    texts = [setup["options"]["install_requires"], *extras]
    return [requirement for text in texts for requirement in requirements(text)]


def pins(python):
    text = (ROOT / "scripts/constraints.txt").read_text(encoding="utf-8")
    found = here(requirements(text), python)
    names = [canonicalize_name(r.name) for r in found]
    assert len(names) == len(set(names)), "a package is pinned twice"
    return dict(zip(names, (str(r.specifier) for r in found), strict=True))


def here(requirements, python):
    """Those that count under a Python."""
    marker = {"python_version": python, "python_full_version": f"{python}.0"}
    return [r for r in requirements if not r.marker or r.marker.evaluate(marker)]


@pytest.mark.parametrize("python", PYTHONS)
def test_every_range_admits_its_pin(python):
    pinned = pins(python)
    for requirement in here(wanted(), python):
        pin = pinned[canonicalize_name(requirement.name)]
        assert pin.startswith("=="), requirement
        assert requirement.specifier.contains(pin[2:]), (str(requirement), pin)


def test_the_tested_extra_has_the_pin_of_everything_that_tfpipe_needs():
    tested = requirements(setup["options.extras_require"]["tested"])
    for python in PYTHONS:
        found = here(tested, python)
        names = [canonicalize_name(r.name) for r in found]
        needed = requirements(setup["options"]["install_requires"])
        expected = {canonicalize_name(r.name) for r in needed} | {"ml-dtypes", "protobuf"}
        assert sorted(names) == sorted(expected)
        pinned = pins(python)
        assert {n: str(r.specifier) for n, r in zip(names, found, strict=True)} == {
            name: pinned[name] for name in names
        }, "setup.cfg's extra `tested` and scripts/constraints.txt differ"


def test_every_requirement_has_a_range():
    assert [r.name for r in wanted() if not r.specifier] == []


def test_every_pin_is_exact_and_its_marker_is_about_python():
    text = (ROOT / "scripts/constraints.txt").read_text(encoding="utf-8")
    for requirement in requirements(text):
        assert [s.operator for s in requirement.specifier] == ["=="], requirement
        assert "python_version" in str(requirement.marker or "python_version"), requirement


def test_the_accepted_pythons_are_the_same_everywhere():
    admits = SpecifierSet(setup["options"]["python_requires"])
    assert [v for v in range(20) if admits.contains(f"3.{v}.5")] == [11, 12, 13]
    script = (ROOT / "scripts/_environment").read_text(encoding="utf-8")
    assert "3.11.* | 3.12.* | 3.13.*)" in script
    assert [f"3.{v}" for v in range(20) if f":: 3.{v}\n" in setup_text()] == list(PYTHONS)


def setup_text():
    return (ROOT / "setup.cfg").read_text(encoding="utf-8")
