"""`records.ids`: the ids stand where the examples are read."""

import pytest

from tfpipe import records
from tfpipe.errors import RequestError


def test_the_ids_are_in_the_order_of_reading(sound):
    manifest = records.load(sound)
    found = records.ids(manifest, "train")
    texts = records.read(manifest, "train", batch_size=7)
    read = [text.decode() for batch, _ in texts.as_numpy_iterator() for text in batch]
    assert [f"number {name}" for name in found] == read
    assert sorted(found) == [f"{n:03d}" for n in range(40) if n % 4]


def test_names_that_are_no_text_come_back(tmp_path):
    name = b"caf\xe9".decode(errors="surrogateescape")
    source = records.examples(
        [{"id": name, "split": "train", "text": "a"}], {"text": records.Feature("text")}
    )
    assert records.ids(records.write(source, tmp_path / "r"), "train") == [name]


def test_there_must_be_such_a_split(sound):
    with pytest.raises(RequestError, match="Expected `split` to be one of"):
        records.ids(records.load(sound), "valid")
