"""Every route, and every answer where something is wrong, without a process around it."""

import asyncio
import threading

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.serve.toys import app_of, service_of, toy
from tests.serve.waiting import finished, until_set
from tfpipe.serve import Limits, make_app

PREDICT = "/v1/models/toy:predict"


def ask(app, *requests):
    """The answers to requests (method, path, options), which are sent one after the other."""

    async def run():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            return [await client.request(method, path, **more) for method, path, more in requests]

    return finished(run())


def get(path, app=None, **more):
    return ask(app or app_of(toy()), ("GET", path, more))[0]


def post(json=None, app=None, path=PREDICT, **more):
    if json is not None:
        more["json"] = json
    return ask(app or app_of(toy()), ("POST", path, more))[0]


def error(answer):
    assert list(answer.json()) == ["error"]
    return answer.status_code, answer.json()["error"]


def test_predictions_come_in_the_order_of_the_instances():
    answer = post({"instances": [3, 1.5, 2]})
    assert answer.json() == {"predictions": [[3, 30], [1.5, 15], [2, 20]]}
    assert answer.headers["content-type"] == "application/json"


def test_floats_come_back_to_the_bit():
    scores = np.random.default_rng(0).normal(size=(8, 5)).astype(np.float32)
    answer = post({"instances": [0] * 8}, app_of(toy(score=lambda inputs: scores)))
    assert np.array(answer.json()["predictions"], np.float32).tobytes() == scores.tobytes()


def test_the_status_is_that_of_tensorflow_serving():
    status = {"error_code": "OK", "error_message": ""}
    state = {"version": "3", "state": "AVAILABLE", "status": status}
    answer = get("/v1/models/toy", app_of(toy(version=3)))
    assert answer.json() == {"model_version_status": [state]}


def test_the_metadata_is_that_of_tensorflow_serving():
    value = get("/v1/models/toy/metadata").json()
    assert value["model_spec"] == {"name": "toy", "signature_name": "", "version": "1"}
    signature = value["metadata"]["signature_def"]["signature_def"]["serving_default"]
    sizes = [dim["size"] for dim in signature["inputs"]["features"]["tensor_shape"]["dim"]]
    assert (signature["inputs"]["features"]["dtype"], sizes) == ("DT_FLOAT", ["-1", "1"])
    assert value["metadata"]["tfpipe"]["class_names"] == ["no", "yes"]


def test_the_version_may_stand_in_the_path():
    app = app_of(toy(version=3))
    assert post({"instances": [1]}, app, path="/v1/models/toy/versions/3:predict").is_success
    assert get("/v1/models/toy/versions/3", app).is_success
    assert get("/v1/models/toy/versions/3/metadata", app).is_success
    for path in ("4", "x", "03"):
        found = error(post({"instances": [1]}, app, path=f"/v1/models/toy/versions/{path}:predict"))
        assert found == (404, "Expected version 3, the one that answers.")


@pytest.mark.parametrize(
    "path",
    ["/v1/models/other", "/v1/models/other:predict", "/no", "/../etc", "/v1/models/toy/", "/v1"],
)
def test_elsewhere_nothing_is(path):
    sentence = "Nothing is here. The model is at /v1/models/toy."
    assert error(get(path)) == (404, sentence)


def test_another_method_is_told():
    assert error(get(PREDICT)) == (405, "GET is not for this path; POST is.")
    assert error(post(path="/healthz"))[0] == 405


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"instances": ["a"]}, "Expected numbers."),
        ({"instances": []}, "Expected `instances` to be a list of at least one."),
        ({"instances": [1] * 9}, "Expected at most 8 `instances`. Received: 9."),
    ],
)
def test_what_is_wrong_with_a_request_is_told(sent, sentence):
    code, said = error(post(sent))
    assert (code, said[: len(sentence)]) == (400, sentence)


def test_a_sentence_that_quotes_too_much_is_cut():
    def score(inputs):
        from tfpipe.errors import RequestError

        raise RequestError("a" * 5000)

    code, said = error(post({"instances": [1]}, app_of(toy(score=score))))
    assert (code, len(said)) == (400, 1003)


def test_half_a_character_in_a_sentence_can_be_sent():
    assert error(post(content=b'{"\\ud800": 1, "instances": [1]}'))[0] == 400


def test_a_large_body_is_refused():
    sentence = "Expected a body of at most 1,000 bytes. It is larger."
    assert error(post({"instances": [1] * 600})) == (413, sentence)


