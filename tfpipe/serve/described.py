"""What a client is told of the model, in TensorFlow Serving's shapes.

Example:

    metadata(engine)["model_spec"]["name"]

Source: https://www.tensorflow.org/tfx/serving/api_rest
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tfpipe.serve.engine import Engine

_DTYPES = {"uint8": "DT_UINT8", "int32": "DT_INT32", "float32": "DT_FLOAT", "text": "DT_STRING"}


def status(engine: Engine, refused: Mapping[int, str]) -> dict[str, Any]:
    """The versions: the one that answers, and those that were refused with the reasons."""
    states = [_state(engine.version, "AVAILABLE", "OK", "")]
    states += [_state(n, "END", "FAILED_PRECONDITION", why) for n, why in sorted(refused.items())]
    return {"model_version_status": states}


def metadata(engine: Engine, *, max_instances: int) -> dict[str, Any]:
    """The signature as TensorFlow Serving gives it; beside it, what only a bundle knows."""
    predictor = engine.predictor
    texts = engine.form.name == "texts"
    shape = () if texts else predictor.input_shape
    dtype = "text" if texts else predictor.dtype
    inputs = {engine.form.name: _tensor(engine.form.name, dtype, shape)}
    signature = {
        "inputs": inputs,
        "outputs": {"scores": _tensor("scores", "float32", None)},
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {
            "name": engine.name,
            "signature_name": "",
            "version": str(engine.version),
        },
        "metadata": {
            "signature_def": {"signature_def": {"serving_default": signature}},
            "tfpipe": {
                "file": predictor.name,
                "format": predictor.format,
                "mode": predictor.mode,
                "class_names": list(engine.class_names),
                "thresholds": engine.thresholds,
                "max_instances": max_instances,
            },
        },
    }


def _state(version: int, state: str, code: str, message: str) -> dict[str, Any]:
    status = {"error_code": code, "error_message": message}
    return {"version": str(version), "state": state, "status": status}


def _tensor(name: str, dtype: str, shape: Sequence[int] | None) -> dict[str, Any]:
    """A batch of examples of this shape; None where the shape is not told."""
    dims = [{"size": str(size), "name": ""} for size in (-1, *(shape or ()))]
    return {
        "dtype": _DTYPES[dtype],
        "tensor_shape": {"dim": dims, "unknown_rank": False}
        if shape is not None
        else {"dim": [], "unknown_rank": True},
        "name": f"{name}:0",
    }
