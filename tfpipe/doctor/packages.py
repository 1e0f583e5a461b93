"""Whether what is installed is what tfpipe was tested with, or at least what it can work with.

Example:

    python(), packages(), extras()          # each a Finding
"""

import platform
import struct
from collections.abc import Mapping

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tfpipe.doctor.finding import GOOD, NOTE, WRONG, Finding, worst
from tfpipe.doctor.requirements import TESTED, installed, pip_install, pythons, wanted

HEADINGS = ("package", "installed", "tested", "range", "")
# All of these install a `cv2`, over that of the others.
OPENCVS = ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")
DEVELOPERS = ("test", TESTED)  # extras that a user does without


def python() -> Finding:
    """The interpreter."""
    version, bits = platform.python_version(), 8 * struct.calcsize("P")
    found = (
        f"{platform.python_implementation()} {version}, {bits} bits, on {platform.system()} "
        f"{platform.release()} ({platform.machine()})"
    )
    right = SpecifierSet(pythons()).contains(version, prereleases=True) and bits == 64
    if right and platform.python_implementation() == "CPython":
        return Finding("python", GOOD, found)
    todo = f"Make an environment with a CPython {pythons()} of 64 bits, and install tfpipe there."
    return Finding("python", WRONG, found, todo)


def packages() -> Finding:
    """The versions of all that tfpipe needs, against their ranges and those that were tested."""
    groups = wanted()
    tested = {canonicalize_name(r.name): str(r.specifier)[2:] for r in groups[TESTED]}
    needed = {canonicalize_name(r.name): r for r in (*groups[TESTED], *groups[""])}
    rows = [_row(needed[name], tested.get(name, "")) for name in sorted(needed)]
    rows += [_second_opencv(name) for name in OPENCVS if installed(name)]
    state = worst([_state(row[-1]) for row in rows])
    many = f"{len(rows)} packages"
    if state == GOOD:
        versions = ", ".join(f"{name} {version}" for name, version, *_ in rows)
        return Finding("packages", GOOD, f"{many}, the tested set: {versions}")
    off = [row for row in rows if row[-1]]
    found = f"{len(off)} of {many} {'is' if len(off) == 1 else 'are'} not of the tested set"
    return Finding("packages", state, found, _todo(off), rows=(HEADINGS, *off))


def extras() -> Finding:
    """The optional packages, which single features need."""
    groups = wanted()
    missing = {
        extra: [r.name for r in groups[extra] if installed(r.name) is None]
        for extra in groups
        if extra and extra not in DEVELOPERS
    }
    lacking = {extra: names for extra, names in missing.items() if names}
    if not lacking:
        return Finding("extras", GOOD, f"all are installed: {', '.join(missing)}")
    found = "; ".join(f"{extra} lacks {', '.join(names)}" for extra, names in lacking.items())
    return Finding("extras", NOTE, found, f"Where you need them: {pip_install(*lacking)}")


def _row(requirement: Requirement, tested: str) -> tuple[str, ...]:
    """A package, and in its last column what is wrong with it."""
    name, version = requirement.name, installed(requirement.name)
    allowed = "" if str(requirement.specifier) == f"=={tested}" else str(requirement.specifier)
    if version is None:
        return name, "-", tested, allowed, "missing"
    if allowed and not requirement.specifier.contains(version, prereleases=True):
        return name, version, tested, allowed, "outside the range"
    return name, version, tested, allowed, "" if version == tested else "not tested"


def _second_opencv(name: str) -> tuple[str, ...]:
    return name, str(installed(name)), "-", "", "writes over opencv-python-headless"


_STATES: Mapping[str, str] = {"missing": WRONG, "outside the range": WRONG, "": GOOD}


def _state(problem: str) -> str:
    return _STATES.get(problem, NOTE)


def _todo(off: list[tuple[str, ...]]) -> str:
    second = [name for name, *_ in off if name in OPENCVS]
    tested = f"For the tested versions: {pip_install(TESTED)}"
    if not second:
        return tested
    first = (
        f"python -m pip uninstall {' '.join(second)}, then "
        "python -m pip install --force-reinstall opencv-python-headless"
    )
    return first if len(second) == len(off) else f"{first}. {tested}"
