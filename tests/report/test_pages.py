"""The page needs no other file, and nothing that goes into it can do harm."""

import base64
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tfpipe.errors import RequestError
from tfpipe.report import curves, figure, html_table, page
from tfpipe.report.words import printable

TEXT = st.text(st.characters(codec=None), min_size=1, max_size=20)


@pytest.fixture(scope="module")
def png():
    return curves({"loss": [0.9, 0.4]})


@pytest.fixture(scope="module")
def whole(png):
    table = html_table(["file", "bytes"], [["int8.tflite", 61_234]])
    sections = [("Files", table), ("Training", figure(png, alt="loss", caption="By epoch."))]
    return page("Chest X-rays", sections * 3, subtitle="run 7")


def test_a_page_refers_to_nothing_outside_itself(parse, whole):
    tags, texts = parse(whole)
    assert {tag for tag, _ in tags}.isdisjoint({"script", "link", "iframe", "object", "base"})
    targets = [a[name] for _, a in tags for name in ("src", "href", "srcset") if name in a]
    assert targets
    assert {target.split(",")[0] for target in targets if not target.startswith("#")} == {
        "data:image/png;base64"
    }
    assert not re.search(r"url\(|@import|//", "".join(texts("style")))


def test_the_browser_is_told_to_load_nothing(parse, whole):
    tags, _ = parse(whole)
    metas = {a.get("http-equiv"): a["content"] for tag, a in tags if tag == "meta" and len(a) == 2}
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert metas["Content-Security-Policy"] == policy


def test_a_page_has_its_title_its_sections_and_what_is_in_them(parse, whole):
    _, texts = parse(whole)
    assert texts("title") == texts("h1") == ["Chest X-rays"]
    assert texts("h2") == ["Files", "Training"] * 3
    assert texts("td") == ["int8.tflite", "61,234"] * 3
    assert "run 7" in texts("p")


def test_five_sections_get_contents_that_lead_to_them(parse):
    tags, texts = parse(page("a", [(f"<{n}>", "") for n in range(5)]))
    links = [a["href"] for tag, a in tags if tag == "a"]
    assert links == [f"#{a['id']}" for tag, a in tags if tag == "section"]
    assert texts("a") == texts("h2") == [f"<{n}>" for n in range(5)]
    assert len(set(links)) == 5


def test_four_sections_get_none(parse):
    tags, _ = parse(page("a", [("b", "")] * 4))
    assert "nav" not in [tag for tag, _ in tags]


def test_a_page_suits_dark_screens_phones_and_paper(whole):
    for query in ("prefers-color-scheme: dark", "max-width: 600px", "@media print"):
        assert query in whole
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in whole


def test_a_section_holds_its_html_as_it_is():
    assert "\n<em>{as}</em> it is\n" in page("a", [("b", "<em>{as}</em> it is")])


@given(TEXT.filter(str.strip), TEXT, TEXT)
def test_any_words_come_through_whole_and_harmless(parse, title, heading, subtitle):
    tags, texts = parse(page(title, [(heading, "")] * 5, subtitle=subtitle))
    assert texts("title") == texts("h1") == [printable(title, keep="\n\t")]
    assert texts("h2") == texts("a") == [printable(heading, keep="\n\t")] * 5
    assert texts("p") == [printable(subtitle, keep="\n\t")]
    plain, _ = parse(page("a", [("a", "")] * 5, subtitle="a"))
    assert tags == plain


def test_the_picture_comes_back_bit_by_bit(parse, png):
    tags, _ = parse(figure(png, alt="loss"))
    (source,) = [attributes["src"] for tag, attributes in tags if tag == "img"]
    start, data = source.split(",")
    assert start == "data:image/png;base64"
    assert base64.b64decode(data, validate=True) == png


def test_two_pixels_of_the_picture_make_one_of_the_page(parse, png):
    ((_, image),) = [item for item in parse(figure(png, alt="loss"))[0] if item[0] == "img"]
    width, height = Image.open(io.BytesIO(png)).size
    assert (int(image["width"]), int(image["height"])) == (width // 2, height // 2)
    assert image["style"] == f"min-width: {width // 4}px"


@given(TEXT.filter(str.strip), TEXT)
def test_any_description_comes_through(parse, png, alt, caption):
    tags, texts = parse(figure(png, alt=alt, caption=caption))
    assert [a["alt"] for tag, a in tags if tag == "img"] == [printable(alt, keep="\n\t")]
    assert texts("figcaption") == [printable(caption, keep="\n\t")]


def test_no_caption_leaves_no_place_for_one(png):
    assert "figcaption" not in figure(png, alt="loss")


@pytest.mark.parametrize(
    ("title", "sections", "sentence"),
    [
        (" ", [("a", "b")], "Expected `title` to hold at least one letter. Received: title=' '"),
        ("a", [], "Expected `sections` to hold at least one section. Received: sections=[]"),
        (
            "a",
            [("b", "c"), "de"],
            "Expected `sections[1]` to be a pair of strings, (heading, html). "
            "Received: section='de'",
        ),
        (
            "a",
            [("b", b"PNG")],
            "Expected `sections[0]` to be a pair of strings, (heading, html). "
            "Received: section=('b', b'PNG')",
        ),
        (
            "a",
            [("b",)],
            "Expected `sections[0]` to be a pair of strings, (heading, html). "
            "Received: section=('b',)",
        ),
        (
            "a",
            [None],
            "Expected `sections[0]` to be a pair of strings, (heading, html). "
            "Received: section=None",
        ),
    ],
)
def test_wrong_pages(title, sections, sentence):
    with pytest.raises(RequestError) as caught:
        page(title, sections)
    assert str(caught.value) == sentence


def test_wrong_figures(png):
    with pytest.raises(RequestError) as caught:
        figure(b"\xff\xd8\xff\xe0 and the rest of a JPEG file", alt="loss")
    assert str(caught.value) == (
        "Expected `png` to be the bytes of a PNG file. "
        "Received: png=b'\\xff\\xd8\\xff\\xe0 and the res'"
    )
    with pytest.raises(RequestError, match="Expected `png` to be the bytes of a PNG file"):
        figure(png[:20], alt="loss")
    with pytest.raises(RequestError) as caught:
        figure(png, alt="")
    assert str(caught.value) == "Expected `alt` to say what the picture shows. Received: alt=''"
