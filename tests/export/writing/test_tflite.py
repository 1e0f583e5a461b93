"""The files: what is in them, read by LiteRT itself, and what they compute."""

import json

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tfpipe import export, models, ops
from tfpipe.errors import RequestError
from tfpipe.export.writing.twin import float32_twin

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (30, 32, 32, 1), np.uint8)


def interpreter(path):
    """The file in LiteRT's own kernels, one operator after the other."""
    found = Interpreter(
        str(path),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    found.allocate_tensors()
    return found


def run(litert, image):
    litert.set_tensor(litert.get_input_details()[0]["index"], image[None])
    litert.invoke()
    return litert.get_tensor(litert.get_output_details()[0]["index"])[0]


def scores(path, images):
    litert = interpreter(path)
    return np.stack([run(litert, image) for image in images])


def operators(path):
    return [op["op_name"] for op in interpreter(path)._get_ops_details()]


def opcodes(path):
    return schema.ModelT.InitFromPackedBuf(path.read_bytes()).operatorCodes


def weights(path):
    """The constants of two or more axes, by name of the layer."""
    litert = interpreter(path)
    made = {index for op in litert._get_ops_details() for index in op["outputs"]}
    return {
        detail["name"].split("/")[1].removesuffix("_1"): litert.get_tensor(detail["index"])
        for detail in litert.get_tensor_details()
        if "lenet5" in detail["name"] and detail["index"] not in made
    }


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        export.to_tflite(*arguments, **options)
    return str(caught.value)


def test_the_float32_file_computes_what_keras_computes(files, trained, digits):
    for images in (NOISE, digits[0][:50]):
        expected = trained.predict(images / np.float32(255), verbose=0)
        assert np.abs(scores(files["float32"], images) - expected).max() <= 1e-5


def test_the_int8_file_answers_as_keras_does(files, trained, digits):
    images = digits[0][1000:1200]
    expected = trained.predict(images / np.float32(255), verbose=0)
    found = scores(files["int8"], images)
    assert np.mean(found.argmax(-1) == expected.argmax(-1)) >= 0.98
    assert np.abs(found - expected).mean() < 0.01


@pytest.mark.parametrize("mode", ["float32", "int8"])
def test_the_signature_names_images_and_scores(files, mode):
    litert = interpreter(files[mode])
    assert litert.get_signature_list() == {
        "serving_default": {"inputs": ["images"], "outputs": ["scores"]}
    }
    runner = litert.get_signature_runner("serving_default")
    assert runner(images=NOISE[:1])["scores"].shape == (1, 10)
    (takes,), (gives,) = litert.get_input_details(), litert.get_output_details()
    assert (takes["shape"].tolist(), takes["dtype"]) == ([1, 32, 32, 1], np.uint8)
    assert (gives["shape"].tolist(), gives["dtype"]) == ([1, 10], np.float32)


@pytest.mark.parametrize("mode", ["float32", "int8"])
def test_all_operators_are_builtin(files, mode):
    assert all(
        code.builtinCode != schema.BuiltinOperator.CUSTOM and code.customCode is None
        for code in opcodes(files[mode])
    )


def test_the_operators_of_the_float32_file(files):
    assert operators(files["float32"]) == [
        "CAST",
        *("CONV_2D", "TANH", "AVERAGE_POOL_2D") * 2,
        "RESHAPE",
        *("FULLY_CONNECTED", "TANH") * 2,
        *("FULLY_CONNECTED", "SOFTMAX"),
    ]


def test_the_operators_of_the_int8_file(files):
    assert operators(files["int8"]) == [
        "QUANTIZE",
        *("CONV_2D", "TANH", "AVERAGE_POOL_2D") * 2,
        "RESHAPE",
        *("FULLY_CONNECTED", "TANH") * 2,
        *("FULLY_CONNECTED", "SOFTMAX"),
        "DEQUANTIZE",
    ]


def test_pixels_go_into_the_int8_file_as_they_are(files):
    (takes,) = interpreter(files["int8"]).get_input_details()
    assert takes["quantization"] == (1.0, 0)


def test_between_first_and_last_operator_there_are_integers_only(files):
    litert = interpreter(files["int8"])
    dtypes = {detail["index"]: detail["dtype"] for detail in litert.get_tensor_details()}
    *body, last = litert._get_ops_details()
    used = {index for op in body for index in (*op["inputs"], *op["outputs"]) if index >= 0}
    assert {dtypes[index] for index in used} == {np.uint8, np.int8, np.int32}
    assert dtypes[last["inputs"][0]] == np.int8


def test_every_int8_operator_computes_what_its_scales_say(files, digits):
    """The arithmetic by hand, in float64: each output is within one step of its scale."""
    litert = interpreter(files["int8"])
    details = {detail["index"]: detail for detail in litert.get_tensor_details()}

    def real(index):
        if index < 0:
            return 0.0  # a bias that there is not
        parameters = details[index]["quantization_parameters"]
        shape = np.ones(details[index]["shape"].size, int)
        if parameters["scales"].size > 1:
            shape[parameters["quantized_dimension"]] = -1
        values = litert.get_tensor(index).astype(np.float64)
        zeros, scales = (parameters[name].reshape(shape) for name in ("zero_points", "scales"))
        return (values - zeros) * scales

    def convolve(x, kernel, bias):
        windows = np.lib.stride_tricks.sliding_window_view(x[0], (5, 5), axis=(0, 1))
        return np.einsum("hwcij,oijc->hwo", windows, kernel)[None] + bias

    def pool(x):
        _, height, width, maps = x.shape
        return x.reshape(1, height // 2, 2, width // 2, 2, maps).mean((2, 4))

    def softmax(x):
        return np.exp(x) / np.exp(x).sum()

    by_hand = {
        "QUANTIZE": lambda x: x,
        "CONV_2D": convolve,
        "TANH": np.tanh,
        "AVERAGE_POOL_2D": pool,
        "FULLY_CONNECTED": lambda x, kernel, bias=0.0: x @ kernel.T + bias,
        "SOFTMAX": softmax,
        "DEQUANTIZE": lambda x: x,
    }

    for image in digits[0][1000:1003]:
        run(litert, image)
        for op in litert._get_ops_details():
            if op["op_name"] == "RESHAPE":
                continue
            (output,) = op["outputs"]
            expected = by_hand[op["op_name"]](*map(real, op["inputs"]))
            scale, zero = details[output]["quantization"]
            if op["op_name"] == "DEQUANTIZE":
                np.testing.assert_allclose(litert.get_tensor(output), expected, atol=1e-7)
                continue
            steps = np.clip(expected / scale + zero, -128, 127)
            assert np.abs(litert.get_tensor(output) - steps).max() <= 1.01, op["op_name"]


def test_int8_weights_are_the_models_weights(files, trained):
    found = weights(files["int8"])
    assert sorted(found) == ["conv1", "conv2", "dense1", "dense2", "probabilities"]
    kernel = trained.get_layer("dense2").kernel.numpy().T
    steps = np.abs(kernel).max(axis=1, keepdims=True) / 127  # symmetric, by output
    assert np.abs(found["dense2"] - kernel / steps).max() <= 0.51


def test_the_int8_file_is_at_most_three_tenths_of_the_float32_file(files):
    assert files["int8"].stat().st_size <= 0.30 * files["float32"].stat().st_size


def test_random_ops_are_not_in_a_file(trained, tmp_path, files):
    chain = ops.Chain(
        [ops.Decode(1), ops.RandomAffine(), ops.Resize((32, 32)), ops.RandomAffine(), ops.ToFloat()]
    )
    path = export.to_tflite(trained, tmp_path / "a.tflite", prepare=chain)
    np.testing.assert_array_equal(scores(path, NOISE[:3]), scores(files["float32"], NOISE[:3]))


def test_without_a_chain_a_file_takes_what_the_model_takes(trained, tmp_path, calibration):
    floats = NOISE / np.float32(255)
    path = export.to_tflite(trained, tmp_path / "a.tflite")
    assert interpreter(path).get_input_details()[0]["dtype"] == np.float32
    expected = trained.predict(floats, verbose=0)
    assert np.abs(scores(path, floats) - expected).max() <= 1e-5
    batches = calibration.map(lambda images: tf.cast(images, tf.float32) / 255)
    path = export.to_tflite(trained, tmp_path / "b.tflite", mode="int8", calibration=batches)
    assert interpreter(path).get_input_details()[0]["dtype"] == np.float32
    assert np.abs(scores(path, floats) - expected).mean() < 0.02


MODES = {  # the bytes of a float32 file's, at most; the agreement, at least; the mean difference
    "float16": (0.53, 1.0, 1e-4),
    "dynamic": (0.30, 0.99, 2e-3),
    "int8": (0.31, 0.98, 0.01),
    "int16x8": (0.32, 0.99, 3e-3),
}


@pytest.fixture(scope="module")
def by_mode(files, trained, prepare, calibration, tmp_path_factory):
    """The files of all modes."""
    folder = tmp_path_factory.mktemp("modes")
    options = {"prepare": prepare, "calibration": calibration}
    return files | {
        mode: export.to_tflite(trained, folder / f"{mode}.tflite", mode=mode, **options)
        for mode in set(MODES) - set(files)
    }


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_keeps_what_it_promises(by_mode, trained, digits, mode):
    size, agreement, difference = MODES[mode]
    images = digits[0][1000:1200]
    expected = trained.predict(images / np.float32(255), verbose=0)
    found = scores(by_mode[mode], images)
    assert np.mean(found.argmax(-1) == expected.argmax(-1)) >= agreement
    assert np.abs(found - expected).mean() <= difference
    assert by_mode[mode].stat().st_size <= size * by_mode["float32"].stat().st_size
    told = json.loads(export.attached(by_mode[mode])["tfpipe.json"])
    assert (told["mode"], told["converter"]) == (mode, f"tensorflow {tf.__version__}")


def test_the_operators_of_the_other_modes(by_mode):
    body = operators(by_mode["float32"])[1:]
    assert operators(by_mode["dynamic"]) == ["CAST", "MUL", *body]
    exact = [name for name in operators(by_mode["float16"]) if name != "DEQUANTIZE"]
    assert exact == ["CAST", "MUL", *body]
    assert operators(by_mode["int16x8"]) == ["CAST", "MUL", "QUANTIZE", *body, "DEQUANTIZE"]


@pytest.mark.parametrize(("mode", "dtype"), [("float16", np.float16), ("int16x8", np.int16)])
def test_what_a_mode_stores_and_computes_in(by_mode, mode, dtype):
    litert = interpreter(by_mode[mode])
    found = [d for d in litert.get_tensor_details() if d["dtype"] == dtype]
    assert len(found) >= 5
    takes, gives = litert.get_input_details()[0], litert.get_output_details()[0]
    assert (takes["dtype"], gives["dtype"]) == (np.uint8, np.float32)


@pytest.mark.parametrize("mode", ["float16", "dynamic", "int16x8"])
def test_preprocessing_is_exact_in_every_mode(tmp_path, mode):
    """The network is an identity: what comes out of floats is what the chain made of the pixels."""
    chain = ops.Chain([ops.Decode(1), ops.ToFloat(), ops.Normalize((0.481,), (0.224,))])
    x = keras.Input((6, 5, 1))
    model = keras.Model(x, keras.layers.Flatten()(x))
    pixels = RNG.integers(0, 256, (120, 6, 5, 1), np.uint8)
    data = tf.data.Dataset.from_tensor_slices(pixels).batch(60)
    options = {"mode": mode, "prepare": chain, "calibration": data}
    path = export.to_tflite(model, tmp_path / "a.tflite", **options)
    expected = chain.inside()({"image": pixels})["image"].numpy().reshape(120, -1)
    step = 0 if mode != "int16x8" else np.abs(expected).max() / 32767
    assert np.abs(scores(path, pixels) - expected).max() <= 0.51 * step


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_scores_may_be_integers_with_a_scale(trained, prepare, calibration, files, tmp_path, dtype):
    path = export.to_tflite(
        trained,
        tmp_path / "a.tflite",
        mode="int8",
        prepare=prepare,
        calibration=calibration,
        scores_dtype=dtype,
    )
    litert = interpreter(path)
    gives = litert.get_output_details()[0]
    assert np.dtype(gives["dtype"]) == dtype
    scale, zero = gives["quantization"]
    real = (scores(path, NOISE).astype(np.float32) - zero) * scale
    np.testing.assert_allclose(real, scores(files["int8"], NOISE), atol=1e-6)
    assert "DEQUANTIZE" not in operators(path)


def test_integer_scores_are_for_int8_only(trained, tmp_path):
    path = tmp_path / "a.tflite"
    assert refused(trained, path, mode="float16", scores_dtype="int8") == (
        "Expected `scores_dtype` to be 'float32', as in every mode but int8. "
        "Received: scores_dtype='int8', mode='float16'"
    )
    assert refused(trained, path, mode="int8", scores_dtype="int4") == (
        "Expected `scores_dtype` to be one of 'float32', 'int8', 'uint8'. "
        "Received: scores_dtype='int4'. Did you mean 'int8'?"
    )


@pytest.mark.parametrize("mode", ["float32", *MODES])
def test_zeros_stay_zeros(prepare, calibration, tmp_path, mode):
    keras.utils.set_random_seed(0)
    model = models.lenet5()
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            kernel = layer.kernel.numpy()
            small = np.abs(kernel) < np.quantile(np.abs(kernel), 0.8)
            layer.kernel.assign(np.where(small, 0, kernel))
    options = {"mode": mode, "prepare": prepare, "calibration": calibration}
    found = weights(export.to_tflite(model, tmp_path / "a.tflite", **options))
    assert len(found) == 5
    for name, values in found.items():
        kernel = model.get_layer(name).kernel.numpy()
        turned = kernel.T if kernel.ndim == 2 else kernel.transpose(3, 0, 1, 2)
        assert values.shape == turned.shape
        np.testing.assert_array_equal(values[turned == 0], 0)


def test_batch_normalisation_and_activation_go_into_the_kernel(tmp_path):
    x = keras.Input((8, 8, 3))
    y = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3, use_bias=False)(x))
    model = keras.Model(x, keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(y)))
    model.layers[2].set_weights([RNG.random(4), RNG.random(4), RNG.random(4), RNG.random(4)])
    path = export.to_tflite(model, tmp_path / "a.tflite")
    assert operators(path) == ["CONV_2D", "MEAN"]
    images = RNG.random((5, 8, 8, 3), np.float32)
    np.testing.assert_allclose(scores(path, images), model.predict(images, verbose=0), atol=1e-5)


