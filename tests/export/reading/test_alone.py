"""A process of its own: its time and memory, and its death where LiteRT crashes."""

import subprocess

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.tools.flatbuffer_utils import read_model_from_bytearray

from tfpipe import export
from tfpipe.errors import DataError
from tfpipe.export.reading import alone
from tfpipe.export.reading.alone import run_alone
from tfpipe.export.writing.joining import packed

NOISE = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 1), np.uint8)


@pytest.fixture(scope="module")
def crashing(files, tmp_path_factory):
    """The int8 file with one number changed, at which LiteRT 2.3 has a segmentation fault."""
    model = read_model_from_bytearray(bytearray(files["int8"].read_bytes()))
    (place,) = model.subgraphs[0].operators[0].outputs
    model.subgraphs[0].tensors[place].quantization.zeroPoint = [-637_534_336]
    path = tmp_path_factory.mktemp("crashing") / "a.tflite"
    path.write_bytes(packed(model))
    return path


def test_every_example_is_run_alone_in_its_batch(files):
    found = run_alone("tflite", files["float32"], NOISE, threads=1)
    assert len(found.seconds) == 5
    assert 0 < min(found.seconds) <= max(found.seconds) < 10


def test_every_example_is_the_one_that_is_given(tmp_path):
    """A token outside the vocabulary fails, wherever it is among the examples."""
    table = np.ones((10, 3), np.float32)
    traced = tf.function(lambda tokens: tf.reduce_sum(tf.gather(tf.constant(table), tokens), 1))
    made = traced.get_concrete_function(tf.TensorSpec((1, 4), tf.int32))
    path = tmp_path / "a.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([made]).convert())
    tokens = np.zeros((3, 4), np.int32)
    assert len(run_alone("tflite", path, tokens, threads=1).seconds) == 3
    tokens[2, 0] = 10
    with pytest.raises(DataError, match=r"LiteRT cannot run it .gather index out of bounds"):
        run_alone("tflite", path, tokens, threads=1)


def test_the_memory_is_that_of_the_file_and_its_buffers(tmp_path):
    """A file whose only cost is known: 25 MB of weights, once in the file's pages."""
    weights = tf.constant(np.random.default_rng(0).normal(size=(2500, 2500)).astype(np.float32))
    traced = tf.function(lambda a: tf.linalg.matmul(a, weights)).get_concrete_function(
        tf.TensorSpec((1, 2500))
    )
    path = tmp_path / "a.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([traced]).convert())
    found = run_alone("tflite", path, np.ones((2, 2500), np.float32), threads=1)
    # LiteRT's own buffers and copies of the weights come to it: three times at most.
    assert 25e6 < found.peak_memory_bytes < 85e6


def test_a_file_that_crashes_litert_is_an_error_and_this_process_lives_on(crashing):
    with pytest.raises(DataError) as caught:
        export.load(crashing)
    assert str(caught.value) == f"{crashing}: LiteRT crashes on it (SIGSEGV); the file is damaged"


def test_a_file_that_never_ends_is_given_up(files, monkeypatch):
    monkeypatch.setattr(alone, "TIMEOUT_S", 0.01)
    with pytest.raises(DataError) as caught:
        run_alone("tflite", files["int8"], NOISE, threads=1)
    assert str(caught.value) == f"{files['int8']}: LiteRT did not end within 0.01 s"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (-9, "LiteRT was killed while it ran it, as if memory had run out"),
        (-8, "LiteRT crashes on it (SIGFPE); the file is damaged"),
    ],
)
def test_how_its_process_ended_is_told(files, monkeypatch, code, problem):
    def ended(command, **options):
        return subprocess.CompletedProcess(command, code, "", "")

    monkeypatch.setattr(subprocess, "run", ended)
    with pytest.raises(DataError) as caught:
        run_alone("tflite", files["int8"], NOISE, threads=1)
    assert str(caught.value) == f"{files['int8']}: {problem}"


def test_a_file_is_tried_once(files, monkeypatch):
    export.load(files["int8"])
    monkeypatch.setattr(alone, "run_alone", None)
    export.load(files["int8"])


def test_a_failure_of_ours_is_told_as_one(tmp_path):
    with pytest.raises(RuntimeError, match=r"the process that ran .*a\.onnx failed"):
        run_alone("onnx", tmp_path / "a.onnx", NOISE, threads=1)
