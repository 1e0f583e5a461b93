"""Ranges and tested versions are those of the installed distribution, or of the sources."""

import email.message
import importlib.metadata

import pytest

from tfpipe.doctor import requirements


@pytest.fixture
def distribution(monkeypatch):
    """Stands in for an installed tfpipe with this metadata."""

    def install(*needs, extras=(), python=">=3.11,<3.14"):
        message = email.message.Message()
        message["Requires-Python"] = python
        for line in needs:
            message["Requires-Dist"] = line
        for extra in extras:
            message["Provides-Extra"] = extra
        monkeypatch.setattr(importlib.metadata, "metadata", {"tfpipe": message}.__getitem__)

    return install


def in_words(groups):
    return {extra: [r.name + str(r.specifier) for r in found] for extra, found in groups.items()}


def test_those_of_an_installed_distribution(distribution):
    distribution(
        "keras<3.16,>=3.15",
        'starlette>=1; extra == "serve"',
        'scipy==1.17.1; python_version < "3.0" and extra == "tested"',
        'keras==3.15.1; extra == "tested"',
        extras=["serve", "tested"],
        python=">=3.11",
    )
    assert in_words(requirements.wanted()) == {
        "": ["keras<3.16,>=3.15"],
        "serve": ["starlette>=1"],
        "tested": ["keras==3.15.1"],
    }
    assert requirements.pythons() == ">=3.11"


def test_without_one_those_of_setup_cfg(monkeypatch, tmp_path):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "metadata", missing)
    monkeypatch.setattr(requirements, "SOURCES", tmp_path / "setup.cfg")
    (tmp_path / "setup.cfg").write_text(
        "[options]\npython_requires = >=3.12\ninstall_requires =\n    # why\n    rich>=15\n"
        '[options.extras_require]\ntested =\n    rich==15.0.0 ; python_version > "3"\n'
    )
    assert in_words(requirements.wanted()) == {"": ["rich>=15"], "tested": ["rich==15.0.0"]}
    assert requirements.pythons() == ">=3.12"


@pytest.mark.parametrize(("version", "what"), [("0.1.0", "tfpipe"), (None, ".")])
def test_extras_are_added_to_what_there_is(monkeypatch, version, what):
    monkeypatch.setattr(requirements, "installed", lambda name: version)
    command = f'python -m pip install "{what}[serve,beam]"'
    assert requirements.pip_install("serve", "beam") == command
