"""The command says what it wrote, and what it left out."""

import subprocess
import sys

import pytest

from tfpipe import cli
from tfpipe.deploy.__main__ import Flags, main


def run(*arguments):
    return cli.run(main, Flags, doc="", arguments=list(map(str, arguments)))


def test_it_says_what_is_there(bundle, tmp_path, capsys):
    assert run(bundle, "--out", tmp_path / "d", "--engine", "int8") == 0
    files = ".dockerignore, Dockerfile, README.md, bundle, compose.yaml, kubernetes.yaml, serving"
    assert capsys.readouterr().out == f"{tmp_path / 'd'}: {files}\n"


def test_it_says_what_is_left_out(make_bundle, tmp_path, capsys):
    assert run(make_bundle("int8"), "--out", tmp_path / "d") == 0
    assert capsys.readouterr().out.splitlines()[1] == (
        'Nothing for TensorFlow Serving: "saved_model" is not among the bundle\'s formats.'
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["x"], "Expected `--out DIR`, the folder to make. Received: nothing.\n"),
        (["x", "--out", "y"], "Expected a bundle's folder. There is no file 'x/bundle.json'.\n"),
    ],
)
def test_a_wrong_request_is_one_sentence(arguments, sentence, capsys):
    assert run(*arguments) == 2
    assert capsys.readouterr().err == sentence


def test_help_does_not_load_tensorflow():
    code = "import sys, tfpipe.deploy.__main__; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
