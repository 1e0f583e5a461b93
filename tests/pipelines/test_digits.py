"""The job as a person runs it: killed and continued, refused, finished, and as good as promised."""

import dataclasses
import gzip
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys

import keras
import numpy as np
import pytest

from pipelines import digits
from tfpipe import export, pipeline

ROOT = pathlib.Path(__file__).parents[2]
MNIST = ROOT.parent / "shared" / "data" / "mnist"
TINY = ["--epochs", "2"]

FILES = [
    "bundle",
    "dense.history.json",
    "dense.keras",
    "model.history.json",
    "model.keras",
    "records",
    "run.json",
]
IDX = {
    "train-images-idx3-ubyte.gz": 60,
    "train-labels-idx1-ubyte.gz": 60,
    "t10k-images-idx3-ubyte.gz": 20,
    "t10k-labels-idx1-ubyte.gz": 20,
}


def start(*arguments):
    """The job in a process of its own, as from a shell: nothing silences TensorFlow before it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.digits", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_here(*arguments):
    parts = digits.load_source, digits.make, digits.Flags
    return pipeline.run(*parts, doc=digits.__doc__, arguments=arguments)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a tiny run, killed while it trained and continued; what the second one said."""
    out = tmp_path_factory.mktemp("digits") / "out"
    with start("--out", str(out), *TINY) as first:
        while not first.stderr.readline().startswith("epoch 1/2: "):
            assert first.poll() is None
        os.kill(first.pid, signal.SIGKILL)
        first.communicate()
    assert first.returncode == -signal.SIGKILL
    assert "records" in names(out)
    assert "bundle" not in names(out)
    with start("--out", str(out), *TINY) as second:
        stdout, stderr = second.communicate(timeout=300)
    assert second.returncode == 0, stderr
    return out, stdout, stderr


def idx_folder(folder):
    for name, count in IDX.items():
        if "images" in name:
            data = struct.pack(">4I", 0x803, count, 28, 28) + bytes(count * 28 * 28)
        else:
            data = struct.pack(">2I", 0x801, count) + bytes(number % 10 for number in range(count))
        (folder / name).write_bytes(gzip.compress(data))
    return folder


def before_pruning(report):
    """The dense model's accuracy, which the job gives the bundle as a note."""
    return float(report["reference"]["notes"]["Before pruning"].split(",")[0].split()[-1])


def damage(name, change):
    def damaged(folder):
        path = folder / name
        path.write_bytes(change(path.read_bytes()))

    return damaged


def unzipped(change):
    return lambda data: gzip.compress(change(gzip.decompress(data)))


IMAGES, LABELS = list(IDX)[:2]
DAMAGES = {
    "a missing file": (lambda folder: (folder / LABELS).unlink(), "train-labels-idx1-ubyte"),
    "a truncated file": (damage(IMAGES, lambda data: data[:-20]), IMAGES),
    "no gzip": (damage(LABELS, lambda data: b"hello" * 9), LABELS),
    "a damaged gzip": (damage(IMAGES, lambda data: data[:15] + b"\xff" * 9 + data[24:]), IMAGES),
    "another magic number": (
        damage(IMAGES, unzipped(lambda data: b"\0\0\x08\x01" + data[4:])),
        IMAGES,
    ),
    "fewer bytes than the sizes say": (damage(IMAGES, unzipped(lambda data: data[:-1])), IMAGES),
    "more bytes than the sizes say": (damage(LABELS, unzipped(lambda data: data + b"\0")), LABELS),
    "nothing at all": (damage(LABELS, unzipped(lambda data: b"")), LABELS),
    "other counts of images and labels": (
        damage(LABELS, unzipped(lambda data: struct.pack(">2I", 0x801, 59) + data[9:])),
        LABELS,
    ),
}


def test_everything_lands_in_the_folder_and_nothing_else(finished):
    assert names(finished[0]) == FILES
    assert (finished[0] / "bundle" / "labels.txt").read_text() == "".join(
        f"{n}\n" for n in range(10)
    )


