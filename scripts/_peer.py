"""The peer of bench_serve.py: a bare Starlette handler around LiteRT's interpreter.

    python scripts/_peer.py int8.tflite

No limits, no queue, no checks: what one writes in an afternoon. Prints its port.
"""

import base64
import socket
import sys

import cv2
import numpy as np
import uvicorn
from ai_edge_litert.interpreter import Interpreter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
(takes,), (gives,) = interpreter.get_input_details(), interpreter.get_output_details()


def scores(encoded: str) -> list[float]:
    data = np.frombuffer(base64.b64decode(encoded), np.uint8)
    interpreter.set_tensor(takes["index"], cv2.imdecode(data, 0)[None, ..., None])
    interpreter.invoke()
    scale, zero_point = gives["quantization"]
    return ((interpreter.get_tensor(gives["index"])[0] - np.float32(zero_point)) * scale).tolist()


async def predict(request: Request) -> JSONResponse:
    instances = (await request.json())["instances"]
    return JSONResponse({"predictions": [scores(each["b64"]) for each in instances]})


with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    app = Starlette(routes=[Route("/v1/models/digits:predict", predict, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1/models/digits", flush=True)
    server.run(sockets=[listener])
