"""TFLite files: what is in one, and what is no file to run."""

import concurrent.futures

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tfpipe import compress, export
from tfpipe.errors import DataError, RequestError

NOISE = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 1), np.uint8)


def damaged(path):
    with pytest.raises(DataError) as caught:
        export.load(path)
    return str(caught.value)


def convert(path, function, *shapes):
    specs = [tf.TensorSpec(shape) for shape in shapes]
    traced = tf.function(function, input_signature=specs).get_concrete_function()
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([traced]).convert())
    return path


@pytest.mark.parametrize("mode", ["float32", "int8"])
def test_a_file_says_what_it_is(files, mode):
    predictor = export.load(str(files[mode]))
    assert repr(predictor) == (
        f"Predictor(name='{mode}.tflite', format='tflite', mode='{mode}', input_shape=(32, 32, 1), "
        f"dtype='uint8', sparsity={predictor.sparsity!r})"
    )


def test_a_batch_gets_the_scores_of_its_images(files, trained):
    found = export.load(files["float32"]).predict(NOISE)
    assert (found.shape, found.dtype) == ((40, 10), np.float32)
    expected = trained.predict(NOISE / np.float32(255), verbose=0)
    assert np.abs(found - expected).max() <= 1e-5


def test_the_sparsity_is_read_from_the_file(trained, prepare, calibration, tmp_path):
    model = keras.models.clone_model(trained)
    model.set_weights(trained.get_weights())
    total = zeros = 0
    for layer, share in (("conv1", 0.5), ("conv2", 0.25), ("dense1", 0.8), ("dense2", 0.0)):
        kernel = model.get_layer(layer).kernel
        smallest = np.argsort(np.abs(kernel.numpy()), axis=None)[: int(share * kernel.numpy().size)]
        value = kernel.numpy()
        value.flat[smallest] = 0
        kernel.assign(value)
    for kernel in (w for w in model.weights if w.name == "kernel"):
        zeros, total = zeros + np.sum(kernel.numpy() == 0), total + kernel.numpy().size
    assert 0.6 < zeros / total < 0.8
    options = {"prepare": prepare, "calibration": calibration}
    path = export.to_tflite(model, tmp_path / "a.tflite", **options)
    assert export.load(path).sparsity == zeros / total
    # Rounding to int8 adds some zeros, and takes none away.
    path = export.to_tflite(model, tmp_path / "b.tflite", mode="int8", **options)
    assert zeros / total <= export.load(path).sparsity < zeros / total + 0.02
    assert np.mean(list(compress.sparsity(model).values())) == pytest.approx(0.31, abs=0.01)


@pytest.mark.parametrize("mode", ["float32", "int8"])
def test_eight_threads_get_the_answers_of_one(files, mode):
    predictor = export.load(files[mode])
    expected = predictor.predict(NOISE)
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        for scores in threads.map(predictor.predict, [NOISE] * 32):
            np.testing.assert_array_equal(scores, expected)


def test_two_files_at_once_do_not_mix(files):
    one, two = (export.load(files[mode]) for mode in ("float32", "int8"))
    alone = one.predict(NOISE[:1]), two.predict(NOISE[:1])
    one.predict(NOISE)
    np.testing.assert_array_equal(two.predict(NOISE[:1]), alone[1])
    np.testing.assert_array_equal(one.predict(NOISE[:1]), alone[0])


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(files, tmp_path, share):
    data = files["float32"].read_bytes()
    path = tmp_path / "a.tflite"
    path.write_bytes(data[: int(share * len(data))])
    assert damaged(path) == (
        f"{path}: LiteRT cannot run it (The model is not a valid Flatbuffer buffer)"
    )


def test_a_file_that_lacks_its_end_is_refused(files, tmp_path):
    """There are its texts: LiteRT would run it without."""
    path = tmp_path / "a.tflite"
    path.write_bytes(files["float32"].read_bytes()[:-20])
    assert damaged(path) == f"{path}: it ends before its tfpipe.json does: it is not whole"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04" * 100, bytes(1000)])
def test_another_file_is_refused(tmp_path, data):
    path = tmp_path / "a.tflite"
    path.write_bytes(data)
    assert damaged(path).startswith(f"{path}: LiteRT cannot run it (")


def test_a_file_of_two_inputs_is_refused(tmp_path):
    path = convert(tmp_path / "a.tflite", lambda a, b: a + b, (1, 4, 4, 1), (1, 4, 4, 1))
    assert damaged(path) == (
        f"{path}: expected one input, a batch of images, sequences, tokens or features, and one "
        "output, found inputs of (1, 4, 4, 1) and (1, 4, 4, 1) and outputs of (1, 4, 4, 1)"
    )


def test_a_file_of_raw_integers_is_refused(tmp_path):
    path = convert(tmp_path / "a.tflite", lambda a: tf.argmax(a, -1), (1, 4, 4, 1))
    assert damaged(path) == f"{path}: expected scores in float32, found int64"


