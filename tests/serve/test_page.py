"""The page in a real browser: an image is dropped, and its answer is there to be read."""

import base64
import json

import pytest

from tests.pictures import encoded
from tests.serve import browser
from tfpipe.serve.page import page

DROP = """
(async () => {
  const bytes = Uint8Array.from(atob(%s), (letter) => letter.charCodeAt(0));
  const moved = new DataTransfer();
  moved.items.add(new File([bytes], "picture", {type: "image/png"}));
  const event = (kind) => new DragEvent(
    kind, {dataTransfer: moved, bubbles: true, cancelable: true});
  const said = document.getElementById("said");
  const answered = new Promise((done) => {
    new MutationObserver(() => said.textContent !== "..." && done())
      .observe(said, {childList: true});
  });
  const zone = document.getElementById("drop");
  zone.dispatchEvent(event("dragover"));
  const over = zone.className;
  const dropped = !zone.dispatchEvent(event("drop"));
  await answered;
  return {
    over, dropped, said: said.textContent, wrong: said.className,
    names: [...document.querySelectorAll("#scores th")].map((cell) => cell.textContent),
    shares: [...document.querySelectorAll("#scores td:last-child")].map((c) => c.textContent),
    picture: document.querySelector("#drop img").naturalWidth,
  };
})()
"""


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """The protocol of a page; skipped where there is no Chromium."""
    if browser.executable() is None:
        pytest.skip("there is no Chromium here")
    with browser.page(tmp_path_factory.mktemp("chromium")) as call:
        yield call


@pytest.fixture
def look(call):
    """Evaluates JavaScript on a page that has loaded."""

    def evaluate(expression):
        options = {"awaitPromise": True, "returnByValue": True}
        found = call("Runtime.evaluate", expression=expression, **options)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    return evaluate


def drop(call, look, server, data):
    call("Page.navigate", url=f"{server.root}/")
    look("new Promise((done) => document.readyState === 'complete' ? done() : (onload = done))")
    return look(DROP % json.dumps(base64.b64encode(data).decode()))


def test_a_dropped_image_is_answered(call, look, server, engine, digits):
    data = encoded(digits[0][7, ..., 0])
    seen = drop(call, look, server, data)
    (scores,) = engine.score(engine.parse([data])).scores
    best = sorted(zip(scores.tolist(), engine.class_names, strict=True), key=lambda s: -s[0])
    assert seen["said"] == engine.class_names[scores.argmax()]
    assert seen["names"][0] == seen["said"]
    assert seen["shares"] == [f"{score:.4f}" for score, _ in best]
    assert (seen["over"], seen["dropped"], seen["wrong"]) == ("over", True, "")
    assert seen["picture"] == 32


def test_what_is_no_image_is_told_on_the_page(call, look, server):
    seen = drop(call, look, server, b"hello")
    assert seen["said"] == "The image cannot be used: not an image; it begins with b'hello'."
    assert (seen["wrong"], seen["names"]) == ("wrong", [])


@pytest.fixture
def shown(call, look, server):
    """What the page says of scores, and the names that it lists."""
    call("Page.navigate", url=f"{server.root}/")
    look("new Promise((done) => document.readyState === 'complete' ? done() : (onload = done))")

    def see(*arguments):
        given = ", ".join(map(json.dumps, arguments))
        return look(
            f"""(show({given}), {{
              said: document.getElementById("said").textContent,
              names: [...document.querySelectorAll("#scores th")].map((cell) => cell.textContent),
              raw: document.getElementById("raw").textContent.length,
            }})"""
        )

    return see


def test_of_several_labels_those_are_named_that_reach_their_thresholds(shown):
    names = [f"label {n}" for n in range(12)]
    scores = [0.02, 0.4, 0.6, *[0.01] * 9]
    given = {"label 0": 0.015, "label 1": 0.41, "label 2": None}
    seen = shown(scores, names, given)
    assert seen["said"] == "label 2, label 0"  # None is the middle
    assert seen["names"][:3] == ["label 2", "label 1", "label 0"]
    assert len(seen["names"]) == 12
    assert shown([0.02] * 12, names, dict.fromkeys(names, 0.3))["said"] == "None of them"


def test_of_classes_the_first_is_named_and_ten_are_listed(shown):
    seen = shown([0.02, 0.9, *[0.008] * 10], list("abcdefghijkl"), None)
    assert seen["said"] == "b"
    assert len(seen["names"]) == 10


def test_of_a_long_answer_it_is_said_that_it_is_cut(shown):
    seen = shown([[0.25] * 8000], [], None)
    assert seen["said"] == "The model's answer, its first 20000 of 40003 characters:"
    assert seen["raw"] == 20000
    assert shown([[0.25]], [], None)["said"] == "The model's answer:"


def test_an_answer_that_comes_late_does_not_take_the_place_of_a_later_one(call, look, server):
    call("Page.navigate", url=f"{server.root}/")
    look("new Promise((done) => document.readyState === 'complete' ? done() : (onload = done))")
    said = look(
        """(async () => {
          const waiting = [];
          ask = (path) => path === "/metadata"
            ? Promise.resolve({metadata: {tfpipe: {class_names: ["a", "b"], thresholds: null}}})
            : new Promise((done) => waiting.push(done));
          const both = [predict({}), predict({})];
          waiting[1]({predictions: [[0.1, 0.9]]});
          await both[1];
          waiting[0]({predictions: [[0.9, 0.1]]});
          await both[0];
          return document.getElementById("said").textContent;
        })()"""
    )
    assert said == "b"


def test_nothing_on_the_page_is_refused_by_its_policy(call, look, server):
    call("Page.navigate", url=f"{server.root}/")
    look("new Promise((done) => document.readyState === 'complete' ? done() : (onload = done))")
    assert look("getComputedStyle(document.getElementById('drop')).display") == "grid"
    assert look("document.getElementById('write').hidden") is True
    refused = "fetch('data:text/plain,a').then(() => 'loaded', () => 'refused')"
    assert look(refused) == "refused"


def test_a_name_is_text_and_nothing_else():
    html = page('"><b>', "texts", asks_token=True)
    assert "<b>" not in html
    assert "&quot;token&quot;: true" in html
