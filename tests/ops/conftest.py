"""Ops as TFLite and ONNX files, run by LiteRT and ONNX Runtime."""

import numpy as np
import pytest
import tensorflow as tf

from tfpipe import noise


def _tflite(function, images):
    from ai_edge_litert.interpreter import Interpreter

    with noise.filtered():
        concrete = function.get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], function)
        interpreter = Interpreter(model_content=converter.convert())
        interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def _onnx(function, images):
    onnxruntime = pytest.importorskip("onnxruntime")
    import tf2onnx

    proto, _ = tf2onnx.convert.from_function(function, function.input_signature, opset=18)
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {session.get_inputs()[0].name: images})[0]


@pytest.fixture(scope="session")
def run_in():
    """Runs an op, or a chain of them, in a runtime: "saved_model", "tflite" or "onnx"."""

    def run(ops, images, runtime):
        def lowered(images):
            for op in ops:
                images = op.lower(images, runtime)
            return images

        images = np.asarray(images)
        spec = tf.TensorSpec(images.shape, images.dtype, "images")
        function = tf.function(lowered, input_signature=[spec], autograph=False)
        if runtime == "saved_model":
            return function(images).numpy()
        return (_tflite if runtime == "tflite" else _onnx)(function, images)

    return run