@pytest.fixture(scope="module")
def quantised(tmp_path_factory):
    """Makes an int8 or int16x8 file of a small network whose ends are integers."""
    x = keras.Input((6, 5, 1))
    pixels = keras.layers.Rescaling(1 / 255)(x)
    network = keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(pixels))
    model = keras.Model(x, network)
    archive, folder = keras.export.ExportArchive(), tmp_path_factory.mktemp("quantised")
    archive.add_endpoint("serving_default", model, input_signature=[tf.TensorSpec((1, 6, 5, 1))])
    archive.write_out(str(folder / "a"), verbose=False)

    def make(dtype, top):
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "a"))
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        kind = "TFLITE_BUILTINS_INT8"
        if dtype == "int16":
            kind = "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8"
        converter.target_spec.supported_ops = [getattr(tf.lite.OpsSet, kind)]
        converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(dtype)
        some = np.random.default_rng(0).uniform(0, top, (50, 1, 6, 5, 1)).astype(np.float32)
        some[0, 0, 0, :2, 0] = 0, top
        converter.representative_dataset = lambda: ([image] for image in some)
        path = folder / f"{dtype}-{top}.tflite"
        path.write_bytes(converter.convert())
        return path

    return model, make


def by_hand(path, raw):
    """LiteRT alone: what comes out for what goes in, and the scale and zero point of both."""
    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    (takes,), (gives,) = interpreter.get_input_details(), interpreter.get_output_details()
    found = []
    for example in raw(*takes["quantization"]):
        interpreter.set_tensor(takes["index"], example[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(gives["index"])[0])
    scale, zero_point = gives["quantization"]
    return (np.stack(found).astype(np.float64) - zero_point) * scale


@pytest.mark.parametrize(("dtype", "mode"), [("int8", "int8"), ("int16", "int16x8")])
def test_integer_ends_take_and_give_float32(quantised, dtype, mode):
    model, make = quantised
    path = make(dtype, 200.0)
    images = np.random.default_rng(0).uniform(0, 200, (4, 6, 5, 1)).astype(np.float32)

    def raw(scale, zero_point):
        return [np.rint(image / scale + zero_point).astype(dtype) for image in images]

    predictor = export.load(path)
    assert (predictor.mode, predictor.dtype) == (mode, "float32")
    scores = predictor.predict(images)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, by_hand(path, raw), atol=1e-6)
    assert np.abs(scores - model.predict(images, verbose=0)).max() < 0.02


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_pixels_go_into_integer_ends_as_they_are(quantised, dtype):
    """Calibrated on 0 to 255, the scale is 1: uint8 pixels are those numbers."""
    _, make = quantised
    path = make(dtype, 255.0)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 5, 1), np.uint8)

    def raw(scale, zero_point):
        assert scale == 1
        return (pixels.astype(int) + zero_point).astype(dtype)

    predictor = export.load(path)
    assert predictor.dtype == "uint8"
    np.testing.assert_allclose(predictor.predict(pixels), by_hand(path, raw), atol=1e-6)


def test_integers_without_a_scale_are_no_scores(tmp_path):
    path = convert(tmp_path / "a.tflite", lambda a: tf.cast(a, tf.int8), (1, 4))
    assert damaged(path) == f"{path}: expected scores in float32, found int8"


@pytest.mark.parametrize("shape", [(7, 3), (5,)])
def test_sequences_and_features(tmp_path, shape):
    path = convert(tmp_path / "a.tflite", lambda a: a * 2, (1, *shape))
    examples = np.random.default_rng(0).random((6, *shape), np.float32)
    assert export.attached(path) == {}  # it is TensorFlow's own converter's
    predictor = export.load(path)
    assert (predictor.input_shape, predictor.dtype) == (shape, "float32")
    np.testing.assert_array_equal(predictor.predict(examples), examples * 2)


def test_tokens_outside_the_vocabulary_are_refused(tmp_path):
    table = tf.constant(np.random.default_rng(0).random((10, 3), np.float32))
    traced = tf.function(lambda tokens: tf.reduce_mean(tf.gather(table, tokens), 1))
    made = traced.get_concrete_function(tf.TensorSpec((1, 4), tf.int32))
    path = tmp_path / "a.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([made]).convert())
    predictor = export.load(path)
    tokens = np.array([[1, 2, 3, 9]], np.int32)
    expected = table.numpy()[tokens].mean(1)
    np.testing.assert_allclose(predictor.predict(tokens), expected, rtol=1e-6)
    with pytest.raises(RequestError) as caught:
        predictor.predict(tokens + 1)
    assert str(caught.value).startswith(
        "a.tflite cannot compute with these inputs (gather index out of bounds"
    )
    np.testing.assert_allclose(predictor.predict(tokens), expected, rtol=1e-6)


def test_a_file_runs_in_as_many_threads_as_it_is_told(files, monkeypatch):
    told = []

    class Told(Interpreter):
        def __init__(self, **options):
            told.append(options["num_threads"])
            super().__init__(**options)

    monkeypatch.setattr("ai_edge_litert.interpreter.Interpreter", Told)
    export.load(files["float32"], threads=3)
    export.load(files["float32"])
    assert told == [3, 1]
