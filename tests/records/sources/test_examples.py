"""`records.examples`: whatever can be iterated over again."""

import collections

import pytest

from tfpipe import records
from tfpipe.errors import RequestError
from tfpipe.records import Feature
from tfpipe.records.sources.splits import split_of

TEXT = {"text": Feature("text")}


def numbered(number, **more):
    return [{"id": str(n), "text": "a", **more} for n in range(number)]


def test_examples_come_in_their_order_again_and_again():
    def make():
        yield from numbered(5)

    for iterable in (numbered(5), make):
        source = records.examples(iterable, TEXT, name="mine")
        assert [e["id"] for e in source] == [e["id"] for e in source] == list("01234")
    assert (source.name, source.features, source.class_names) == ("mine", TEXT, ())


def test_only_one_example_is_looked_at_before_the_source_is_used():
    seen = []

    def make():
        for n in range(5):
            seen.append(n)
            yield {"id": str(n), "text": "a"}

    records.examples(make, TEXT)
    assert seen == [0]


def test_splits_are_drawn_by_id_or_by_group():
    source = records.examples(numbered(100), TEXT, split=(0.5, 0.5), seed=3)
    fractions = {"train": 0.5, "val": 0.5}
    assert all(e["split"] == split_of(e["id"], fractions, 3) for e in source)
    assert {e["split"] for e in records.examples(numbered(100), TEXT)} == {"train", "val", "test"}

    def ten(example):
        return int(example["id"]) // 10

    source = records.examples(numbered(100), TEXT, group=ten)
    sides = collections.defaultdict(set)
    for example in source:
        sides[ten(example)].add(example["split"])
    assert all(len(side) == 1 for side in sides.values())
    assert source.rule["grouped_by"].startswith("the function")


def test_splits_of_their_own_are_kept():
    source = records.examples(numbered(3, split="Validation"), TEXT)
    assert {e["split"] for e in source} == {"val"}
    assert source.rule == {"by": "given", "given_by": "the examples", "grouped_by": None}
    source = records.examples(numbered(2), TEXT, split=lambda key: "train" if key < "1" else "test")
    assert [e["split"] for e in source] == ["train", "test"]


def test_targets_are_written_and_read(tmp_path):
    rows = [{"id": str(n), "text": "a", "target": [n, n / 2]} for n in range(3)]
    source = records.examples(rows, {**TEXT, "target": Feature("target", (2,))}, split=(1.0,))
    manifest = records.write(source, tmp_path / "r")
    _, targets = records.read(manifest, "train", batch_size=3).get_single_element()
    assert targets.numpy().tolist() == [[0, 0], [1, 0.5], [2, 1]]


def test_refusals_notes_and_sizes_pass():
    rows = [
        {"id": "a", "refused": "too dark"},
        {"id": "b", "text": "x", "notes": ("cut",), "size_px": (2, 3)},
    ]
    found = list(records.examples(rows, TEXT, split=(1.0,)))
    assert found == [{**row, "split": "train"} for row in rows]


@pytest.mark.parametrize("once", [(e for e in numbered(3)), iter(numbered(3))])
def test_what_can_be_iterated_over_only_once_is_an_error(once):
    for iterable in (once, lambda: once):
        with pytest.raises(RequestError) as caught:
            records.examples(iterable, TEXT)
        assert str(caught.value) == (
            "Expected `iterable` to be something that can be iterated over again: a list, or a "
            "function that returns a new generator (pass the function, without calling it). "
            f"Received: iterable={type(once).__name__!r}"
        )


@pytest.mark.parametrize(
    ("example", "wrong"),
    [
        ({"id": "b"}, "missing=['text'], unknown=[]"),
        ({"id": "b", "text": "x", "label": 1}, "missing=[], unknown=['label']"),
        ({"id": "b", "text": "x", "split": "train"}, "missing=[], unknown=['split']"),
    ],
)
def test_an_example_of_another_kind_is_an_error(example, wrong):
    source = records.examples([*numbered(1), example], TEXT)
    with pytest.raises(RequestError) as caught:
        list(source)
    assert str(caught.value) == (
        f"Expected example 1 ('b') to have the keys of the first one's kind: id, text. "
        f"Received: {wrong}"
    )


def test_an_example_without_a_split_beside_one_with_is_an_error():
    source = records.examples([*numbered(1, split="train"), {"id": "b", "text": "x"}], TEXT)
    with pytest.raises(RequestError) as caught:
        list(source)
    assert str(caught.value) == (
        "Expected example 1 ('b') to have the keys of the first one's kind: id, split, text. "
        "Received: missing=['split'], unknown=[]"
    )


@pytest.mark.parametrize(("example", "shown"), [({"id": 7, "text": "x"}, "['id', 'text']"),
                                                ({"text": "x"}, "['text']"),
                                                (("a", 1), "'tuple'")])  # fmt: skip
def test_an_example_without_an_id_is_an_error(example, shown):
    with pytest.raises(RequestError) as caught:
        list(records.examples([example], TEXT))
    assert str(caught.value) == (
        f"Expected example 0 to have a string `id`. Received: example={shown}"
    )


def test_what_does_not_fit_together_is_an_error():
    with pytest.raises(RequestError) as caught:
        records.examples([], TEXT)
    assert str(caught.value) == "Expected `iterable` to hold examples. Received: none"
    for arguments in ({"split": (0.5, 0.5)}, {"group": len}):
        with pytest.raises(RequestError) as caught:
            records.examples(numbered(1, split="train"), TEXT, **arguments)
        assert str(caught.value) == (
            "Expected `split` and `group` to be None, because the examples have their own splits."
        )
    with pytest.raises(RequestError) as caught:
        records.examples(numbered(1), {"text": Feature("texts")})
    assert str(caught.value) == (
        "Expected `kind` to be one of 'text', 'image', 'mask', 'label', 'labels', 'boxes', "
        "'classes', 'sequence', 'target'. Received: kind='texts'. Did you mean 'text'?"
    )
