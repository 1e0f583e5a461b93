"""Reads the lines of text files; every byte must be of the encoding that is expected.

Example:

    with opened("test_list.txt") as file:
        for line in decoded(file, "test_list.txt"): ...
"""

import array
import codecs
import os
import pathlib
from collections.abc import Iterator
from typing import BinaryIO

from tfpipe.errors import DataError, RequestError, received
from tfpipe.files import Path

SAVE_IT = "Save it as UTF-8."
NO_TEXT = {
    codecs.BOM_UTF16_LE: "it is UTF-16. Save it as UTF-8.",
    codecs.BOM_UTF16_BE: "it is UTF-16. Save it as UTF-8.",
    b"PK\x03\x04": "it is a zip file (.xlsx files are), and no text. Unpack it, or save it as CSV.",
    b"\x1f\x8b": "it is a gzip file, and no text. Unpack it.",
}


def opened(path: Path) -> BinaryIO:
    """Opens a file.

    Raises:
        RequestError: there is none.
    """
    if pathlib.Path(path).is_dir():
        raise RequestError(
            f"Expected a file. That is a folder: {os.fspath(path)!r}. Texts in a file each go into "
            "a table, for `text_csv`."
        )
    if not pathlib.Path(path).is_file():
        raise RequestError(f"Expected a file. There is no file {os.fspath(path)!r}.")
    return open(path, "rb")


def decoded(
    file: BinaryIO, path: Path, encoding: str = "utf-8", advice: str = SAVE_IT
) -> Iterator[str]:
    """The lines of an open file, with their ends; a UTF-8 byte order mark is left out.

    Raises:
        DataError: a byte is not of this encoding, says which; or the file is no text.
    """
    # Read line by line, so that the file's position is always the end of the line.
    for number, line in enumerate(iter(file.readline, b""), start=1):
        problem = number == 1 and next((NO_TEXT[b] for b in NO_TEXT if line.startswith(b)), "")
        if problem:
            raise DataError(path, problem)
        text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        try:
            yield text.decode(encoding)
        except UnicodeDecodeError as error:
            place = f"line {number}, byte {len(line) - len(text) + error.start + 1}"
            byte = f"0x{text[error.start]:02x}"
            raise DataError(path, f"{place}: {byte} is not {encoding}. {advice}") from None


def line_ends(path: Path, encoding: str, advice: str) -> "array.array[int]":
    """Where each line of a file ends, in bytes; reads it once, so that every byte is checked.

    Raises:
        RequestError: there is no such file.
        DataError: a byte is not of this encoding; says which.
    """
    ends = array.array("q")
    with opened(path) as file:
        for _ in decoded(file, path, encoding, advice):
            ends.append(file.tell())
    return ends


def bytes_between(path: Path, start: int, end: int) -> bytes:
    """A part of a file, without the byte order mark that it may begin with."""
    with opened(path) as file:
        file.seek(start)
        data = file.read(end - start)
    return data if start else data.removeprefix(codecs.BOM_UTF8)


def require_encoding(encoding: str) -> None:
    """Checks that Python knows the encoding, and that a line ends with one byte in it.

    Raises:
        RequestError: it does not.
    """
    try:
        ends_with_a_byte = "\n".encode(encoding) == b"\n"
    except LookupError:
        ends_with_a_byte = False
    if not ends_with_a_byte:
        raise RequestError(
            received(
                "`encoding` to be one that Python knows and whose lines end with one byte, such "
                "as 'utf-8' or 'cp1252' (convert UTF-16 first)",
                encoding=encoding,
            )
        )
