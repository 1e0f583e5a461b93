"""The looks that need TensorFlow, in a process that may die of them.

Example:

    worker = Worker(PROGRAM, None, environment=ENVIRONMENT)
    finding = worker.ask(("gradient", "out"))
"""

import importlib.metadata
import pathlib
from collections.abc import Callable

from tfpipe.doctor.finding import GOOD, Finding
from tfpipe.process import serve

PROGRAM = "from tfpipe.doctor.worker import main; main()"
# What TensorFlow logs goes to a file that nobody reads; and a GPU's memory is not taken whole, so
# that training can be tried after the products were timed.
ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}

Request = tuple[str, str]  # the look's name, and the folder of the small job


def main() -> None:
    """The worker's side."""
    serve(_start)


def _start(job: object) -> Callable[[Request], Finding]:
    import tfpipe.backend  # noqa: F401  (starts TensorFlow, or says why it cannot)

    return _look


def _look(request: Request) -> Finding:
    """Modules are imported here: a package that is missing is the fault of one look only."""
    name, folder = request
    if name == "tensorflow":
        return _versions()
    if name == "gpu":
        from tfpipe.doctor import gpu

        return gpu.gpu(gpu.facts())
    if name in ("gradient", "precision"):
        from tfpipe.doctor import arithmetic

        return arithmetic.gradient() if name == "gradient" else arithmetic.precision()
    from tfpipe.doctor import tour

    return tour.STEPS[name](pathlib.Path(folder))


def _versions() -> Finding:
    tensorflow, keras = (importlib.metadata.version(name) for name in ("tensorflow", "keras"))
    return Finding("tensorflow", GOOD, f"{tensorflow} starts, with Keras {keras}")
