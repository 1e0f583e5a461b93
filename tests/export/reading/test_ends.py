"""The ends of a file: what may go in and come out, and integers with a scale."""

import numpy as np
import pytest
import tensorflow as tf

from tfpipe.errors import DataError
from tfpipe.export.reading.ends import quantised, real, require_ends

SCORES = ((1, 10), "float32")
ONE_INPUT = "expected one input, a batch of images, sequences, tokens or features, and one output"


@pytest.mark.parametrize(
    ("inputs", "outputs", "problem"),
    [
        ([], [SCORES], f"{ONE_INPUT}, found inputs of none and outputs of (1, 10)"),
        ([(1,)], [SCORES], f"{ONE_INPUT}, found inputs of (1,) and outputs of (1, 10)"),
        (
            [(1, 4, 4, 4, 3)],
            [SCORES],
            f"{ONE_INPUT}, found inputs of (1, 4, 4, 4, 3) and outputs of (1, 10)",
        ),
        (
            [(1, 4), (1, 5)],
            [SCORES],
            f"{ONE_INPUT}, found inputs of (1, 4) and (1, 5) and outputs of (1, 10)",
        ),
        (
            [(1, 4)],
            [SCORES] * 2,
            f"{ONE_INPUT}, found inputs of (1, 4) and outputs of (1, 10) and (1, 10)",
        ),
        (
            [(None, 4, None, 3)],
            [SCORES],
            "expected examples of one size, found (None, 4, None, 3)",
        ),
        ([(8, 4)], [SCORES], "expected any number of examples or one, found 8 at once"),
        ([(1, 4)], [((1, 10), "int64")], "expected scores in float32, found int64"),
        ([(1, 4)], [((1,), "float32")], "expected scores of two axes or more, found (1,)"),
    ],
)
def test_a_file_that_no_predictor_can_run_is_refused(inputs, outputs, problem):
    with pytest.raises(DataError) as caught:
        require_ends("a.onnx", inputs, outputs)
    assert str(caught.value) == f"a.onnx: {problem}"


@pytest.mark.parametrize("shape", [(4,), (7, 4), (4, 4, 3)])
@pytest.mark.parametrize("gives", [(None, 10), (None, 1), (None, 4, 4, 3)])
def test_the_kinds_of_examples_and_scores_pass(shape, gives):
    require_ends("a.onnx", [(None, *shape)], [(gives, "float32")])


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_integers_are_those_of_tensorflow(dtype):
    """TensorFlow's own rounding to 8 bits, of a range from about -1 to 3 that has a true 0."""
    values = np.random.default_rng(0).uniform(-1.2, 3.2, 1000).astype(np.float32)
    expected = tf.quantization.fake_quant_with_min_max_args(values, -1, 3)
    scale, zero_point = 4 / 255, np.iinfo(dtype).min + 64
    integers = quantised(values, dtype, scale, zero_point)
    assert integers.dtype == dtype
    found = real(integers, scale, zero_point)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_what_is_out_of_range_becomes_the_nearest():
    found = quantised(np.array([-1e9, 1e9]), "int16", 0.5, 0)
    np.testing.assert_array_equal(found, np.array([-32768, 32767], np.int16))
