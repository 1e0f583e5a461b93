"""Operators that tf2onnx lacks, run by ONNX Runtime against TensorFlow."""

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
import tf2onnx

from tfpipe.export.writing.onnx_handlers import HANDLERS

X = np.linspace(-6, 3, 400, dtype=np.float32)


@pytest.mark.parametrize("function", [tf.math.erfc, tf.math.expm1, tf.nn.gelu])
def test_they_compute_what_tensorflow_computes(function):
    made, _ = tf2onnx.convert.from_function(
        tf.function(lambda x: function(x) + 1),
        input_signature=[tf.TensorSpec((None,), tf.float32, "x")],
        opset=18,
        custom_op_handlers=HANDLERS,
    )
    (found,) = onnxruntime.InferenceSession(made.SerializeToString()).run(None, {"x": X})
    np.testing.assert_allclose(found, function(X) + 1, rtol=1e-6, atol=1e-6)