def test_a_defect_is_no_traceback():
    def score(inputs):
        raise KeyError("a defect")

    async def run():
        transport = httpx.ASGITransport(app_of(toy(score=score)), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            return await client.post(PREDICT, json={"instances": [1]})

    assert error(finished(run())) == (500, "The server failed; its log says more.")


def test_a_client_that_goes_away_is_no_defect():
    answers = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        answers.append(message)

    scope = {"type": "http", "method": "POST", "path": PREDICT, "headers": []}
    finished(app_of(toy())(scope, receive, send))
    assert answers[0]["status"] == 400


def test_an_upload_is_an_instance_too():
    engine = toy(prepare=lambda parts: [len(part) for part in parts])
    engine = engine.__class__(**{**vars(engine), "form": engine.form._replace(parse=list)})
    files = [("a", b"12345"), ("b", b"123")]
    answer = post(app=app_of(engine), files=files)
    assert answer.json() == {"predictions": [[5, 50], [3, 30]]}


def test_the_token_is_asked_for_where_there_is_one():
    app = app_of(toy(), token="secret")
    sent = {"instances": [1]}
    code, sentence = error(post(sent, app))
    assert code == 401
    assert sentence == (
        "Expected the header `Authorization: Bearer TOKEN` with the server's token."
    )
    assert post(sent, app, headers={"Authorization": "Bearer secret"}).is_success
    assert get("/healthz", app).json() == {"status": "ok"}
    assert error(get("/metrics", app))[0] == 401


class Stuck:
    """A score function that waits for leave."""

    def __init__(self):
        self.begun, self.leave = threading.Event(), threading.Event()

    def __call__(self, inputs):
        self.begun.set()
        assert self.leave.wait(20)
        return np.array([[x, 10 * x] for x in inputs], np.float32)


def test_over_the_bound_the_answer_is_503_and_later_all_is_well():
    stuck = Stuck()
    app = app_of(toy(score=stuck), bound=3)

    async def run():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            first = asyncio.create_task(client.post(PREDICT, json={"instances": [1, 2]}))
            await until_set(stuck.begun)
            many = await client.post(PREDICT, json={"instances": [3, 4]})
            second = asyncio.create_task(client.post(PREDICT, json={"instances": [5]}))
            while "tfpipe_queue_examples 3.0" not in (await client.get("/metrics")).text:
                await asyncio.sleep(0)
            third = await client.post(PREDICT, json={"instances": [6]})
            stuck.leave.set()
            return many, third, await first, await second, await client.get("/metrics")

    many, third, first, second, metrics = finished(run())
    for answer in (many, third):
        code, sentence = error(answer)
        assert code == 503
        assert sentence.startswith("The server is busy: ")
        assert answer.headers["retry-after"] == "1"
    assert first.json() == {"predictions": [[1, 10], [2, 20]]}
    assert second.json() == {"predictions": [[5, 50]]}
    assert "tfpipe_queue_examples 0.0" in metrics.text


def test_what_takes_too_long_is_given_up():
    stuck = Stuck()
    app = app_of(toy(score=stuck), limits=Limits(1000, 0.05))
    found = error(post({"instances": [1]}, app))
    stuck.leave.set()
    assert found == (503, "The server is busy: there was no answer within 0.05 s. Try again.")


def samples(text):
    families = text_string_to_metric_families(text)
    every = (sample for family in families for sample in family.samples)
    return {(s.name, *(v for _, v in sorted(s.labels.items()))): s.value for s in every}


def test_what_happened_is_in_the_metrics():
    app = app_of(toy(version=7))
    sent = ("POST", PREDICT, {"json": {"instances": [1, 2, 3]}})
    wrong = ("POST", PREDICT, {"json": {}})
    *_, metrics = ask(app, sent, sent, wrong, ("GET", "/no", {}), ("GET", "/metrics", {}))
    found = samples(metrics.text)
    assert found["tfpipe_requests_total", "200", "predict"] == 2
    assert found["tfpipe_requests_total", "400", "predict"] == 1
    assert found["tfpipe_requests_total", "404", "none"] == 1
    assert found["tfpipe_request_seconds_count", "predict"] == 3
    assert found["tfpipe_examples_total",] == 6
    assert found["tfpipe_batch_examples_count",] == 2
    assert found["tfpipe_batch_examples_sum",] == 6
    assert found["tfpipe_version", "toy"] == 7
    assert found["process_resident_memory_bytes",] > 1e6
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")


def test_the_page_may_load_nothing_from_elsewhere():
    answer = get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "://" not in answer.text


async def lived(app, middle):
    """What `middle` gives between an application's start and its end."""
    receiving = asyncio.Queue()

    async def send(message):
        assert message["type"].endswith(".complete")

    life = asyncio.create_task(app({"type": "lifespan"}, receiving.get, send))
    await receiving.put({"type": "lifespan.startup"})
    given = await middle()
    await receiving.put({"type": "lifespan.shutdown"})
    await life
    return given


def test_a_server_that_ends_looks_for_no_more_versions():
    service, looks = service_of(toy()), []
    service.versions.newest = lambda: looks.append(1)
    app = make_app(service, limits=Limits(), watch_s=0.001)

    async def looked():
        while not looks:
            await asyncio.sleep(0)

    async def run():
        await lived(app, looked)
        await asyncio.sleep(0)
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert finished(run()) == set()


def test_a_defect_in_the_search_for_versions_is_told_and_does_not_end_it(capsys):
    service = service_of(toy())

    def broken():
        raise KeyError("a defect")

    service.versions.newest = broken
    app = make_app(service, limits=Limits(), watch_s=0.001)

    async def told():
        said = ""
        while not said:
            await asyncio.sleep(0)
            said = capsys.readouterr().err
        return said

    said = finished(lived(app, told))
    assert said == "newer versions are no longer looked for, by a defect: KeyError('a defect')\n"
