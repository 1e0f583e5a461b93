"""The job on series: finished, its files as good as its model, and far better than no model."""

import json

import numpy as np
import pytest

from pipelines import series
from tfpipe import cli, export, ops, records

TINY = ["--epochs", "1", "--units", "4", "--num-series", "40", "--window", "20"]


def run_here(*arguments):
    return cli.run(series.main, series.Flags, doc=series.__doc__, arguments=arguments)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a tiny run."""
    out = tmp_path_factory.mktemp("series") / "out"
    assert run_here("--out", str(out), *TINY) == 0
    return out


def test_the_table_is_what_the_files_answer(finished):
    report = json.loads((finished / "report.json").read_bytes())
    manifest = records.load(finished / "records")
    chain = ops.Chain.from_json(finished / "chain.json")
    assert chain == ops.Chain([ops.Standardize(*records.moments(manifest), target=(0,))])
    batches = list(records.read(manifest, "test", chain, batch_size=64))
    inputs = np.concatenate([x for x, _ in batches])
    targets = np.concatenate([y for _, y in batches])
    naive = np.sqrt(np.mean((inputs[:, -1, 0] - targets) ** 2))
    for row in report["files"]:
        found = export.load(finished / row["path"]).predict(inputs)[:, 0]
        off = np.sqrt(np.mean((found - targets) ** 2))
        assert report["reference"]["of_naive"][row["path"]] == pytest.approx(off / naive, abs=1e-4)


def test_a_series_is_in_one_split_only():
    source = series.load_source(series.Flags(num_series=30))
    first = {}
    for example in source:
        place = int(example["id"])
        first.setdefault(place // 18, set()).add(example["split"])
    assert len(first) == 30
    assert all(len(splits) == 1 for splits in first.values())


def test_a_finished_run_is_told(finished, capsys):
    assert run_here("--out", str(finished), *TINY) == 0
    assert "holds this run, finished" in capsys.readouterr().out


@pytest.mark.slow
def test_it_is_far_better_than_the_last_value(tmp_path):
    assert run_here("--out", str(tmp_path / "out")) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_bytes())
    assert max(report["reference"]["of_naive"].values()) <= 0.2
    assert [row["agreement"] for row in report["files"]] == [1.0, 1.0]
