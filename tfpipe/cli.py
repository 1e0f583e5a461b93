"""A job's command line: flags from a frozen dataclass, mistakes answered in one sentence.

Example:

    @dataclasses.dataclass(frozen=True)
    class Flags:
        out: str = flag("out/digits", "the folder that everything lands in")

    if __name__ == "__main__":
        sys.exit(run(main, Flags, doc=__doc__))
"""

import argparse
import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

from tfpipe.errors import DataError, RequestError, one_of, received
from tfpipe.noise import filtered, plain_warnings

Flags = TypeVar("Flags")

# Of packages that not everybody needs: the extra of setup.cfg that brings them.
EXTRAS = {
    "prometheus_client": "serve",
    "python_multipart": "serve",
    "sklearn": "digits",
    "starlette": "serve",
    "uvicorn": "serve",
}


def flag(
    default: Any,
    help: str,
    *,
    choices: Sequence[str] = (),
    least: float | None = None,
    most: float | None = None,
    positional: bool = False,
) -> Any:
    """A field of a dataclass of flags.

    Args:
        default: its type is the flag's type: bool, int, float, str, or a tuple of such (of
            strings, if it is empty), of which the flag takes one or more.
        help: what `--help` says; the default is added.
        choices: the members of a closed set.
        least: the smallest number allowed.
        most: the largest number allowed.
        positional: it stands without its name, and must be there.

    Returns:
        What `dataclasses.field` gives; `parse` reads the rest from its metadata.

    Example:

    >>> @dataclasses.dataclass(frozen=True)
    ... class Job:
    ...     sizes: tuple[int, ...] = flag((8, 16), "pixels of the images", least=1)
    >>> parse(Job, "A job.", ["--sizes", "4"]).sizes
    (4,)
    """
    limits = {"choices": tuple(choices), "least": least, "most": most}
    return dataclasses.field(
        default=default, metadata={"help": help, "positional": positional, **limits}
    )


def parse(flags: type[Flags], doc: str, arguments: Sequence[str] | None = None) -> Flags:
    """Reads the command line into the dataclass; `--help` prints `doc` and the flags.

    Raises:
        RequestError: a flag is unknown, or has a value that it does not take.

    Example:

    >>> @dataclasses.dataclass(frozen=True)
    ... class Job:
    ...     epochs: int = flag(3, "passes over the data", least=1)
    >>> parse(Job, "A job.", ["--epochs", "5"])
    Job(epochs=5)
    """
    fields = dataclasses.fields(flags)  # type: ignore[arg-type]
    parser = _Parser(
        prog=_program(),
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for field in fields:
        _add(parser, field)
    found, unknown = parser.parse_known_args(arguments)
    if unknown:
        raise RequestError(one_of("flag", unknown[0], [_name(field) for field in fields]))
    return flags(**{field.name: _value(field, getattr(found, field.name)) for field in fields})


def run(
    job: Callable[[Flags], None],
    flags: type[Flags],
    *,
    doc: str,
    arguments: Sequence[str] | None = None,
) -> int:
    """Runs `job(flags)` and returns the exit code.

    What the user can mend (a RequestError, a DataError, a file that cannot be read or written, a
    package of an extra that is not installed) ends with one sentence on standard error and code 2;
    an interrupt with 130; anything else is a defect, and its traceback is shown.

    A GPU's memory is taken as it is needed, unless TF_FORCE_GPU_ALLOW_GROWTH says otherwise.

    Args:
        job: what is to be done.
        flags: a dataclass of `flag`s.
        doc: what `--help` says of the job.
        arguments: the command line; `sys.argv` if None.

    Returns:
        The exit code: 0 where all went well.

    Example:

    >>> @dataclasses.dataclass(frozen=True)
    ... class Job:
    ...     epochs: int = flag(3, "passes over the data", least=1)
    >>> run(lambda job: print(job.epochs), Job, doc="A job.", arguments=["--epochs", "5"])
    5
    0
    """
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    try:
        chosen = parse(flags, doc, arguments)
        with filtered(), plain_warnings():
            job(chosen)
    except (RequestError, DataError) as error:
        return _end(str(error), 2)
    except OSError as error:
        if error.filename is None:
            raise
        return _end(f"{error.filename}: {error.strerror}", 2)
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        problem = f"Expected the package {error.name!r}, which is not installed."
        return _end(f'{problem} Install it with: pip install "tfpipe[{EXTRAS[error.name]}]"', 2)
    except KeyboardInterrupt:
        return _end("interrupted", 130)
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Argparse would print its usage before the sentence, and exit by itself."""
        raise RequestError(message)


def _program() -> str | None:
    """How the job was called, where that was by `python -m`; before 3.12 argparse cannot tell."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return None if spec is None else f"python -m {spec.name.removesuffix('.__main__')}"


def _add(parser: argparse.ArgumentParser, field: dataclasses.Field[Any]) -> None:
    help = field.metadata["help"].replace("%", "%%")  # argparse would take it for a format
    if field.metadata["positional"]:
        positional = parser.add_argument(field.name, metavar=_name(field), help=help)
        positional.required = False  # `_value` asks for it, in the sentence of all flags
        return
    if isinstance(field.default, bool):
        parser.add_argument(_name(field), action="store_true", help=help)
        return
    choices: tuple[str, ...] = field.metadata["choices"]
    default: Any = field.default
    many = isinstance(default, tuple)
    kind = _kind(field).__name__.upper()
    default = tuple(map(str, default)) if many else str(default)
    parser.add_argument(
        _name(field),
        default=default,
        nargs="+" if many else None,
        metavar="{" + ",".join(choices) + "}" if choices else kind,
        help=f"{help} (default: {' '.join(default) if many else default})" if default else help,
    )


def _name(field: dataclasses.Field[Any]) -> str:
    if field.metadata["positional"]:
        return field.name.upper()
    return f"--{field.name.replace('_', '-')}"


def _kind(field: dataclasses.Field[Any]) -> type:
    """The type of a flag's value, or of each of its values."""
    if isinstance(field.default, tuple):
        return type(field.default[0]) if field.default else str
    return type(field.default)


def _value(field: dataclasses.Field[Any], given: Any) -> Any:
    if isinstance(field.default, tuple):
        return tuple(_one(field, _kind(field), value) for value in given)
    if field.metadata["positional"] and given is None:
        raise RequestError(f"Expected {_name(field)}, {field.metadata['help']}. Received: nothing.")
    return _one(field, _kind(field), given)


def _one(field: dataclasses.Field[Any], kind: Any, given: Any) -> Any:
    name = _name(field)
    choices, least, most = (field.metadata[key] for key in ("choices", "least", "most"))
    try:
        value = kind(given)
    except ValueError:
        noun = {int: "a whole number", float: "a number"}[kind]
        raise RequestError(received(f"`{name}` to be {noun}", **{name: given})) from None
    if choices and value not in choices:
        raise RequestError(one_of(name, value, choices))
    if least is not None and not value >= least:
        raise RequestError(received(f"`{name}` to be at least {least}", **{name: value}))
    if most is not None and not value <= most:
        raise RequestError(received(f"`{name}` to be at most {most}", **{name: value}))
    return value


def _end(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code
