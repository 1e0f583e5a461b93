"""The job on texts: finished, continued, refused, and as good on real sentences as promised."""

import numpy as np
import pytest

from pipelines import sentiment
from pipelines.drawn import texts
from tfpipe import export, ops, pipeline, records, tokens

TINY = ["--epochs", "4", "--units", "8", "--length", "24"]
TINY += ["--batch-size", "16", "--learning-rate", "0.02"]
LINES = {"pos.txt": "a fine film number {}\n", "neg.txt": "a dull film number {}\n"}


def run_here(*arguments):
    parts = sentiment.load_source, sentiment.make, sentiment.Flags
    return pipeline.run(*parts, doc=sentiment.__doc__, arguments=arguments)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def reviews(seed, number):
    return [texts.review(f"{seed}/{index}", str(index)) for index in range(number)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory, one_format):
    """The folder of a tiny run on a few of the drawn texts, in a table."""
    folder = tmp_path_factory.mktemp("sentiment")
    rows = [f'"{row["text"]}",{row["label"]}\n' for row in reviews(0, 300)]
    (folder / "t.csv").write_text("text,label\n" + "".join(rows))
    assert run_here(*flags_of(folder)) == 0
    return folder / "out"


def flags_of(folder):
    return ["--data", str(folder / "t.csv"), "--out", str(folder / "out"), *TINY]


def test_it_ends_in_a_bundle_of_files_that_belong_together(finished):
    assert names(finished) == ["bundle", "model.history.json", "model.keras", "records", "run.json"]
    bundle = export.load_bundle(finished / "bundle")
    chain = ops.Chain.from_json(bundle.path / "chain.json")
    manifest = records.load(finished / "records")
    assert chain.ops[0].vocabulary == manifest.vocabulary
    assert "clumsy" in manifest.vocabulary
    assert chain.ops[1] == ops.Window(24, stride=12)
    assert bundle.report.reference["require"] == {"score_lost": 0.01}
    page = (bundle.path / "report.html").read_text(encoding="utf-8")
    assert "<h2>Training</h2>" in page


def test_the_file_takes_strings_and_answers_as_the_model(finished):
    bundle = export.load_bundle(finished / "bundle")
    chain = ops.Chain.from_json(bundle.path / "chain.json")
    strings = [row["text"] for row in reviews(1, 20)]
    assert max(len(tokens.words(text)) for text in strings) > 24
    expected = export.on_texts(export.load(finished / "model.keras"), chain).predict(strings)
    (name,) = bundle.models
    scores = export.load_texts(bundle.path / name, chain).predict(strings)
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_a_finished_run_is_told(finished, capsys):
    assert run_here(*flags_of(finished.parent)) == 0
    assert f"{finished} holds this run, finished; --overwrite runs it again." in (
        capsys.readouterr().out
    )


def test_it_says_that_drawn_texts_are_drawn(capsys):
    sentiment.load_source(sentiment.Flags())
    assert capsys.readouterr().out == (
        "The texts are drawn, and easy: the scores say nothing of real ones.\n"
    )


def test_two_files_or_a_table(tmp_path):
    for name, line in LINES.items():
        (tmp_path / name).write_text("".join(line.format(number) for number in range(20)))
    source = sentiment.load_source(sentiment.Flags(data=str(tmp_path)))
    assert source.class_names == ("negative", "positive")
    assert len(list(source)) == 40
    table = tmp_path / "t.csv"
    rows = [f"caf\xe9 {number},{'good' if number % 2 else 'bad'}\n" for number in range(40)]
    table.write_bytes(("text,label\n" + "".join(rows)).encode())
    assert sentiment.load_source(sentiment.Flags(data=str(table))).class_names == ("bad", "good")
    table.write_bytes(("review;mood\n" + "".join(rows).replace(",", ";")).encode("cp1252"))
    named = sentiment.Flags(data=str(table), text="review", label="mood", encoding="cp1252")
    assert "caf\xe9 0" in [example["text"] for example in sentiment.load_source(named)]


def test_a_third_file_is_of_what_is_neutral(tmp_path):
    for name, line in {**LINES, "neutral.txt": "a film number {}\n"}.items():
        (tmp_path / name).write_text("".join(line.format(number) for number in range(20)))
    source = sentiment.load_source(sentiment.Flags(data=str(tmp_path)))
    assert source.class_names == ("negative", "neutral", "positive")
    assert len(list(source)) == 60


def test_a_table_may_have_its_splits(tmp_path):
    table = tmp_path / "t.csv"
    rows = [f"{n},{n % 2},{'test' if n < 20 else 'train'}\n" for n in range(200)]
    table.write_text("text,label,fold\n" + "".join(rows))
    flags = sentiment.Flags(data=str(table), split="fold")
    side = {int(example["text"]): example["split"] for example in sentiment.load_source(flags)}
    assert {n for n, part in side.items() if part == "test"} == set(range(20))
    assert set(side.values()) == {"train", "val", "test"}


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("missing", "Expected one file that '{data}/*neg*' fits. Found: none"),
        ("empty", "Expected one file that '{data}/*neg*' fits. Found: none"),
        ("twice", "Expected one file that '{data}/*pos*' fits. Found: 'a.pos', 'b.pos'"),
    ],
)
def test_data_without_two_files_are_refused_and_leave_no_trace(tmp_path, capsys, kind, sentence):
    data = tmp_path / "data"
    if kind != "missing":
        data.mkdir()
    if kind == "twice":
        for name in ("a.pos", "b.pos", "a.neg"):
            (data / name).write_text("a\n")
    assert run_here("--data", str(data), "--out", str(tmp_path / "out")) == 2
    assert capsys.readouterr() == ("", sentence.format(data=data) + "\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_real_sentences_reach_their_bars(tmp_path, shared_data):
    # One test split of 1,066 sentences has a standard error of 0.013: three are less of a lottery.
    data, scores = shared_data("rt_polarity"), []
    for seed in range(3):
        out = tmp_path / str(seed)
        assert run_here("--data", str(data), "--out", str(out), "--seed", str(seed)) == 0
        report = export.load_bundle(out / "bundle").report
        assert report.reference["num_examples"] == 1066
        scores.append(report.reference["score"])
        lost = {row.path: row.score_lost <= 0.01 for row in report.files}
        assert lost == {"float32.tflite": True, "int8.tflite": True, "model.onnx": True}
        assert (out / "bundle" / "int8.tflite").stat().st_size < 1e6
    assert np.mean(scores) >= 0.76