def test_the_report_has_its_shape_and_the_files_their_numbers(finished):
    out = finished[0]
    report = json.loads((out / "bundle" / "report.json").read_bytes())
    assert sorted(report) == ["files", "reference"]
    assert [(file["path"], file["mode"]) for file in report["files"]] == [
        ("float32.tflite", "float32"),
        ("int8.tflite", "int8"),
    ]
    for file in report["files"]:
        assert list(file) == [field.name for field in dataclasses.fields(export.FileReport)]
        assert file["bytes"] == (out / "bundle" / file["path"]).stat().st_size
    exact = report["files"][0]
    assert exact["agreement"] == 1.0
    assert exact["max_abs_diff"] <= 1e-5
    assert exact["sparsity"] == pytest.approx(0.8, abs=1e-3)
    assert report["reference"]["score"] > 0.5
    assert before_pruning(report) > 0.5


def test_the_score_is_that_of_the_saved_model(finished):
    """Computed again from what lies in the folder, without tfpipe's reader and predictor."""
    import cv2
    import tensorflow as tf

    model = keras.models.load_model(finished[0] / "model.keras")
    spec = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }
    images, labels = [], []
    for record in tf.data.TFRecordDataset(sorted(finished[0].glob("records/*-test.tfrecord*"))):
        example = tf.io.parse_single_example(record, spec)
        small = cv2.imdecode(np.frombuffer(example["image"].numpy(), np.uint8), 0)
        images.append(tf.image.resize(small[..., None], (32, 32), antialias=True).numpy().round())
        labels.append(int(example["label"]))
    answers = model.predict(np.stack(images) / np.float32(255), verbose=0).argmax(-1)
    head = json.loads((finished[0] / "bundle" / "report.json").read_bytes())["reference"]
    assert head["num_examples"] == len(labels)
    assert head["score"] == pytest.approx(np.mean(answers == labels))


def test_the_page_is_self_contained(finished):
    text = (finished[0] / "bundle" / "report.html").read_text(encoding="utf-8")
    for heading in ("Files", "Training", "Confusion matrix", "Wrong answers"):
        assert f">{heading}<" in text
    assert all(re.findall(r'(?:src|href)="(data:|#)?', text))
    assert "<script" not in text


def test_it_ends_with_the_table_on_stdout(finished):
    out, stdout, _ = finished
    head, _, *rows, summary, threads, folder, before, last = stdout.splitlines()
    assert head.split()[:3] == ["file", "bytes", "zipped"]
    assert [row.split()[0] for row in rows] == ["float32.tflite", "int8.tflite"]
    assert summary.startswith("The reference is the Keras model 'lenet5': accuracy 0.")
    assert threads == "Timed in 1 thread: float32.tflite, int8.tflite."
    assert folder.endswith(f" kB, in {out}/bundle")
    assert re.fullmatch(r"Before pruning: accuracy 0\.\d{4}, [\d,]+ bytes zipped", before)
    assert re.fullmatch(
        rf"\d+ s on \d+ cores?, since it was continued\. Pictures: {out}/bundle/report\.html", last
    )


def test_stderr_holds_plain_lines_of_the_job_alone(finished):
    lines = finished[2].splitlines()
    assert "training on the CPU, as there is no GPU, in float32" in lines
    assert sum(bool(re.match(r"epoch \d/2: ", line)) for line in lines) == 2
    noise = r"[IWEF]\d{4} |WARNING|INFO|Traceback|.*(Warning|\x1b|\r|oneDNN|cuda|XNNPACK)"
    assert [line for line in lines if re.match(noise, line)] == []


def test_a_finished_run_is_told_and_not_repeated(finished, capfd):
    before = {path.name: path.stat().st_mtime_ns for path in finished[0].iterdir()}
    assert run_here("--out", str(finished[0]), *TINY) == 0
    stdout, stderr = capfd.readouterr()
    lines = stdout.splitlines()
    assert lines[0] == f"{finished[0]} holds this run, finished; --overwrite runs it again."
    assert lines[1:-1] == finished[1].splitlines()[:-1]  # the same table
    assert lines[-1] == f"Pictures: {finished[0]}/bundle/report.html"
    assert stderr == ""
    assert {path.name: path.stat().st_mtime_ns for path in finished[0].iterdir()} == before


