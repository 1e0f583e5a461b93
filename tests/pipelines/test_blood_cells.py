"""The job on blood cells: finished from end to end, refused, and as good as promised."""

import collections
import json

import pytest

from pipelines import blood_cells
from pipelines.drawn import cells
from tfpipe import export, pipeline, records

BAR = 0.6  # mAP@50, real and drawn
XML = (
    "<annotation><size><width>9</width><height>9</height></size><object><name>a</name><bndbox>"
    "<xmin>2</xmin><ymin>2</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object></annotation>"
)


def run_here(*arguments):
    parts = blood_cells.load_source, blood_cells.make, blood_cells.Flags
    return pipeline.run(*parts, doc=blood_cells.__doc__, arguments=arguments)


def report_of(out):
    return json.loads((out / "bundle" / "report.json").read_bytes())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Expected a folder 'JPEGImages' (`images`) in {path!r}. Found: nothing.\n"),
        ("data.yaml", "Expected a data.yaml. There is no file {path!r}.\n"),
    ],
)
def test_data_of_another_layout_are_refused(tmp_path, capsys, name, sentence):
    (tmp_path / "data").mkdir()
    path, out = str(tmp_path / "data" / name), tmp_path / "out"
    assert run_here("--data", path, "--out", str(out)) == 2
    assert capsys.readouterr().err == sentence.format(path=path)
    assert not out.exists()


def test_val_is_drawn_where_there_are_lists_for_trainval_and_test_alone(tmp_path):
    for part in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (tmp_path / part).mkdir(parents=True)
    for n in range(60):
        (tmp_path / "JPEGImages" / f"{n}.png").write_bytes(b"...")
        (tmp_path / "Annotations" / f"{n}.xml").write_text(XML)
    lists = {"trainval": range(50), "test": range(50, 60)}
    for part, numbers in lists.items():
        (tmp_path / f"ImageSets/Main/{part}.txt").write_text("\n".join(map(str, numbers)))
    source = blood_cells.load_source(blood_cells.Flags(data=str(tmp_path)))
    counts = collections.Counter(example["split"] for example in source)
    assert counts["test"] == 10
    assert counts["train"] + counts["val"] == 50
    assert 0 < counts["val"] < 15


@pytest.mark.slow
def test_a_tiny_run_from_end_to_end(tmp_path, monkeypatch, capsys):
    """Drawn, killed after the training and run again: it goes on from there."""
    monkeypatch.setattr(cells, "NUMBERS", {"train": 100, "val": 4, "test": 8})
    out = tmp_path / "out"
    arguments = ["--epochs", "1", "--batch-size", "4", "--out", str(out)]
    with monkeypatch.context() as patch:
        patch.setattr(export, "bundle", None)  # what ends the run once it has trained
        with pytest.raises(TypeError):
            run_here(*arguments)
    trained = (out / "model.keras").stat().st_mtime_ns
    # After one epoch nothing is found, so nothing is lost.
    assert run_here(*arguments) == 0
    assert (out / "model.keras").stat().st_mtime_ns == trained
    assert "The cells are drawn: the scores say nothing of real ones." in capsys.readouterr().out
    report = report_of(out)
    assert report["reference"]["score_name"] == "mAP@50"
    assert report["reference"]["num_examples"] == 8
    assert report["reference"]["notes"]["Intended use"] == "Not for clinical use."
    assert export.load_bundle(out / "bundle").class_names == cells.CLASSES


@pytest.mark.slow
def test_drawn_cells_are_found(tmp_path):
    assert run_here("--out", str(tmp_path / "out")) == 0
    report = report_of(tmp_path / "out")
    assert report["reference"]["score_low"] > BAR
    assert all(abs(file["score_lost"]) <= 0.02 for file in report["files"])


@pytest.mark.slow
def test_real_cells_are_found(shared_data, tmp_path):
    """About an hour on four cores."""
    data = shared_data("bccd")
    assert run_here("--data", str(data), "--out", str(tmp_path / "out")) == 0
    report = report_of(tmp_path / "out")
    assert report["reference"]["num_examples"] == 72
    assert report["reference"]["score"] >= BAR
    assert all(file["score"] >= BAR for file in report["files"])
    manifest = records.load(tmp_path / "out" / "records")
    assert manifest.num_refused == 0
