"""verify(): its numbers, computed a second time by hand."""

import zipfile

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tfpipe import export
from tfpipe.errors import RequestError


def batches(images, labels, batch_size=32):
    return tf.data.Dataset.from_tensor_slices((images, labels)).batch(batch_size)


def fixed(scores, name="by hand"):
    """A reference that answers what it is told to."""
    return export.Predictor(
        name, "keras", "float32", (32, 32, 1), "uint8", 0.25, lambda images: scores
    )


@pytest.fixture(scope="module")
def test_split(digits):
    return digits[0][1500:1570], digits[1][1500:1570]


@pytest.fixture(scope="module")
def by_litert(files, test_split):
    """The scores of the int8 file, without tfpipe."""
    interpreter = Interpreter(str(files["int8"]), num_threads=1)
    interpreter.allocate_tensors()
    (takes,), (gives,) = interpreter.get_input_details(), interpreter.get_output_details()
    found = []
    for image in test_split[0]:
        interpreter.set_tensor(takes["index"], image[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(gives["index"])[0])
    return np.stack(found)


def test_the_numbers_are_those_computed_by_hand(files, test_split, by_litert, tmp_path):
    images, labels = test_split
    reference = np.eye(10, dtype=np.float32)[np.roll(labels, 1)] * 3
    report = export.verify(fixed(reference), [files["int8"]], batches(images, labels))
    (row,) = report.files

    right = sum(int(a.argmax() == b) for a, b in zip(by_litert, labels, strict=True))
    reference_right = sum(int(a == b) for a, b in zip(np.roll(labels, 1), labels, strict=True))
    same = sum(int(a.argmax() == b) for a, b in zip(by_litert, np.roll(labels, 1), strict=True))
    assert row.score == pytest.approx(right / 70)
    assert row.score_lost == pytest.approx((reference_right - right) / 70)
    assert row.agreement == pytest.approx(same / 70)
    largest = max(
        abs(float(a) - float(b)) for a, b in zip(by_litert.ravel(), reference.ravel(), strict=True)
    )
    assert row.max_abs_diff == pytest.approx(largest)
    assert report.reference == {
        "path": "by hand",
        "format": "keras",
        "score_name": "accuracy",
        "score": pytest.approx(reference_right / 70),
        "sparsity": 0.25,
        "num_examples": 70,
    }

    data = files["int8"].read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("int8.tflite", data, compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)
    assert (row.path, row.format, row.mode) == ("int8.tflite", "tflite", "int8")
    assert row.bytes == len(data)
    assert row.zipped_bytes == (tmp_path / "a.zip").stat().st_size
    assert row.zipped_bytes < row.bytes
    assert row.sparsity == export.load(files["int8"]).sparsity
    assert 0 < row.latency_ms < 100


def test_real_files_against_the_real_model(files, trained, prepare, test_split):
    report = export.verify(
        export.from_keras(trained, prepare), list(files.values()), batches(*test_split)
    )
    exact, integers = report.files
    assert (exact.agreement, exact.score_lost) == (1.0, 0.0)
    assert exact.max_abs_diff <= 1e-5
    assert exact.score == report.reference["score"]
    assert integers.agreement >= 0.95
    assert 1e-5 < integers.max_abs_diff < 0.5


def test_the_batches_change_nothing(files, trained, prepare, test_split):
    reference = export.from_keras(trained, prepare)
    one, two = (
        export.verify(reference, [files["int8"]], batches(*test_split, batch_size=size)).files[0]
        for size in (7, 70)
    )
    assert (one.score, one.agreement) == (two.score, two.agreement)
    assert one.max_abs_diff == pytest.approx(two.max_abs_diff, abs=1e-6)


def test_without_files_the_reference_is_scored(trained, prepare, test_split):
    images, labels = test_split
    report = export.verify(export.from_keras(trained, prepare), [], batches(images, labels))
    answers = trained.predict(images / np.float32(255), verbose=0).argmax(-1)
    assert report.files == ()
    assert report.reference["score"] == pytest.approx(np.mean(answers == labels))


def test_no_examples_are_refused(files, trained, prepare, test_split):
    with pytest.raises(RequestError) as caught:
        export.verify(export.from_keras(trained, prepare), [], batches(*test_split).take(0))
    assert str(caught.value) == ("Expected `data` to hold examples to verify with. Received: none.")


def test_images_that_do_not_fit_are_refused(files, test_split):
    images, labels = test_split
    with pytest.raises(RequestError, match=r"^the Keras model"):
        export.verify(
            fixed(np.zeros((70, 10)), "the Keras model"),
            [files["int8"]],
            batches(images[:, :28], labels),
        )


def test_every_format_is_verified(files, trained, prepare, test_split, tmp_path):
    folder = export.to_saved_model(trained, tmp_path / "a", prepare=prepare)
    onnx = export.to_onnx(trained, tmp_path / "a.onnx", prepare=prepare)
    report = export.verify(
        export.from_keras(trained, prepare), [files["float32"], onnx, folder], batches(*test_split)
    )
    assert [file.format for file in report.files] == ["tflite", "onnx", "saved_model"]
    assert [file.path for file in report.files] == ["float32.tflite", "a.onnx", "a"]
    for file in report.files:
        assert (file.agreement, file.score_lost, file.sparsity) == (1.0, 0.0, 0.0)
        assert file.max_abs_diff <= 1e-5

    inside = sorted(file for file in folder.rglob("*") if file.is_file())
    assert len(inside) >= 3
    assert report.files[2].bytes == sum(len(file.read_bytes()) for file in inside)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in inside:
            archive.write(file, file.relative_to(tmp_path), zipfile.ZIP_DEFLATED, compresslevel=9)
    assert report.files[2].zipped_bytes == (tmp_path / "a.zip").stat().st_size


def test_files_of_another_size_are_verified_on_that(trained, prepare, test_split, tmp_path):
    images, labels = test_split
    options = {"prepare": prepare, "input_size": (64, 32)}
    path = export.to_tflite(trained, tmp_path / "a.tflite", **options)
    data = batches(np.repeat(images, 2, axis=1), labels)
    (file,) = export.verify(export.from_keras(trained, **options), [path], data).files
    assert file.agreement == 1.0
    assert file.max_abs_diff <= 0.02
