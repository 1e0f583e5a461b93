"""Another Keras backend is refused, whichever room is imported first."""

import json

import pytest

SENTENCE = (
    "tfpipe runs on Keras' TensorFlow backend. Received: backend={backend!r}. Set the environment "
    'variable KERAS_BACKEND=tensorflow before Python starts, or "backend": "tensorflow" in '
    "~/.keras/keras.json."
)


# The names of `export` load when they are used: importing the room loads nothing yet.
@pytest.mark.parametrize(
    "line",
    [
        "import tfpipe.models",
        "import tfpipe.train",
        "import tfpipe.compress",
        "from tfpipe.export import load",
    ],
)
def test_another_backend_is_refused(python, line):
    done = python(line, KERAS_BACKEND="jax")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"tfpipe.errors.RequestError: {SENTENCE.format(backend='jax')}"
    )


def test_torch_is_refused_before_keras_is_imported(python):
    code = (
        "import sys\n"
        "try:\n  import tfpipe.models\n"
        "except ValueError as error:\n  print(error, 'keras' in sys.modules)"
    )
    assert (
        python(code, KERAS_BACKEND="torch").stdout == f"{SENTENCE.format(backend='torch')} False\n"
    )


@pytest.mark.parametrize("backend", ["jax", "torch", "numpy"])
def test_a_backend_in_the_file_of_keras_is_refused(python, tmp_path, backend):
    (tmp_path / "keras.json").write_text(json.dumps({"backend": backend}))
    done = python("import tfpipe.models", KERAS_HOME=str(tmp_path))
    assert done.stderr.splitlines()[-1] == (
        f"tfpipe.errors.RequestError: {SENTENCE.format(backend=backend)}"
    )


@pytest.mark.slow
def test_an_empty_variable_is_none(python):
    code = "from tfpipe.backend import keras; print(keras.backend.backend())"
    assert python(code, KERAS_BACKEND="").stdout == "tensorflow\n"
