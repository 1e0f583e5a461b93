"""`records.text_lines` and `records.text_csv`: texts with a label each."""

import collections
import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfpipe import records
from tfpipe.errors import DataError, RequestError
from tfpipe.records.sources.names import dataset_name

CLASSES = ("bad", "good")


def by_id(source):
    return {example["id"]: example for example in source}


def test_a_line_is_an_example_as_it_stands(tmp_path, make_files):
    make_files(
        tmp_path,
        {"n.txt": b"\xef\xbb\xbfdull . \r\n\n \nlast", "p.txt": "  a joy\u2028 !\né\n"},
    )
    source = records.text_lines({"neg": tmp_path / "n.txt", "pos": str(tmp_path / "p.txt")})
    examples = by_id(source)
    assert {k: (e["text"], e["label"]) for k, e in examples.items() if "text" in e} == {
        "n.txt:1": ("dull . ", 0),
        "n.txt:4": ("last", 0),
        "p.txt:1": ("  a joy\u2028 !", 1),
        "p.txt:2": ("é", 1),
    }
    assert {k: e["refused"] for k, e in examples.items() if "refused" in e} == {
        "n.txt:2": "the text is empty", "n.txt:3": "the text is empty",
    }  # fmt: skip
    assert source.class_names == ("neg", "pos")
    assert source.name == dataset_name(None, tmp_path)


def test_a_line_that_is_appended_moves_none(tmp_path, make_files):
    make_files(tmp_path, {"n": "a\n" * 50, "p": "b\n" * 50})
    files = {"neg": tmp_path / "n", "pos": tmp_path / "p"}
    before = {key: e["split"] for key, e in by_id(records.text_lines(files)).items()}
    make_files(tmp_path, {"n": "a\n" * 60})
    after = by_id(records.text_lines(files))
    assert {key: after[key]["split"] for key in before} == before
    assert len(after) == 110


def test_files_of_one_name_keep_as_many_folders_as_tell_them_apart(tmp_path, make_files):
    make_files(tmp_path, {"x/neg/1.txt": "a\n", "x/pos/1.txt": "b\n"})
    files = {"neg": tmp_path / "x/neg/1.txt", "pos": tmp_path / "x/pos/1.txt"}
    assert set(by_id(records.text_lines(files))) == {"neg/1.txt:1", "pos/1.txt:1"}
    with pytest.raises(RequestError) as caught:
        records.text_lines({"neg": files["neg"], "pos": files["neg"]})
    assert str(caught.value) == (
        f"Expected a file of its own for each class. Received: {str(files['neg'])!r} twice"
    )


def test_a_pattern_stands_for_the_only_file_that_it_fits(tmp_path, make_files):
    make_files(tmp_path, {"a[1]/x.neg": "dull\n", "a[1]/x.pos": "joy\n", "a[1]/y.pos": "fine\n"})
    folder = tmp_path / "a[1]"
    source = records.text_lines({"neg": folder / "*neg*", "pos": f"{folder}/y.p?s"})
    assert set(by_id(source)) == {"x.neg:1", "y.pos:1"}
    for pattern, found in (("*pos*", "'x.pos', 'y.pos'"), ("*none*", "none")):
        with pytest.raises(RequestError) as caught:
            records.text_lines({"neg": folder / "*neg*", "pos": folder / pattern})
        assert str(caught.value) == (
            f"Expected one file that '{folder / pattern}' fits. Found: {found}"
        )


def test_another_encoding_is_named_and_read(tmp_path, make_files):
    make_files(tmp_path, {"n": b"dull\ncaf\xe9\n", "p": b"joy\n"})
    files = {"neg": tmp_path / "n", "pos": tmp_path / "p"}
    with pytest.raises(DataError) as caught:
        records.text_lines(files)
    assert str(caught.value) == (
        f"{tmp_path / 'n'}: line 2, byte 4: 0xe9 is not utf-8. "
        'Pass its encoding, such as encoding="cp1252".'
    )
    assert by_id(records.text_lines(files, encoding="cp1252"))["n:2"]["text"] == "café"


@pytest.mark.parametrize("files", [{"neg": "n"}, {}, ["n", "p"]])
def test_there_are_two_classes_or_more(files):
    with pytest.raises(RequestError) as caught:
        records.text_lines(files)
    expected = "Expected `files` to map each of two or more classes to its file."
    assert str(caught.value) == f"{expected} Received: files={files!r}"


@settings(max_examples=30)
@given(st.lists(st.text(st.sampled_from('aé",\n\r \u2028'), min_size=1, max_size=8), min_size=1))
def test_a_cell_is_an_example_as_it_stands(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("texts") / "t.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([("kind", "text"), *((CLASSES[n % 2], t) for n, t in enumerate(texts))])
    names = {"text_column": "text", "label_column": "kind", "class_names": CLASSES}
    examples = list(records.text_csv(path, **names))
    found = [e.get("text", "refused") for e in sorted(examples, key=lambda e: int(e["id"][6:]))]
    assert found == [text if text.strip() else "refused" for text in texts]


def test_a_table_of_texts(tmp_path):
    path = tmp_path / "t.tsv"
    rows = [f"{CLASSES[n % 2]}\tcaf\xe9 {n}\tauthor{n // 4}\tfold\n" for n in range(80)]
    path.write_bytes(("kind\ttext\twho\tpart\n" + "".join(rows)).encode("cp1252"))
    source = records.text_csv(
        path, text_column="text", label_column="kind", encoding="cp1252", split=(0.5, 0.5),
        group="who", stratify=True,
    )  # fmt: skip
    examples = by_id(source)
    assert examples["t.tsv:3"]["text"] == "café 1"
    assert examples["t.tsv:3"]["label"] == 1
    counts = collections.Counter((e["label"], e["split"]) for e in examples.values())
    assert set(counts.values()) == {20}
    sides = {(int(key[6:]) - 2) // 4: e["split"] for key, e in examples.items()}
    assert all(sides[(int(key[6:]) - 2) // 4] == e["split"] for key, e in examples.items())
    assert source.rule["grouped_by"] == "the column 'who'"
    given_source = records.text_csv(
        path, text_column="text", label_column="kind", encoding="cp1252", split="part"
    )
    assert {e["split"] for e in given_source} == {"fold"}
    with pytest.raises(DataError) as caught:
        records.text_csv(path, text_column="text", label_column="kind")
    assert str(caught.value) == (
        f'{path}: line 2, byte 8: 0xe9 is not utf-8. Pass its encoding, such as encoding="cp1252".'
    )


def test_rt_polarity(shared_data):
    folder = shared_data("rt_polarity")
    files = {"negative": folder / "rt-polarity.neg", "positive": folder / "rt-polarity.pos"}
    source = records.text_lines(files, stratify=True)
    examples = by_id(source)
    counts = collections.Counter((e["label"], e["split"]) for e in examples.values())
    assert counts == {(label, split): number for label in (0, 1) for split, number in
                      (("train", 3732), ("val", 1066), ("test", 533))}  # fmt: skip
    for label, path in enumerate(files.values()):
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        assert len(lines) == 5331
        for number in (1, 2, 3000, 5331):
            example = examples[f"{path.name}:{number}"]
            assert (example["text"], example["label"]) == (lines[number - 1], label)
