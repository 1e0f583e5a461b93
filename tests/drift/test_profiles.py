"""A profile on disk: small, whole, without examples, and refused where it is anything else."""

import json

import numpy as np
import pytest

from tfpipe import drift
from tfpipe.errors import DataError


@pytest.fixture(scope="module")
def written(profiled, tmp_path_factory):
    return profiled.to_file(tmp_path_factory.mktemp("profile") / "profile.json")


def test_what_is_read_is_what_was_written(written, profiled):
    found = drift.load_profile(written)
    assert str(found) == str(profiled)
    assert (found.columns, found.shape, found.class_names) == (
        *(profiled.columns, profiled.shape, profiled.class_names),
    )
    for name in ("rows", "layouts", "embedded", "errors", "latency_ms"):
        assert np.array_equal(getattr(found, name), getattr(profiled, name), equal_nan=True)


def test_the_same_profile_is_the_same_files(profiled, written, tmp_path):
    again = profiled.to_file(tmp_path / "profile.json")
    for one, other in ((again, written), (again.with_suffix(".npz"), written.with_suffix(".npz"))):
        assert one.read_bytes() == other.read_bytes()


def test_the_largest_has_under_a_megabyte(tmp_path):
    values = np.random.default_rng(0).normal(size=(2500, 8, 32)).astype(np.float32)
    path = drift.profile(values).to_file(tmp_path / "profile.json")
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 1_000_000
    assert drift.load_profile(path).rows.shape[1] == 64


def test_the_summary_is_for_people(written, profiled, known):
    summary = json.loads(written.read_text())["summary"]
    means = known[0].mean((1, 2, 3))
    assert summary["input/mean"]["median"] == pytest.approx(np.median(means), abs=1e-3)
    assert sum(summary["prediction/class"].values()) == pytest.approx(1, abs=1e-3)
    sure = profiled.rows[:, profiled.columns.index("prediction/confidence")]
    tenths = np.bincount(np.minimum(sure * 10, 9).astype(int), minlength=10)
    assert summary["confidence histogram"] == tenths.tolist()
    assert summary["error"] == pytest.approx(profiled.errors.mean(), abs=1e-4)
    assert summary["latency_ms"]["p99"] >= summary["latency_ms"]["median"] > 0
    assert len(summary["embedding"]["mean"]) == 32
    assert "input/height_px" not in summary  # it is not known


def test_it_prints_as_a_table(profiled):
    lines = str(profiled).splitlines()
    assert lines[0].split() == ["feature", "p5", "median", "p95"]
    assert lines[2].startswith("input/mean")
    assert any(line.startswith("prediction/class: <0> 0.") for line in lines)


def test_a_profile_without_its_sample_or_with_anothers_is_refused(plain, tmp_path):
    path = plain.to_file(tmp_path / "profile.json")
    sample = tmp_path / "profile.npz"
    sample.write_bytes(sample.read_bytes() + b"\0")
    with pytest.raises(DataError) as caught:
        drift.load_profile(path)
    assert str(caught.value) == f"{sample}: it is not the sample of profile.json"
    sample.unlink()
    with pytest.raises(DataError) as caught:
        drift.load_profile(path)
    assert str(caught.value) == f"{sample}: the sample of profile.json is not there"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not a profile (JSONDecodeError("),
        ("[]", "not a profile (TypeError("),
        (
            '{"format": "tfpipe profile 1"}',
            "expected 'tfpipe profile 2', found 'tfpipe profile 1'. Measure it anew with "
            "`drift.profile`, or write the bundle again",
        ),
        ('{"format": "tfpipe profile 2"}', "not a profile (KeyError('sha256'))"),
    ],
)
def test_another_file_is_no_profile(text, problem, tmp_path):
    (tmp_path / "profile.json").write_text(text)
    with pytest.raises(DataError) as caught:
        drift.load_profile(tmp_path / "profile.json")
    assert str(caught.value).startswith(f"{tmp_path / 'profile.json'}: {problem}")


def test_no_file_and_another_ending_are_refused(plain, tmp_path, refused):
    assert refused(drift.load_profile, tmp_path / "x.json") == (
        f"Expected a profile. There is no file {str(tmp_path / 'x.json')!r}."
    )
    assert refused(drift.load_profile, tmp_path / "profile.json") == (
        f"Expected a profile. There is no file {str(tmp_path / 'profile.json')!r}. A bundle holds "
        "one where its files were verified on 32 examples or more; of other examples, "
        "`drift.profile(...).to_file(...)` makes one."
    )
    assert refused(plain.to_file, tmp_path / "x.npz") == (
        f"Expected a path that ends in '.json'. Received: path={str(tmp_path / 'x.npz')!r}"
    )
