"""What a file costs: its bytes, zipped by another hand; the time and threads that it ran in."""

import dataclasses
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from tfpipe import export
from tfpipe.errors import DataError
from tfpipe.export.reading.alone import Alone
from tfpipe.export.scoring.costs import costs

NOISE = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 1), np.uint8)


def test_of_a_file(files, tmp_path):
    found = costs(files["int8"], export.load(files["int8"]), NOISE, threads=2)
    data = files["int8"].read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("int8.tflite", data, compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)
    assert found["bytes"] == len(data)
    assert found["zipped_bytes"] == (tmp_path / "a.zip").stat().st_size < len(data)
    assert found["threads"] == 2
    assert 0 < found["latency_ms"] <= found["latency_p95_ms"] < 1000
    assert found["peak_memory_bytes"] > len(data)


def test_the_median_and_what_95_of_100_keep(files, monkeypatch):
    seconds = tuple(np.arange(101) / 1000)  # 0 to 100 ms
    monkeypatch.setattr(
        "tfpipe.export.scoring.costs.run_alone", lambda *_, threads: Alone(seconds, 7)
    )
    found = costs(files["int8"], export.load(files["int8"]), NOISE, threads=1)
    assert found["latency_ms"] == pytest.approx(50)
    assert found["latency_p95_ms"] == pytest.approx(95)
    assert found["peak_memory_bytes"] == 7


@pytest.mark.slow
def test_of_a_folder(trained, tmp_path):
    folder = export.to_saved_model(trained, tmp_path / "a")
    floats = NOISE.astype(np.float32)
    found = costs(folder, export.load(folder), floats[:3], threads=1)
    inside = sorted(file for file in folder.rglob("*") if file.is_file())
    assert len(inside) >= 3
    assert found["bytes"] == sum(len(file.read_bytes()) for file in inside)
    command = [sys.executable, "-m", "zipfile", "-c", str(tmp_path / "a.zip"), str(folder)]
    subprocess.run(command, check=True)
    # That command packs less tightly, and stores the folders' names.
    assert found["zipped_bytes"] == pytest.approx((tmp_path / "a.zip").stat().st_size, rel=0.05)


def test_of_a_keras_file_here_as_its_classes_may_be_known_here_only(trained, tmp_path):
    trained.save(tmp_path / "a.keras")
    predictor = export.load(tmp_path / "a.keras")
    seen = []

    def run(inputs):
        seen.append(len(inputs))
        return predictor.run(inputs)

    watched = dataclasses.replace(predictor, run=run)
    found = costs(tmp_path / "a.keras", watched, NOISE.astype(np.float32), threads=7)
    assert seen == [1] * 21
    assert found["peak_memory_bytes"] is None
    assert found["threads"] >= 1
    assert found["threads"] != 7


def test_integers_reach_the_runtime_as_it_takes_them(files):
    predictor = dataclasses.replace(export.load(files["int8"]), encode=lambda x: x.astype("int64"))
    with pytest.raises(DataError, match="LiteRT cannot run it"):
        costs(files["int8"], predictor, NOISE, threads=1)
