"""Makes TFLite files of SavedModels, in a process of its own; `writing.conversion` starts it.

It loads nothing of tfpipe but the pipes to talk through: it must be there soon.
"""

import pathlib
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.process import serve


def convert(request: dict[str, Any]) -> tuple[bool, bytes]:
    """Converts one SavedModel.

    Args:
        request: `folder`, with the SavedModel `model` and, for modes that need examples,
            `examples.npy`, each as the model takes it (there is none if the ranges are in the
            model); `mode`; `scores_dtype`; and `pixels`, whether what goes in stands for uint8.

    Returns:
        Whether there is a file, and its bytes, or what the converter said instead.
    """
    folder, mode = pathlib.Path(request["folder"]), request["mode"]
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "model"))
    if mode != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if mode in _INTEGERS:
        if (folder / "examples.npy").exists():
            examples = np.load(folder / "examples.npy")
            converter.representative_dataset = lambda: ([example[None]] for example in examples)
            converter.target_spec.supported_ops = [_INTEGERS[mode]]
        converter.inference_output_type = tf.dtypes.as_dtype(request["scores_dtype"])
        if request["pixels"]:
            converter.inference_input_type = tf.uint8
    try:
        return True, converter.convert()
    except Exception as error:  # whatever it is, the person who asked reads it
        return False, str(error).encode()


_INTEGERS = {
    "int8": tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
    "int16x8": tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
}

if __name__ == "__main__":
    serve(lambda job: convert)
