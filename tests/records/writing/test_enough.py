"""How much may be refused: a share, and never all of a class or of a split."""

from tests.records.writing.small import (
    contents,
    names,
    picture,
    pictures,
    refusal,
    source_of,
    texts,
)
from tfpipe.records import write
from tfpipe.records.sources.base import Source


def test_as_many_as_max_refused_may_be_refused(tmp_path):
    source = source_of(pictures(tmp_path / "pictures"))  # 2 of 60
    assert write(source, tmp_path / "r", max_refused=2 / 60).num_refused == 2


def test_more_than_max_refused_are_an_error_and_the_next_call_may_allow_them(tmp_path):
    source = source_of(pictures(tmp_path / "pictures"))
    write(source, tmp_path / "allowed", shard_bytes=2000)
    listing = tmp_path / "r.refused.csv"
    sentence = refusal(source, tmp_path / "r", max_refused=0.033, shard_bytes=2000)
    assert sentence == (
        f"2 of 60 examples were refused, more than max_refused=0.033; {str(listing)!r} lists "
        "them. The first: 007.png: not an image; it begins with b'no image'"
    )
    assert listing.read_bytes() == (tmp_path / "allowed" / "refused.csv").read_bytes()
    write(source, tmp_path / "r", shard_bytes=2000)
    assert contents(tmp_path / "r") == contents(tmp_path / "allowed")
    assert names(tmp_path) == ["allowed", "pictures", "r"]


def test_mended_files_are_taken_up(tmp_path):
    folder = pictures(tmp_path / "pictures")
    refusal(source_of(folder), tmp_path / "r", max_refused=0, shard_bytes=2000)
    for number in (7, 30):
        (folder / f"{number:03d}.png").write_bytes(picture(number))
    manifest = write(source_of(folder), tmp_path / "r", max_refused=0, shard_bytes=2000)
    assert (manifest.num_refused, names(tmp_path)) == (0, ["pictures", "r"])


def test_a_setting_that_is_taken_back_after_a_stop_gives_the_same_bytes(tmp_path):
    source = source_of(pictures(tmp_path / "pictures"))
    write(source, tmp_path / "expected", shard_bytes=2000)
    for shard_bytes in (2000, 1500, 2000):  # each leaves its shards in the workshop
        refusal(source, tmp_path / "r", max_refused=0, shard_bytes=shard_bytes)
    write(source, tmp_path / "r", shard_bytes=2000)
    assert contents(tmp_path / "r") == contents(tmp_path / "expected")


def test_a_class_without_examples_is_an_error(tmp_path):
    rows = [("train", 0)] * 30 + [("train", "no annotation")]
    assert refusal(texts(*rows), tmp_path / "r") == (
        "No example is left of 'b'. 1 were refused; the first: id30: no annotation"
    )
    assert refusal(texts(*rows[:30], class_names=("a", "b", "c")), tmp_path / "s") == (
        "No example is left of 'b', 'c'. None was refused: the source has none."
    )


def test_a_split_without_examples_is_an_error(tmp_path):
    rows = [("train", 0), ("train", 1)] * 20 + [("val", "too dark")]
    assert refusal(texts(*rows), tmp_path / "r") == (
        "Every example of the split 'val' was refused. 1 were refused; the first: id40: too dark"
    )


def test_notes_are_listed_and_do_not_count(tmp_path):
    source = texts(("train", 0), ("train", 1))
    noted = Source(
        source.name,
        source.features,
        source.class_names,
        source.rule,
        lambda: ({**example, "notes": ("left out",)} for example in source),
    )
    assert write(noted, tmp_path / "r", max_refused=0).num_refused == 0
    assert (tmp_path / "r" / "refused.csv").read_text().splitlines()[1:] == [
        "id0,part,left out",
        "id1,part,left out",
    ]
