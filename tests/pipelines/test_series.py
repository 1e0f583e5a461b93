"""The job on series: finished, its files as good as its model, and far better than no model."""

import numpy as np
import pytest

from pipelines import series
from tfpipe import export, ops, pipeline, records

TINY = ["--epochs", "1", "--units", "4", "--num-series", "40", "--window", "20"]


def run_here(*arguments):
    parts = series.load_source, series.make, series.Flags
    return pipeline.run(*parts, doc=series.__doc__, arguments=arguments)


def told_share(bundle):
    """The share of the naive forecast's error, which the job gives the bundle as a note."""
    return float(bundle.report.reference["notes"]["Against the naive forecast"].split()[0])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a tiny run."""
    out = tmp_path_factory.mktemp("series") / "out"
    assert run_here("--out", str(out), *TINY) == 0
    return out


def test_the_share_of_the_naive_forecast_is_that_of_the_files(finished):
    bundle, manifest = export.load_bundle(finished / "bundle"), records.load(finished / "records")
    chain = ops.Chain.from_json(bundle.path / "chain.json")
    assert chain == ops.Chain([ops.Standardize(*records.moments(manifest), target=(0,))])
    batches = list(records.read(manifest, "test", chain, batch_size=64))
    inputs = np.concatenate([x for x, _ in batches])
    targets = np.concatenate([y for _, y in batches])
    naive = np.sqrt(np.mean((inputs[:, -1, 0] - targets) ** 2))
    found = export.load(bundle.path / "float32.tflite").predict(inputs)[:, 0]
    off = np.sqrt(np.mean((found - targets) ** 2))
    assert told_share(bundle) == pytest.approx(off / naive, abs=6e-4)


def test_a_finished_run_is_told_with_its_share(finished, capsys):
    assert run_here("--out", str(finished), *TINY) == 0
    drawn, holds, *_, share, _ = capsys.readouterr().out.splitlines()
    assert drawn == "The series are drawn: the scores say nothing of real ones."
    assert "holds this run, finished" in holds
    assert share.startswith("Against the naive forecast: ")
    assert share.endswith(" of the last value's root mean squared error")


def test_a_table_with_two_columns_and_several_series(tmp_path, one_format):
    random, rows = np.random.default_rng(0), []
    for group in range(30):
        for step in range(40):
            heat = np.sin(step / 3 + group)
            rows.append(f"{heat:.3f},{2 * heat + random.normal(0, 0.01):.3f},town {group}")
    (tmp_path / "t.csv").write_text("heat,load,place\n" + "\n".join(rows))
    out = tmp_path / "out"
    arguments = ["--data", str(tmp_path / "t.csv"), "--target", "load", "--columns", "heat"]
    arguments += ["--group", "place", "--horizon", "1", "--out", str(out), *TINY]
    assert run_here(*arguments) == 0
    manifest = records.load(out / "records")
    assert manifest.features["sequence"].shape == (20, 2)
    assert manifest.rule["grouped_by"] == "the column 'place'"
    assert told_share(export.load_bundle(out / "bundle")) > 0


def test_a_table_of_one_series_is_divided_in_the_order_of_time(tmp_path):
    path = tmp_path / "load.csv"
    path.write_text("day,load\n" + "".join(f"{n % 5},{n}.5\n" for n in range(999)))
    source = series.load_source(
        series.Flags(data=str(path), target="load", columns=("day",), window=5, horizon=1)
    )
    steps = {"train": [], "val": [], "test": []}
    for example in source:
        steps[example["split"]] += [*example["sequence"][:, 0], example["target"]]
    assert min(steps["train"]) == 0.5
    assert max(steps["train"]) < min(steps["val"]) == pytest.approx(700, abs=6)
    assert max(steps["val"]) < min(steps["test"]) == pytest.approx(900, abs=6)


def test_a_table_needs_a_target(tmp_path, capsys):
    assert run_here("--data", "t.csv", "--out", str(tmp_path / "out")) == 2
    assert capsys.readouterr().err == (
        "Expected `--target`, the column to forecast, with `--data`.\n"
    )


@pytest.mark.slow
def test_it_is_far_better_than_the_last_value(tmp_path):
    assert run_here("--out", str(tmp_path / "out")) == 0
    bundle = export.load_bundle(tmp_path / "out" / "bundle")
    assert told_share(bundle) <= 0.2
    assert [row.path for row in bundle.report.files] == ["float32.tflite", "int8.tflite"]
    assert all(row.agreement == 1.0 for row in bundle.report.files)
