"""`records.sources`: named examples that load when their turn comes."""

import pytest

from tfpipe.errors import RequestError
from tfpipe.records.sources.base import (
    Entry,
    Feature,
    Refused,
    as_image,
    disk_order,
    from_entries,
    has_classes,
)

ENTRIES = [Entry(str(n), "train" if n % 2 else "val", n) for n in range(20)]


def source_of(entries, load, **arguments):
    given = {"features": {"label": Feature("label")}, "class_names": ["a"], "rule": {}, "seed": 0}
    return from_entries("x", entries, load, **{**given, **arguments})


def test_examples_load_when_their_turn_comes():
    loaded = []

    def load(data):
        loaded.append(data)
        return {"label": data}

    source = source_of(ENTRIES, load)
    assert loaded == []
    first = next(iter(source))
    assert loaded == [first["label"]]
    assert first == {"id": str(loaded[0]), "split": ENTRIES[loaded[0]].split, "label": loaded[0]}
    assert sorted(e["label"] for e in source) == list(range(20))


def test_a_refusal_stands_for_the_example_and_other_errors_pass():
    def load(data):
        if data == 3:
            raise Refused("too dark")
        return {"label": data}

    refused = [e for e in source_of(ENTRIES, load) if "refused" in e]
    assert refused == [{"id": "3", "split": "train", "refused": "too dark"}]

    def fail(data):
        raise KeyError(data)

    with pytest.raises(KeyError):
        list(source_of(ENTRIES, fail))


def test_the_order_on_disk_is_drawn_and_depends_on_names_alone():
    def order(entries, seed=0):
        return [e["id"] for e in source_of(entries, lambda data: {"label": data}, seed=seed)]

    assert order(ENTRIES) == order(ENTRIES[::-1]) != order(ENTRIES, seed=1)
    fewer = [entry for entry in ENTRIES if entry.data != 7]
    assert order(fewer) == [key for key in order(ENTRIES) if key != "7"]
    assert sorted(disk_order(map(str, range(9)), 0)) == list(range(9))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("label", True), ("labels", True), ("classes", True), ("mask", False), ("text", False)],
)
def test_which_sources_have_classes(kind, expected):
    source = source_of(ENTRIES, lambda data: {}, features={"it": Feature(kind)})
    assert has_classes(source) is expected


def test_images_are_grey_or_in_colours():
    assert as_image(1).shape == (None, None, 1)
    with pytest.raises(RequestError) as caught:
        as_image(4)
    assert str(caught.value) == (
        "Expected `channels` to be 1 (grey) or 3 (colours). Received: channels=4"
    )
