"""What tfpipe needs, by its own metadata: Pythons, ranges, and the versions that were tested.

Example:

    wanted()["serve"]       # the requirements of an extra; those of tfpipe itself are wanted()[""]

The extra "tested" has the exact versions.
"""

import configparser
import importlib.metadata
import pathlib

from packaging.requirements import Requirement

SOURCES = pathlib.Path(__file__).parents[2] / "setup.cfg"
TESTED = "tested"


def wanted() -> dict[str, list[Requirement]]:
    """The requirements of this Python, by extra; "" has those that are no extra's.

    They are the installed distribution's; where tfpipe is used from its sources, setup.cfg's.

    >>> [str(r.specifier) for r in wanted()[TESTED] if r.name == "tf_keras"]
    ['==2.21.0']
    """
    groups = _installed() or _in_sources()
    return {
        extra: [r for r in found if r.marker is None or r.marker.evaluate({"extra": extra})]
        for extra, found in groups.items()
    }


def pythons() -> str:
    """The Pythons that tfpipe runs on, such as ">=3.11,<3.14"."""
    try:
        return importlib.metadata.metadata("tfpipe")["Requires-Python"]
    except importlib.metadata.PackageNotFoundError:
        return _setup()["options"]["python_requires"]


def installed(name: str) -> str | None:
    """The version of a distribution; None where there is none of this name.

    >>> installed("there-is-no-such-thing") is None
    True
    """
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def pip_install(*extras: str) -> str:
    """The command that adds extras to this installation, or to the clone that it runs from.

    >>> pip_install("serve").endswith('[serve]"')
    True
    """
    what = "tfpipe" if installed("tfpipe") else "."
    return f'python -m pip install "{what}[{",".join(extras)}]"'


def _installed() -> dict[str, list[Requirement]]:
    try:
        metadata = importlib.metadata.metadata("tfpipe")
    except importlib.metadata.PackageNotFoundError:
        return {}
    found = [Requirement(line) for line in metadata.get_all("Requires-Dist") or ()]
    extras = metadata.get_all("Provides-Extra") or ()
    by_extra = {extra: [r for r in found if f'extra == "{extra}"' in str(r)] for extra in extras}
    return {"": [r for r in found if "extra ==" not in str(r)], **by_extra}


def _in_sources() -> dict[str, list[Requirement]]:
    setup = _setup()
    texts = {"": setup["options"]["install_requires"], **setup["options.extras_require"]}
    return {
        extra: [Requirement(line) for line in text.splitlines() if line]
        for extra, text in texts.items()
    }


def _setup() -> configparser.ConfigParser:
    setup = configparser.ConfigParser()
    setup.read(SOURCES, encoding="utf-8")
    return setup
