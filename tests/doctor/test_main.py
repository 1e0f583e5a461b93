"""The command: its exit code, its JSON, and that it works where much is missing."""

import importlib.metadata
import json

import pytest

from tfpipe import cli
from tfpipe.doctor import Finding, __main__
from tfpipe.doctor.__main__ import Flags, main


@pytest.fixture
def told(monkeypatch):
    def tell(*findings):
        monkeypatch.setattr(__main__, "examine", lambda folder, quick: iter(findings))

    return tell


def run(*arguments):
    try:
        return cli.run(main, Flags, doc="", arguments=arguments)
    except SystemExit as ended:
        return ended.code


def test_notes_end_well_and_what_is_wrong_does_not(told, capsys):
    told(Finding("extras", "note", "x"), Finding("gpu", "skipped", "y"))
    assert run() == 0
    told(Finding("disk", "wrong", "it is full"), Finding("gpu", "good", "y"))
    assert run() == 1
    assert "it is full" in capsys.readouterr().out


def test_json_is_all_there_is(told, capsys):
    told(Finding("disk", "wrong", "it is full", "Make room.", (("a",),), 0.5))
    assert run("--json") == 1
    assert json.loads(capsys.readouterr().out) == {
        "tfpipe": "0.1.0",
        "wrong": ["disk"],
        "findings": [
            {
                "name": "disk",
                "state": "wrong",
                "found": "it is full",
                "todo": "Make room.",
                "rows": [["a"]],
                "seconds": 0.5,
            }
        ],
    }


def test_without_rich_it_is_plain(told, capsys, monkeypatch):
    told(Finding("disk", "wrong", "it is full", "Make room."))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert run() == 1
    assert capsys.readouterr().out == "wrong disk: it is full -> Make room.\n"
    rows = (("package", "installed", ""), ("keras", "-", "missing"))
    told(Finding("packages", "wrong", "1 is not", "Install it.", rows))
    assert run() == 1
    assert capsys.readouterr().out == (
        "wrong packages: 1 is not -> Install it.\n    package, installed\n    keras, -, missing\n"
    )


def test_this_machine(python, tmp_path):
    done = python("-m", "tfpipe.doctor", "--quick", "--json", "--folder", str(tmp_path))
    found = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert done.stderr == ""
    tensorflow = importlib.metadata.version("tensorflow")
    assert found["tensorflow"]["found"].startswith(f"{tensorflow} starts, with Keras ")
    assert found["gradient"]["state"] == "good"
    wrong = [finding for finding in found.values() if finding["state"] == "wrong"]
    assert done.returncode == bool(wrong), wrong


BROKEN = """
import sys
for name in ("tensorflow", "keras", "numpy", "psutil", "packaging"):
    sys.modules[name] = None
from tfpipe.doctor import checks
checks.PROGRAM = "raise ImportError('no TensorFlow here')"
print({finding.name: finding.state for finding in checks.examine(sys.argv[1])})
"""


def test_it_needs_next_to_nothing(python, tmp_path):
    code = BROKEN.replace("sys.argv[1]", repr(str(tmp_path)))
    done = python(code, KERAS_BACKEND="", TF_USE_LEGACY_KERAS="1")
    assert done.stderr == ""
    states = eval(done.stdout)
    assert states.pop("cores") in ("good", "note")
    assert states.pop("disk") in ("good", "note")  # a busy one is slow
    wrong = ("python", "packages", "extras", "variables", "memory", "tensorflow")
    assert {name for name, state in states.items() if state == "wrong"} == set(wrong)