def test_features_go_in_under_their_name(tmp_path):
    x = keras.Input((12,))
    model = keras.Model(x, keras.layers.Dense(3)(x))
    features = RNG.normal(size=(150, 12)).astype(np.float32)
    data = tf.data.Dataset.from_tensor_slices(features).batch(50)
    for mode in ("float32", "int8"):
        path = export.to_tflite(model, tmp_path / "a.tflite", mode=mode, calibration=data)
        run = interpreter(path).get_signature_runner("serving_default")
        found = run(features=features[:1])["scores"]
        np.testing.assert_allclose(found, model(features[:1]), atol=0.1)


@pytest.mark.parametrize("inside", [True, False])
def test_a_model_of_a_strategy_converts_inside_and_outside_its_scope(
    two_devices, trained, prepare, tmp_path, files, inside
):
    with two_devices.scope():
        model = keras.models.clone_model(trained)
        model.set_weights(trained.get_weights())
        if inside:
            path = export.to_tflite(model, tmp_path / "a.tflite", prepare=prepare)
    if not inside:
        path = export.to_tflite(model, tmp_path / "a.tflite", prepare=prepare)
    np.testing.assert_array_equal(scores(path, NOISE[:3]), scores(files["float32"], NOISE[:3]))


def test_a_mixed_precision_model_becomes_a_float32_file(trained, prepare, tmp_path, files):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        mixed = models.lenet5()
    finally:
        keras.config.set_dtype_policy("float32")
    mixed.set_weights(trained.get_weights())
    path = export.to_tflite(mixed, tmp_path / "a.tflite", prepare=prepare)
    np.testing.assert_array_equal(scores(path, NOISE[:3]), scores(files["float32"], NOISE[:3]))
    assert mixed.get_layer("conv1").compute_dtype == "float16"


