"""What a runtime's error says, in one line."""

import pytest
import tensorflow as tf

from tfpipe.errors import RequestError
from tfpipe.export.reading.problems import first_line, refusing, tensorflow_line


def test_an_error_without_words_has_its_name():
    assert first_line(RuntimeError()) == tensorflow_line(RuntimeError()) == "RuntimeError"


def test_a_real_error_of_tensorflows():
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.gather([1.0, 2.0], tf.constant(5), name="many")
    assert tensorflow_line(caught.value).startswith("indices = 5 is not in [0, 2)")


def test_an_error_becomes_one_about_the_inputs():
    with pytest.raises(RequestError) as caught, refusing("a.onnx", KeyError, ValueError):
        raise ValueError("too large\nand much more")
    assert str(caught.value) == "a.onnx cannot compute with these inputs (too large)."


def test_another_error_passes():
    with pytest.raises(OSError, match="disk"), refusing("a.onnx", ValueError):
        raise OSError("disk")