def test_a_run_of_other_flags_is_refused(finished, capfd):
    assert run_here("--out", str(finished[0]), "--epochs", "3", "--seed", "1") == 2
    assert capfd.readouterr() == (
        "",
        f"'{finished[0]}' holds a run with other settings: epochs=2 and not 3, seed=0 and not "
        "1. Choose another folder, or --overwrite to begin anew.\n",
    )
    assert names(finished[0]) == FILES


@pytest.mark.parametrize("problem", DAMAGES)
def test_bad_input_is_one_sentence_and_leaves_no_trace(tmp_path, capfd, problem):
    spoil, named = DAMAGES[problem]
    (tmp_path / "idx").mkdir()
    spoil(idx_folder(tmp_path / "idx"))
    out = tmp_path / "out"
    code = run_here("--source", "idx", "--data", str(tmp_path / "idx"), "--out", str(out))
    stdout, stderr = capfd.readouterr()
    assert (code, stdout) == (2, "")
    assert named in stderr
    assert str(tmp_path / "idx") in stderr
    assert stderr.count("\n") == 1
    assert names(tmp_path) == ["idx"]


@pytest.mark.parametrize("kind", ["missing", "empty", "a file"])
def test_a_folder_that_is_none_leaves_no_trace(tmp_path, capfd, kind):
    data = tmp_path / "idx"
    if kind == "empty":
        data.mkdir()
    elif kind == "a file":
        data.write_text("")
    before = names(tmp_path)
    assert run_here("--source", "idx", "--data", str(data), "--out", str(tmp_path / "out")) == 2
    stdout, stderr = capfd.readouterr()
    assert str(data) in stderr
    assert (stdout, stderr.count("\n")) == ("", 1)
    assert names(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--source", "idx"], "Expected `--source idx` and `--data DIR` together, or neither."),
        (["--data", "x"], "Expected `--source idx` and `--data DIR` together, or neither."),
        (
            ["--source", "minst"],
            "Expected `--source` to be one of 'digits', 'mnist', 'idx'. "
            "Received: --source='minst'. Did you mean 'mnist'?",
        ),
        (["--epochs", "-1"], "Expected `--epochs` to be at least 0. Received: --epochs=-1"),
        (["--sparsity", "1"], "Expected `--sparsity` to be at most 0.99. Received: --sparsity=1.0"),
    ],
)
def test_wrong_flags_are_refused(tmp_path, capfd, arguments, sentence):
    assert run_here("--out", str(tmp_path / "out"), *arguments) == 2
    assert capfd.readouterr() == ("", f"{sentence}\n")
    assert names(tmp_path) == []


def test_in_a_real_process_bad_input_is_one_line_too(tmp_path):
    with start("--source", "idx", "--out", str(tmp_path / "out")) as process:
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (2, "")
    assert stderr == "Expected `--source idx` and `--data DIR` together, or neither.\n"
    assert names(tmp_path) == []


def full_run(out, *arguments, timeout):
    with start("--out", str(out), *arguments) as process:
        _, stderr = process.communicate(timeout=timeout)
    assert process.returncode == 0, stderr
    report = json.loads((out / "bundle" / "report.json").read_bytes())
    exact, integers = report["files"]
    assert exact["agreement"] == 1.0
    assert exact["max_abs_diff"] <= 1e-5
    assert exact["sparsity"] == pytest.approx(0.8, abs=1e-3)
    assert integers["bytes"] <= 0.30 * exact["bytes"]
    return report["reference"]["num_examples"], before_pruning(report), exact, integers


@pytest.mark.slow
def test_the_default_job_reaches_its_bars(tmp_path):
    _, before, exact, integers = full_run(tmp_path / "out", timeout=300)
    assert exact["score"] >= 0.975
    assert abs(exact["score"] - integers["score"]) <= 0.005
    assert exact["score"] >= before - 0.01


@pytest.mark.slow
@pytest.mark.skipif(not MNIST.is_dir(), reason="the MNIST files are not beside the repository")
def test_mnist_reaches_its_bars(tmp_path):
    num_examples, before, exact, integers = full_run(
        tmp_path / "out", "--source", "idx", "--data", str(MNIST), timeout=1800
    )
    assert num_examples == 10_000
    assert before >= 0.9905
    assert exact["score"] >= before - 0.002
    assert abs(exact["score"] - integers["score"]) <= 0.001
