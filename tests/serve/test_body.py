"""A body is read within bounds; whatever is in it is told apart with a sentence."""

import asyncio
import json

import pytest
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request

from tests.serve.waiting import finished
from tfpipe.errors import RequestError
from tfpipe.serve import body

FORM = {"content-type": "multipart/form-data; boundary=cut"}


def request(parts, **headers):
    """A request whose body comes in these parts; then nothing more comes."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    waiting = iter(messages)

    async def receive():
        message = next(waiting, None)
        return message or await asyncio.Event().wait()

    raw = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive)


def refused(given, max_bytes=10, seconds=5.0):
    with pytest.raises(HTTPException) as caught:
        finished(body.read_body(given, max_bytes=max_bytes, seconds=seconds))
    return caught.value.status_code, caught.value.detail


def wrong(function, *arguments, **options):
    with pytest.raises(RequestError) as caught:
        function(*arguments, **options)
    return str(caught.value)


def form(*parts, end=b"--cut--\r\n"):
    return b"".join(b"--cut\r\n" + part + b"\r\n" for part in parts) + end


def file(content, name=b"a.png"):
    disposition = b'Content-Disposition: form-data; name="f"; filename="' + name + b'"'
    return disposition + b"\r\n\r\n" + content


def upload(content, headers=FORM, most=4):
    return finished(body.parse_upload(Headers(headers), content, most=most))


def test_a_body_that_says_it_is_too_large_is_not_read():
    sentence = "Expected a body of at most 10 bytes. It is larger."
    assert refused(request([], content_length="11")) == (413, sentence)


def test_a_body_that_does_not_say_so_is_read_no_further_than_the_bound():
    assert refused(request([b"12345678", b"901"]))[0] == 413


def test_a_body_that_does_not_come_is_not_waited_for():
    sentence = "The request did not come within 0.05 s."
    assert refused(request([b"123"]), seconds=0.05) == (408, sentence)


def test_a_compressed_body_is_refused():
    sentence = "Expected a body that is not compressed. It is 'gzip'."
    assert refused(request([], content_encoding="gzip")) == (415, sentence)


EXPECTED = 'Expected a JSON object {"instances": [...]}. Received: '


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (b"", "Expected JSON. It is not (Expecting value: line 1 column 1 (char 0))."),
        (b"[" * 100_000, "Expected JSON. It is not (nested too deeply)."),
        (b"7" * 5000, "Expected JSON. It is not (Exceeds the limit (4300 digits) for integer"),
        (b'"\xff"', "Expected JSON. It is not ('utf-8' codec can't decode byte 0xff"),
        (b"[]", f"{EXPECTED}a list."),
        (b"true", f"{EXPECTED}true or false."),
        (b"7", f"{EXPECTED}a number."),
        (b"{}", f"{EXPECTED}an object."),
        (b'{"inputs": [1]}', f"{EXPECTED}an object with 'inputs'."),
        (b'{"instances": []}', "Expected `instances` to be a list of at least one."),
        (b'{"instances": {}}', "Expected `instances` to be a list of at least one."),
        (b'{"instances": [1, 2, 3]}', "Expected at most 2 `instances`. Received: 3."),
        (
            b'{"instances": [1], "signature": 1}',
            "Expected `key` to be one of 'instances', 'signature_name', 'ids'. "
            "Received: key='signature'. Did you mean 'signature_name'?",
        ),
        (
            b'{"instances": [1], "signature_name": "predict"}',
            "Expected `signature_name` to be one of serving_default, serve, encoded.",
        ),
        (b'{"instances": [1], "ids": [1]}', "Expected `ids` to be a list of 1 strings."),
        (b'{"instances": [1], "ids": ["a", "b"]}', "Expected `ids` to be a list of 1 strings."),
        (b'{"instances": [1], "signature_name": []}', "Expected `signature_name` to be one of"),
    ],
)
def test_what_is_no_request_is_told(sent, sentence):
    assert wrong(body.parse_json, sent, most=2).startswith(sentence)


def test_ids_come_with_their_instances():
    sent = b'{"instances": [1, 2], "ids": ["a", "b"], "signature_name": "serving_default"}'
    assert body.parse_json(sent, most=2) == ([1, 2], ["a", "b"])


def test_the_files_of_a_form_are_the_instances():
    field = b'Content-Disposition: form-data; name="note"\r\n\r\nhello'
    large = bytes(2**21)  # more than Starlette keeps in memory by itself
    assert upload(form(file(b"one"), field, file(large))).instances == [b"one", large]


@pytest.mark.parametrize(
    ("content", "headers", "reason"),
    [
        (b"", {"content-type": "multipart/form-data"}, "Missing boundary in multipart."),
        (b"hello", FORM, "Invalid multipart data."),
        (form(file(b"one"), file(b"two"), end=b""), FORM, "it has no end)"),
        (form(b"A: b\r\n\r\nc"), FORM, 'The Content-Disposition header field "name" must be'),
        (form(*[file(b"a")] * 5), FORM, "Too many files. Maximum number of files is 4."),
        (
            form(b'Content-Disposition: form-data; name="\xff"\r\n\r\na'),
            {"content-type": "multipart/form-data; boundary=cut; charset=undefined"},
            "its text is not in the charset that it names).",
        ),
    ],
)
def test_what_is_no_form_is_told(content, headers, reason):
    sentence = wrong(upload, content, headers)
    assert sentence.startswith(f"Expected a form as browsers send it. It is not ({reason}")


def test_a_form_without_a_file_is_told():
    field = b'Content-Disposition: form-data; name="image"\r\n\r\nhello'
    assert wrong(upload, form(field)) == "Expected a form with at least one file. It has none."


def test_labels_are_numbers_or_rows_of_them():
    assert body.parse_labels(b'{"ids": ["a"], "labels": [[0, 1]]}') == (["a"], [[0, 1]])
    numbers = "Expected `labels` to be numbers, or rows of as many numbers each."
    for labels in ("cat", None, True, [0, "1"], [[0]], 1e999):
        sent = json.dumps({"ids": ["a"], "labels": [labels]}).encode()
        assert wrong(body.parse_labels, sent) == numbers
    uneven = json.dumps({"ids": ["a", "b"], "labels": [[0, 1], [0]]}).encode()
    assert wrong(body.parse_labels, uneven) == numbers


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (b'{"ids": ["a"]}', 'Expected {"ids": [...], "labels": [...]}. Received: an object with'),
        (b"[]", 'Expected {"ids": [...], "labels": [...]}. Received: a list.'),
        (b'{"ids": [], "labels": []}', "Expected `labels` to be a list of at least one."),
        (b'{"ids": ["a"], "labels": [1, 2]}', "Expected `ids` to be a list of 2 strings."),
        (b'{"ids": [7], "labels": [1]}', "Expected `ids` to be a list of 1 strings."),
    ],
)
def test_what_are_no_labels_is_told(sent, sentence):
    assert wrong(body.parse_labels, sent).startswith(sentence)
