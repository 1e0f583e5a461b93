"""What a runtime's error says, in one line.

Example:

    with refusing("a.tflite", RuntimeError):
        interpreter.invoke()
"""

import contextlib
import re
from collections.abc import Callable, Iterator

from tfpipe.errors import RequestError


def first_line(error: BaseException) -> str:
    """What an error says, without the pages that some runtimes append.

    >>> first_line(ValueError("a\\nb")), first_line(KeyError())
    ('a', 'KeyError')
    """
    return (str(error).splitlines() or [type(error).__name__])[0]


def tensorflow_line(error: BaseException) -> str:
    """What an error of TensorFlow's says: the line after its traceback, without node names.

    >>> tensorflow_line(ValueError("Graph execution error:\\n{{node a}} no b\\n\\t [[{{node c}}]]"))
    'no b'
    """
    lines = [line for line in str(error).splitlines() if line.strip() and not line[0].isspace()]
    return re.sub(r"\{\{.*?\}\}\s*", "", lines[-1] if lines else type(error).__name__)


@contextlib.contextmanager
def refusing(
    name: str, *errors: type[Exception], says: Callable[[BaseException], str] = first_line
) -> Iterator[None]:
    """Tells a runtime's error as one about the inputs: the file itself is known to run."""
    try:
        yield
    except errors as error:
        raise RequestError(f"{name} cannot compute with these inputs ({says(error)}).") from None
