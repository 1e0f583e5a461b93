"""ONNX files, run by ONNX Runtime.

Example:

    predictor = load_onnx(pathlib.Path("out/model.onnx"))
    scores = predictor.predict(images)
"""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from tfpipe.errors import DataError
from tfpipe.export.reading.ends import require_ends
from tfpipe.export.reading.predictor import Predictor, counted, in_batches, zeros
from tfpipe.export.reading.problems import first_line, refusing
from tfpipe.export.writing.graph import PREPARE

# NumPy's names for ONNX Runtime's, and what stands for them on our side.
_NUMPY = {"float": "float32", "double": "float64"}
_GIVES = {"float": "float32", "float16": "float32", "double": "float32"}
_TAKES = {**_GIVES, "int64": "int32"}


def load_onnx(file: pathlib.Path, *, threads: int = 1) -> Predictor:
    """Loads an `.onnx` file, to be run by ONNX Runtime on the CPU.

    Raises:
        DataError: ONNX Runtime cannot run it, or it does not take one batch of examples and give
            scores.
    """
    session, model = _opened(file, threads)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    gives = [(_sizes(end), _GIVES.get(_word(end), _word(end))) for end in outputs]
    require_ends(file, [_sizes(end) for end in inputs], gives)
    takes, word = inputs[0].name, _word(inputs[0])
    dtype = _NUMPY.get(word, word)

    def encode(batch: np.ndarray) -> np.ndarray:
        return batch.astype(dtype, copy=False)

    def run(batch: np.ndarray) -> np.ndarray:
        with refusing(file.name, *_errors(), says=_problem):
            return session.run(None, {takes: encode(batch)})[0].astype(np.float32, copy=False)

    kernels = list(_kernels(model))
    operators = counted(_operators(model.graph))
    return Predictor(
        name=file.name,
        format="onnx",
        mode=_mode({kernel.dtype.name for kernel in kernels}, set(operators)),
        input_shape=tuple(inputs[0].shape[1:]),
        dtype=_TAKES.get(word, word),
        sparsity=zeros(kernels),
        run=in_batches(run, _sizes(inputs[0])[0]),
        operators=operators,
        encode=encode,
    )


def _opened(file: pathlib.Path, threads: int) -> tuple[Any, Any]:
    """The session, and the file as onnx reads it."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = 4  # what goes wrong is raised
    data = file.read_bytes()
    try:
        session = onnxruntime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"], enable_fallback=0
        )
    except _errors() as error:
        raise DataError(file, f"ONNX Runtime cannot run it ({_problem(error)})") from None
    return session, onnx.load_model_from_string(data)


def _errors() -> tuple[type[Exception], ...]:
    """ONNX Runtime's errors have no class of their own above them."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    kinds = [kind for kind in vars(state).values() if isinstance(kind, type)]
    return (ValueError, *(kind for kind in kinds if issubclass(kind, Exception)))


def _problem(error: BaseException) -> str:
    return first_line(error).rpartition(" : ")[2]  # before it, ONNX Runtime's codes


def _mode(weights: set[str], operators: set[str]) -> str:
    """By the weights' types, and by whether activations become integers while it runs."""
    if weights & {"int8", "uint8"}:
        dynamic = operators & {"DynamicQuantizeLinear", "MatMulInteger", "ConvInteger"}
        return "dynamic" if dynamic else "int8"
    return "float16" if "float16" in weights else "float32"


def _kernels(model: Any) -> Iterator[np.ndarray]:
    """The file's constants of two or more axes: kernels, not biases and shapes."""
    import onnx

    kinds = onnx.TensorProto
    for constant in model.graph.initializer:
        stored = constant.data_type in (kinds.FLOAT, kinds.FLOAT16, kinds.INT8, kinds.UINT8)
        if stored and len(constant.dims) > 1 and not constant.name.startswith(f"{PREPARE}/"):
            yield onnx.numpy_helper.to_array(constant)


def _operators(graph: Any) -> Iterator[str]:
    """Every operator's name, those of the graphs inside loops and branches too."""
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _operators(attribute.g)


def _sizes(end: Any) -> list[int | None]:
    return [size if isinstance(size, int) else None for size in end.shape]


def _word(end: Any) -> str:
    """ONNX Runtime's word for an element type.

    >>> import types
    >>> _word(types.SimpleNamespace(type="tensor(float)"))
    'float'
    """
    return end.type.removeprefix("tensor(").removesuffix(")")
