"""verify(): its numbers, computed a second time by hand."""

import dataclasses
import zipfile

import keras
import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tfpipe import export
from tfpipe.errors import RequestError


def batches(images, labels, batch_size=32):
    return tf.data.Dataset.from_tensor_slices((images, labels)).batch(batch_size)


def fixed(scores, places, name="by hand"):
    """A reference that answers what it is told to."""
    shape = (32, 32, 1)

    def run(images):  # the scores of the images, which are those of the test split in their order
        return scores[[places[image.tobytes()] for image in images]]

    return export.Predictor(name, "keras", "float32", shape, "uint8", 0.25, run)


@pytest.fixture(scope="module")
def test_split(digits):
    return digits[0][1500:1570], digits[1][1500:1570]


@pytest.fixture(scope="module")
def places(test_split):
    """Where in the split an image is, by its bytes."""
    return {image.tobytes(): place for place, image in enumerate(test_split[0])}


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


def test_the_numbers_are_those_computed_by_hand(files, test_split, places, by_litert, tmp_path):
    images, labels = test_split
    reference = np.eye(10, dtype=np.float32)[np.roll(labels, 1)] * 3
    report = export.verify(fixed(reference, places), [files["int8"]], batches(images, labels))
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
    assert row.mean_abs_diff == pytest.approx(np.mean(np.abs(by_litert - reference)))
    hits = [(s.argmax(1) == labels).astype(float) for s in (reference, by_litert)]
    made = scipy.stats.bootstrap(
        hits,
        lambda one, two, axis: one.mean(axis) - two.mean(axis),
        paired=True,
        method="percentile",
        rng=0,
    ).confidence_interval
    assert row.score_lost_low == pytest.approx(made.low, abs=0.03)
    assert row.score_lost_high == pytest.approx(made.high, abs=0.03)
    assert report.reference == {
        "path": "by hand",
        "format": "keras",
        "score_name": "accuracy",
        "score": pytest.approx(reference_right / 70),
        "score_low": pytest.approx(0.0, abs=1e-9),  # three right of 70, and a resample has none
        "score_high": pytest.approx(0.1, abs=0.03),
        "sparsity": 0.25,
        "num_examples": 70,
        "timed": "example",
    }

    data = files["int8"].read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("int8.tflite", data, compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)
    assert (row.path, row.format, row.mode) == ("int8.tflite", "tflite", "int8")
    assert row.bytes == len(data)
    assert row.zipped_bytes == (tmp_path / "a.zip").stat().st_size
    assert row.zipped_bytes < row.bytes
    assert row.sparsity == export.load(files["int8"]).sparsity
    assert 0 < row.latency_ms <= row.latency_p95_ms < 1000
    assert (row.threads, row.fault) == (1, "")
    assert row.operators["CONV_2D"] == 2
    assert row.peak_memory_bytes > row.bytes


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
    assert str(caught.value) == (
        "Expected `data` to hold at least two examples to verify with. Received: none."
    )


def test_images_that_do_not_fit_are_refused(files, trained, prepare, test_split):
    images, labels = test_split
    with pytest.raises(RequestError, match=r"^the Keras model 'lenet5' takes uint8 images"):
        export.verify(
            export.from_keras(trained, prepare),
            [files["int8"]],
            batches(images[:, :28], labels),
        )


def test_every_format_is_verified(files, trained, prepare, test_split, tmp_path):
    folder = export.to_saved_model(trained, tmp_path / "a", prepare=prepare)
    onnx = export.to_onnx(trained, tmp_path / "a.onnx", prepare=prepare)
    x = keras.Input((32, 32, 1), dtype="uint8")
    keras.Model(x, trained(prepare.as_layer()(x))).save(tmp_path / "a.keras")
    paths = [files["float32"], onnx, folder, tmp_path / "a.keras"]
    report = export.verify(export.from_keras(trained, prepare), paths, batches(*test_split))
    assert [file.format for file in report.files] == ["tflite", "onnx", "saved_model", "keras"]
    assert [file.path for file in report.files] == ["float32.tflite", "a.onnx", "a", "a.keras"]
    for file in report.files:
        assert (file.agreement, file.score_lost, file.sparsity) == (1.0, 0.0, 0.0)
        assert file.max_abs_diff <= 1e-5
        assert 0 < file.latency_ms <= file.latency_p95_ms
        assert (file.peak_memory_bytes is None) == (file.format == "keras")
    convolutions = ["CONV_2D", "Conv", "Conv2D", "Conv2D"]
    counts = [f.operators[name] for f, name in zip(report.files, convolutions, strict=True)]
    assert counts == [2] * 4
    assert report.files[2].bytes == sum(
        file.stat().st_size for file in folder.rglob("*") if file.is_file()
    )


def converted(path, function, shape, dtype=tf.float32):
    """A file of any function of one example."""
    traced = tf.function(function).get_concrete_function(tf.TensorSpec((1, *shape), dtype))
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([traced]).convert())
    return path


def flattened(scores):
    return tf.reshape(scores, (-1, 36))


RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(36, 3)).astype(np.float32) / 6
KINDS = {
    "mean AUROC": (
        lambda x: tf.sigmoid(flattened(x) @ WEIGHTS),
        RNG.integers(0, 2, (90, 3)),
        sklearn.metrics.roc_auc_score,
    ),
    "binary accuracy": (
        lambda x: tf.sigmoid(flattened(x) @ WEIGHTS[:, :1]),
        RNG.integers(0, 2, 90),
        lambda t, s: sklearn.metrics.accuracy_score(t, s[:, 0] > 0.5),
    ),
    "mean IoU": (
        lambda x: tf.concat([x, -x, x * x - 0.5], -1),
        RNG.integers(0, 3, (90, 6, 6)),
        lambda t, s: sklearn.metrics.jaccard_score(
            t.ravel(), s.argmax(-1).ravel(), average="macro"
        ),
    ),
    "R2": (
        lambda x: flattened(x) @ WEIGHTS[:, :2],
        RNG.normal(size=(90, 2)).astype(np.float32),
        sklearn.metrics.r2_score,
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_labels_masks_and_numbers_have_their_scores(name, tmp_path):
    """The score a second time by scikit-learn, on what LiteRT gives by itself."""
    function, targets, metric = KINDS[name]
    images = RNG.normal(size=(90, 6, 6, 1)).astype(np.float32)
    path = converted(tmp_path / "a.tflite", function, (6, 6, 1))
    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    (takes,), (gives,) = interpreter.get_input_details(), interpreter.get_output_details()
    scores = []
    for image in images:
        interpreter.set_tensor(takes["index"], image[None])
        interpreter.invoke()
        scores.append(interpreter.get_tensor(gives["index"])[0])
    scores, noise = np.stack(scores), RNG.normal(size=len(images)).astype(np.float32)
    other = np.clip(scores + 0.1 * noise.reshape(-1, *[1] * (scores.ndim - 1)), 0, 1)
    expected = other if "A" in name or name.startswith("b") else scores
    reference = dataclasses.replace(
        export.load(path), name="by hand", run=lambda x: expected[[places[i.tobytes()] for i in x]]
    )
    places = {image.tobytes(): place for place, image in enumerate(images)}
    report = export.verify(reference, [path], batches(images, targets))
    assert report.reference["score_name"] == name
    assert report.reference["score"] == pytest.approx(metric(targets, expected), abs=1e-6)
    (row,) = report.files
    assert row.score == pytest.approx(metric(targets, scores), abs=1e-6)
    assert row.score_lost == pytest.approx(report.reference["score"] - row.score)
    assert row.score_lost_low <= row.score_lost <= row.score_lost_high


def test_a_score_of_ones_own(files, trained, prepare, test_split):
    def top2(scores, targets):
        return sklearn.metrics.top_k_accuracy_score(targets, scores, k=2, labels=range(10))

    reference = export.from_keras(trained, prepare)
    report = export.verify(reference, [files["int8"]], batches(*test_split), score=top2)
    found = export.load(files["int8"]).predict(test_split[0])
    assert report.reference["score_name"] == "top2"
    assert report.files[0].score == pytest.approx(top2(found, test_split[1]))


def test_a_file_that_always_answers_one_class_is_refused(trained, prepare, test_split, tmp_path):
    def mean(images):
        return tf.reduce_mean(tf.cast(images, tf.float32), (1, 2))

    functions = {
        "one": lambda images: tf.pad(mean(images) + 1, [[0, 0], [3, 6]]),
        "same": lambda images: tf.pad(mean(images) * 0, [[0, 0], [3, 6]]),
        "nan": lambda images: tf.pad(tf.math.log(-mean(images) - 1), [[0, 0], [3, 6]]),
    }
    paths = [
        converted(tmp_path / f"{name}.tflite", function, (32, 32, 1), tf.uint8)
        for name, function in functions.items()
    ]
    reference = export.from_keras(trained, prepare)
    report = export.verify(reference, paths, batches(*test_split))
    assert [file.fault for file in report.files] == [
        "it gives one answer to every example; the reference does not",
        "it gives the same scores to every example; the reference does not",
        "the scores of 70 examples are infinite or no number",
    ]
    with pytest.raises(RequestError, match=r"^one\.tflite cannot be used: it gives one answer"):
        report.require()
    assert export.load_report(report.to_json(tmp_path / "report.json")) == report
    # A reference that does the same is no reason to refuse the file.
    for path in paths[:2]:
        report = export.verify(export.load(path), [path], batches(*test_split))
        assert report.files[0].fault == ""


def test_the_answers_to_each_example_come_along(files, trained, prepare, test_split):
    reference = export.from_keras(trained, prepare)
    report, (expected, found) = export.examine(reference, [files["int8"]], batches(*test_split))
    wanted = reference.predict(test_split[0]).argmax(1)
    given = export.load(files["int8"]).predict(test_split[0]).argmax(1)
    np.testing.assert_array_equal(expected.answers, wanted)
    np.testing.assert_array_equal(found.answers, given)
    np.testing.assert_array_equal(found.agreement, given == wanted)
    assert report.files[0].agreement == found.agreement.mean()


def test_targets_that_are_all_the_same_have_no_score(trained, prepare, test_split):
    images = test_split[0]
    sigmoid = keras.Model(trained.inputs, keras.layers.Activation("sigmoid")(trained.outputs[0]))
    data = batches(images, np.zeros((70, 10), np.int64))
    with pytest.raises(RequestError) as caught:
        export.verify(export.from_keras(sigmoid, prepare), [], data)
    assert str(caught.value) == (
        "Expected `data` with targets that differ: there is no mean AUROC where all are the same. "
        "Received: 70 examples with the same targets."
    )


def test_files_of_another_size_are_verified_on_that(trained, prepare, test_split, tmp_path):
    images, labels = test_split
    options = {"prepare": prepare, "input_size": (64, 32)}
    path = export.to_tflite(trained, tmp_path / "a.tflite", **options)
    data = batches(np.repeat(images, 2, axis=1), labels)
    (file,) = export.verify(export.from_keras(trained, **options), [path], data).files
    assert file.agreement == 1.0
    assert file.max_abs_diff <= 0.02
