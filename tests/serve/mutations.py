"""Malformed requests, made from valid ones by a seed."""

import base64
import json
import random

STRANGE = [
    *(None, True, -1, 0, 256, 2**63, 10**400, 1e308, 0.5, "", "a", "\x00", "\u2028", [], {}, [[]]),
    *([None], {"b64": None}, {"b64": ""}, {"b64": "AAAA"}, {"b64": "\xe9"}, {"": []}, "a" * 5000),
]
TOKENS = b'{ } [ ] " \\ud800 NaN 1e999 \xff \x00 \r\n --'.split(b" ")


def mutated(data, draw):
    """The bytes after one to four cuts, copies, flips and insertions."""
    data = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        start = draw.randrange(len(data) + 1)
        end = min(len(data), start + draw.choice([1, 2, 8, 64, 1000]))
        kind = draw.randrange(6)
        if kind == 0:
            del data[start:end]
        elif kind == 1:
            data[start:start] = data[start:end]
        elif kind == 2:
            data[start:end] = draw.randbytes(end - start)
        elif kind == 3:
            data[start:start] = draw.choice(TOKENS) * draw.choice([1, 1, 1, 500])
        elif kind == 4 and start < len(data):
            data[start] ^= 1 << draw.randrange(8)
        elif kind == 5:
            del data[start:]
    return bytes(data)


def tree(value, draw):
    """A JSON value with something strange somewhere in it."""
    if draw.random() < 0.2 or not isinstance(value, list | dict) or not value:
        return draw.choice(STRANGE)
    if isinstance(value, list):
        place = draw.randrange(len(value))
        return [tree(v, draw) if n == place else v for n, v in enumerate(value)]
    place = draw.choice(list(value))
    changed = {key: tree(v, draw) if key == place else v for key, v in value.items()}
    if draw.random() < 0.3:
        changed[draw.choice(["ids", "signature_name", "inputs", "\x00"])] = draw.choice(STRANGE)
    return changed


def form(files):
    """The body of an upload."""
    head = 'Content-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    parts = [b"--cut\r\n" + head.encode() + data + b"\r\n" for data in files]
    return b"".join(parts) + b"--cut--\r\n"


def requests(seed, pictures):
    """Requests without end, each spoilt in one of six ways; and whether it is whole HTTP."""
    draw = random.Random(seed)
    images = list(pictures.values())
    pixels = [[[draw.randrange(256)] for _ in range(32)] for _ in range(32)]
    while True:
        image = draw.choice(images)
        valid = {"instances": [b64(image), pixels, b64(draw.choice(images))]}
        kind = draw.randrange(6)
        if kind == 0:
            yield request(json.dumps({"instances": [b64(mutated(image, draw))]}).encode()), True
        elif kind == 1:
            yield request(json.dumps(tree(valid, draw)).encode()), True
        elif kind == 2:
            yield request(mutated(json.dumps(valid).encode(), draw)), True
        elif kind == 3:
            yield request(mutated(form([image]), draw), FORM), True
        elif kind == 4:
            yield request(form([mutated(image, draw), image]), FORM), True
        else:
            head, _, body = request(form([image]), FORM).partition(b"\r\n\r\n")
            yield mutated(head + b"\r\n\r\n", draw) + body, False


FORM = "multipart/form-data; boundary=cut"


def b64(data):
    return {"b64": base64.b64encode(data).decode()}


def request(body, content_type="application/json"):
    """A whole HTTP request, after which the connection is closed."""
    head = (
        "POST /v1/models/digits:predict HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