def test_mixed_precision_deep_inside_a_model_becomes_float32_too(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        x = keras.Input((3, 6, 1))
        rows = keras.layers.TimeDistributed(keras.layers.Flatten())(x)
        both = keras.layers.Bidirectional(keras.layers.GRU(3, unroll=True))(rows)
        inner = keras.Sequential([keras.layers.Dense(4, activation="tanh")])
        model = keras.Model(x, keras.layers.Dense(2, dtype="float32")(inner(both) * 2 + 1))
    finally:
        keras.config.set_dtype_policy("float32")
    path = export.to_tflite(model, tmp_path / "a.tflite")
    images = RNG.random((5, 3, 6, 1), np.float32)
    expected = model.predict(images, verbose=0)
    np.testing.assert_allclose(scores(path, images), expected, atol=2e-2)
    twin = float32_twin(model).predict(images, verbose=0)
    np.testing.assert_allclose(scores(path, images), twin, atol=1e-5)


def test_a_refused_export_leaves_no_file(trained, prepare, tmp_path):
    refused(trained, tmp_path / "a.tflite", mode="int8", prepare=prepare)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_mode_is_refused(trained, tmp_path):
    assert refused(trained, tmp_path / "a.tflite", mode="int9") == (
        "Expected `mode` to be one of 'float32', 'float16', 'dynamic', 'int8', 'int16x8'. "
        "Received: mode='int9'. Did you mean 'int8'?"
    )


def test_preprocessing_as_a_layer_is_inside_a_float32_file(trained, prepare, tmp_path, files):
    x = keras.Input((32, 32, 1), dtype="uint8")
    model = keras.Model(x, trained(prepare.as_layer()(x)), name="whole")
    path = export.to_tflite(model, tmp_path / "a.tflite")
    assert np.abs(scores(path, NOISE) - scores(files["float32"], NOISE)).max() <= 1e-6


@pytest.mark.parametrize("mode", MODES)
def test_preprocessing_as_a_layer_is_refused_otherwise(
    trained, prepare, tmp_path, calibration, mode
):
    x = keras.Input((32, 32, 1), dtype="uint8")
    model = keras.Model(x, trained(prepare.as_layer()(x)), name="whole")
    path = tmp_path / "a.tflite"
    assert refused(model, path, mode=mode, calibration=calibration) == (
        f"Expected the preprocessing of a file with mode={mode!r} as `prepare`, and a model that "
        "takes float32. Received: 'whole', which takes uint8."
    )


@pytest.mark.parametrize("mode", [pytest.param("float32", marks=pytest.mark.slow), "int8"])
def test_resizing_inside_a_file(trained, prepare, tmp_path, files, mode):
    """It is the same resizing in both modes, and the network gets what it gets without."""
    large = RNG.integers(0, 256, (120, 48, 40, 1), np.uint8)
    path = export.to_tflite(
        trained,
        tmp_path / "a.tflite",
        mode=mode,
        prepare=prepare,
        calibration=tf.data.Dataset.from_tensor_slices(large).batch(60),
        input_size=(48, 40),
    )
    litert = interpreter(path)
    assert litert.get_signature_list() == interpreter(files[mode]).get_signature_list()
    (takes,) = litert.get_input_details()
    assert (takes["shape"].tolist(), takes["dtype"]) == ([1, 48, 40, 1], np.uint8)
    names = operators(path)
    network = operators(files[mode])
    assert names[-len(network) :] == network
    assert names[: -len(network)] == names[: names.index("CAST", 1) + 1]
    assert export.load(path).sparsity < 0.01  # of the model: a resizing is mostly zeros
    small = ops.Resize((32, 32))({"image": large})["image"].numpy()
    expected = trained.predict(small / np.float32(255), verbose=0)
    assert np.abs(scores(path, large) - expected).max() <= {"float32": 0.01, "int8": 0.1}[mode]


def test_pixels_stay_exact_in_an_int8_file(tmp_path):
    """The network is an identity, in 256 steps from 0 to 1: its scores tell every grey level."""
    chain = [ops.Decode(3), ops.CenterCrop((20, 23)), ops.Grayscale(), ops.Clahe(3.0, (3, 2))]
    x = keras.Input((20, 23, 1))
    pixels = RNG.integers(0, 256, (120, 30, 31, 3), np.uint8)
    path = export.to_tflite(
        keras.Model(x, keras.layers.Flatten()(x)),
        tmp_path / "a.tflite",
        mode="int8",
        prepare=ops.Chain([*chain, ops.ToFloat()]),
        calibration=tf.data.Dataset.from_tensor_slices(pixels).batch(60),
        input_size=(30, 31),
    )
    greys = [cv2.cvtColor(image[5:25, 4:27], cv2.COLOR_RGB2GRAY) for image in pixels]
    expected = np.stack([cv2.createCLAHE(3.0, (3, 2)).apply(grey).ravel() for grey in greys])
    np.testing.assert_array_equal(np.rint(scores(path, pixels) * 255), expected)
    assert np.abs(scores(path, pixels) * 255 - expected).max() < 1e-3
    assert len(np.unique(expected)) > 200
