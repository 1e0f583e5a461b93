"""`records.lines`: text files, byte by byte of the encoding that is expected."""

import itertools

import pytest

from tfpipe.errors import DataError, RequestError
from tfpipe.records.sources.lines import (
    bytes_between,
    decoded,
    line_ends,
    opened,
    require_encoding,
)


def read(path, *arguments):
    with opened(path) as file:
        return list(decoded(file, path, *arguments))


def test_lines_keep_their_ends_and_lose_the_byte_order_mark(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\x0b\xe2\x80\xa8\n\xef\xbb\xbflast")
    assert read(path) == ["one\r\n", "two\x0b\u2028\n", "\ufefflast"]


def test_positions_are_the_ends_of_lines(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("é\nab\n".encode())
    with opened(path) as file:
        assert [file.tell() for _ in decoded(file, path)] == [3, 6]


def test_a_line_is_found_again_by_its_end(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\n\ntwo")
    ends = [0, *line_ends(path, "utf-8", "")]
    assert ends == [0, 8, 9, 12]
    lines = [bytes_between(path, *pair) for pair in itertools.pairwise(ends)]
    assert lines == [b"one\r\n", b"\n", b"two"]


@pytest.mark.parametrize(("start", "byte"), [(b"", 4), (b"\xef\xbb\xbf", 7)])
def test_a_wrong_byte_is_named(tmp_path, start, byte):
    path = tmp_path / "a.txt"
    path.write_bytes(start + b"caf\xe9\n")
    with pytest.raises(DataError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: line 1, byte {byte}: 0xe9 is not utf-8. Save it as UTF-8."
    path.write_bytes(b"ok\nok\n\x81")
    with pytest.raises(DataError) as caught:
        read(path, "cp1252", "Do this.")
    assert str(caught.value) == f"{path}: line 3, byte 1: 0x81 is not cp1252. Do this."


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("text,label\n".encode("utf-16"), "it is UTF-16. Save it as UTF-8."),
        (b"\xfe\xff\x00a", "it is UTF-16. Save it as UTF-8."),
        (b"PK\x03\x04\x14", "it is a zip file (.xlsx files are), and no text. Unpack it, or save "
                            "it as CSV."),
        (b"\x1f\x8b\x08", "it is a gzip file, and no text. Unpack it."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_what_is_no_text_is_named(tmp_path, data, problem, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read(path, encoding)
    assert str(caught.value) == f"{path}: {problem}"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig", "latin-17"])
def test_an_encoding_must_be_known_and_end_lines_with_a_byte(encoding):
    for known in ("utf-8", "cp1252", "latin-1", "gb18030", "shift_jis"):
        require_encoding(known)
    with pytest.raises(RequestError) as caught:
        require_encoding(encoding)
    assert str(caught.value) == (
        "Expected `encoding` to be one that Python knows and whose lines end with one byte, such "
        f"as 'utf-8' or 'cp1252' (convert UTF-16 first). Received: encoding={encoding!r}"
    )


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(RequestError) as caught:
        opened(tmp_path / "a.txt")
    assert str(caught.value) == f"Expected a file. There is no file {str(tmp_path / 'a.txt')!r}."
    with pytest.raises(RequestError) as caught:
        opened(tmp_path)
    assert str(caught.value) == (
        f"Expected a file. That is a folder: {str(tmp_path)!r}. Texts in a file each go into a "
        "table, for `text_csv`."
    )
