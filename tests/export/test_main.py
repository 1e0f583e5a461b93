"""The command line, as a person calls it who has a plain Keras model."""

import os
import pathlib
import subprocess
import sys

import keras
import pytest

from tfpipe import cli, export
from tfpipe.export import __main__ as main

ROOT = pathlib.Path(__file__).parents[2]


def start(*arguments):
    """As from a shell: nothing silences TensorFlow before it."""
    return subprocess.run(
        [sys.executable, "-m", "tfpipe.export", *map(str, arguments)],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("TF_")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def run_here(*arguments):
    return cli.run(main.main, main.Flags, doc=main.__doc__, arguments=list(map(str, arguments)))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def plain(trained, tmp_path_factory):
    """What Keras alone makes: a Sequential model that scales its pixels by itself."""
    layers = [keras.Input((32, 32, 1)), keras.layers.Rescaling(1 / 255)]
    model = keras.Sequential([*layers, *trained.layers[1:]])
    model.set_weights(trained.get_weights())
    path = tmp_path_factory.mktemp("plain") / "plain.keras"
    model.save(path)
    return path


def test_a_plain_model_becomes_a_bundle(plain, manifest, tmp_path):
    done = start(plain, "--data", manifest.path, "--modes", "float32", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    bundle = export.load_bundle(tmp_path / "out")
    assert done.stdout == f"{bundle}\nPictures: {bundle.path / 'report.html'}\n"
    assert bundle.models == ("float32.tflite",)
    assert bundle.report.reference["score"] > 0.7
    assert done.stderr == (
        "No --prepare: the model gets numbers from 0 to 255, by Chain([Decode(channels=1), "
        "Resize(size=(32, 32)), PreprocessInput(style='none')]).\n"
    )


def test_with_a_chain_the_model_gets_what_it_was_trained_with(
    trained, bundled, manifest, tmp_path, capfd
):
    trained.save(tmp_path / "model.keras")
    arguments = ["--data", manifest.path, "--prepare", bundled.path / "chain.json"]
    assert run_here(tmp_path / "model.keras", *arguments, "--modes", "float32") == 0
    bundle = export.load_bundle(tmp_path / "model")  # the default of --out
    assert bundle.models == ("float32.tflite",)
    head, expected = bundle.report.reference, bundled.report.reference
    assert head["score"] == expected["score"]
    assert "No --prepare" not in capfd.readouterr().err


def test_the_exit_code_is_1_when_the_bar_is_missed(plain, manifest, tmp_path, capsys):
    arguments = ["--data", manifest.path, "--out", tmp_path / "out", "--modes", "float32"]
    with pytest.raises(SystemExit) as caught:
        main.main(
            cli.parse(main.Flags, "", [str(plain), *map(str, arguments), "--score-lost", "-1"])
        )
    assert str(caught.value) == (
        "No file keeps the bars that stands for 'float32': float32.tflite: expected a score lost "
        "of at most -1.0. Received: 0.0000. Nothing was written."
    )  # Python prints it on standard error, and exits with 1
    assert capsys.readouterr().out.splitlines()[2].startswith("float32.tflite  ")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Expected MODEL, a .keras file. Received: nothing."),
        (["a.keras"], "Expected `--data DIR`, a records folder. Received: nothing."),
        (["a.tflite", "--data", "."], "There is no './manifest.json'."),
        (["a.keras", "--modes", "int9"], "Received: --modes='int9'. Did you mean 'int8'?"),
    ],
)
def test_bad_requests_are_one_sentence(capfd, arguments, sentence):
    assert run_here(*arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.endswith(f"{sentence}\n")
    assert err.count("\n") == 1


def test_bad_models_are_one_sentence(manifest, tmp_path, capfd):
    data = ["--data", manifest.path]
    assert run_here(tmp_path / "a.tflite", *data) == 2
    assert run_here(tmp_path / "none.keras", *data) == 2
    (tmp_path / "bad.keras").write_bytes(b"PK\3\4 half a zip")
    assert run_here(tmp_path / "bad.keras", *data) == 2
    ends = keras.Input((7,)), keras.Input((7,))
    keras.Model(ends, keras.layers.Add()(ends)).save(tmp_path / "two.keras")
    assert run_here(tmp_path / "two.keras", *data) == 2
    features = keras.Input((7,))
    keras.Model(features, keras.layers.Dense(10)(features)).save(tmp_path / "flat.keras")
    assert run_here(tmp_path / "flat.keras", *data) == 2
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("Expected a file that ends in '.keras'. Received: MODEL=")
    assert lines[1].startswith("Expected a model file. There is no file ")
    assert lines[2].endswith("bad.keras: Keras cannot run it (not a whole zip archive)")
    assert "two.keras: Expected a model with one input and one output." in lines[3]
    assert lines[4].startswith("Expected `--prepare CHAIN.json`, since the model does not take")
    assert names(tmp_path) == ["bad.keras", "flat.keras", "two.keras"]


def test_help_does_not_load_tensorflow():
    code = "import sys, tfpipe.export.__main__; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
