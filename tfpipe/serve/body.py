"""What a client sent: read within bounds, and taken apart.

Example:

    body = await read_body(request, max_bytes=2**24, seconds=30)
    asked = parse_json(body, most=128)
    asked.instances, asked.ids
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

from starlette.datastructures import Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from tfpipe.errors import RequestError, one_of
from tfpipe.serve.examples import kind

KEYS = ("instances", "signature_name", "ids")
SIGNATURES = ("serving_default", "serve", "encoded")  # those of the bundle's SavedModel


class Asked(NamedTuple):
    """The instances of a request, and the ids that its client gave them, by which labels come."""

    instances: list[Any]
    ids: list[str] | None = None


async def read_body(request: Request, *, max_bytes: int, seconds: float) -> bytes:
    """The whole body; of one that is too large, the server drops the rest as it comes.

    Raises:
        HTTPException: 413 where it is larger, 408 where it does not come in time, 415 where it is
            compressed.
    """
    coding = request.headers.get("content-encoding", "identity")
    if coding != "identity":
        raise HTTPException(415, f"Expected a body that is not compressed. It is {coding[:40]!r}.")
    try:
        async with asyncio.timeout(seconds):
            return await _read(request, max_bytes)
    except TimeoutError:
        sentence = f"The request did not come within {seconds:g} s."
        raise HTTPException(408, sentence, {"Connection": "close"}) from None


async def _read(request: Request, max_bytes: int) -> bytes:
    parts, size = [], int(request.headers.get("content-length", 0))
    if size <= max_bytes:
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > max_bytes:
                break
            parts.append(part)
    if size > max_bytes:
        raise HTTPException(413, f"Expected a body of at most {max_bytes:,} bytes. It is larger.")
    return b"".join(parts)


def parse_json(body: bytes, *, most: int) -> Asked:
    """TensorFlow Serving's row format: {"instances": [...]}, at most so many.

    Raises:
        RequestError: it is not that.

    Example:

    >>> parse_json(b'{"instances": ["a fine film"]}', most=8).instances
    ['a fine film']
    """
    value = parsed(body)
    if not isinstance(value, dict) or "instances" not in value:
        raise RequestError('Expected a JSON object {"instances": [...]}.' + _received(value))
    for key in value:
        if key not in KEYS:
            raise RequestError(one_of("key", key[:100], KEYS))
    if value.get("signature_name", SIGNATURES[0]) not in SIGNATURES:
        raise RequestError(f"Expected `signature_name` to be one of {', '.join(SIGNATURES)}.")
    instances, ids = value["instances"], value.get("ids")
    if not isinstance(instances, list) or not instances:
        raise RequestError("Expected `instances` to be a list of at least one." + _received(value))
    if len(instances) > most:
        raise RequestError(f"Expected at most {most:,} `instances`. Received: {len(instances):,}.")
    if ids is not None:
        require_strings("ids", ids, len(instances))
    return Asked(instances, ids)


def parse_labels(body: bytes) -> tuple[list[str], list[Any]]:
    """{"ids": [...], "labels": [...]}: as many labels (numbers, or rows of numbers) as ids.

    Raises:
        RequestError: it is not that.

    Example:

    >>> parse_labels(b'{"ids": ["a17", "a18"], "labels": [1, 0]}')
    (['a17', 'a18'], [1, 0])
    """
    value = parsed(body)
    if not isinstance(value, dict) or set(value) != {"ids", "labels"}:
        raise RequestError('Expected {"ids": [...], "labels": [...]}.' + _received(value))
    ids, labels = value["ids"], value["labels"]
    if not isinstance(labels, list) or not labels:
        raise RequestError("Expected `labels` to be a list of at least one.")
    require_strings("ids", ids, len(labels))
    rows = labels if isinstance(labels[0], list) else [[each] for each in labels]
    width = len(rows[0])
    if not all(isinstance(row, list) and len(row) == width for row in rows) or not all(
        type(number) in (int, float) and abs(number) < 1e30 for row in rows for number in row
    ):
        raise RequestError("Expected `labels` to be numbers, or rows of as many numbers each.")
    return ids, labels


def require_strings(name: str, values: Any, count: int) -> None:
    """A list of so many strings.

    Raises:
        RequestError: it is not.
    """
    good = isinstance(values, list) and all(isinstance(value, str) for value in values)
    if not good or len(values) != count:
        raise RequestError(f"Expected `{name}` to be a list of {count:,} strings.")


def parsed(body: bytes) -> Any:
    """The value that JSON text stands for.

    Raises:
        RequestError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:  # the first: UnicodeDecodeError, too
        raise RequestError(f"Expected JSON. It is not ({_short(error)}).") from None


async def parse_upload(headers: Headers, body: bytes, *, most: int) -> Asked:
    """The files of a form, each an encoded image; its other fields are left alone.

    Raises:
        RequestError: it is no form, has no file, or more than so many.
    """

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body
        if not parser.ended:
            raise MultiPartException("it has no end")

    parser = _Form(headers, stream(), max_files=most, max_part_size=len(body))
    parser.spool_max_size = len(body) + 1  # nothing is written to the disk
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise _no_form(error.message) from None
    except UnicodeError:  # of which each Python has other words
        raise _no_form("its text is not in the charset that it names") from None
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    instances = [await file.read() for file in files]
    await form.close()
    if not instances:
        raise RequestError("Expected a form with at least one file. It has none.")
    return Asked(instances)


def _no_form(reason: str) -> RequestError:
    return RequestError(f"Expected a form as browsers send it. It is not ({reason}).")


class _Form(MultiPartParser):
    """Starlette's, which would take a form that is cut off for a shorter one."""

    ended = False

    def on_end(self) -> None:
        """Called by the parser."""
        self.ended = True


def _received(value: Any) -> str:
    if not isinstance(value, dict) or not value:
        return f" Received: {kind(value)}."
    return f" Received: an object with {', '.join(repr(key[:40]) for key in list(value)[:8])}."


def _short(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
