"""int8 files of models from quantize_aware: trained ranges, no calibration, the same operators."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tfpipe import compress, export, ops, records
from tfpipe.errors import RequestError
from tfpipe.models import lenet5

L = keras.layers


@pytest.fixture(scope="module")
def quantised(trained, digits):
    images, labels = digits
    batches = tf.data.Dataset.from_tensor_slices((images[:1000] / np.float32(255), labels[:1000]))
    return compress.quantize_aware(
        trained, batches.batch(50), epochs=2, optimizer=keras.optimizers.Adam(3e-4)
    )


@pytest.fixture(scope="module")
def file(quantised, prepare, tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "int8.tflite"
    return export.to_tflite(quantised, path, mode="int8", prepare=prepare)


def interpreter(path):
    """The file in LiteRT's own kernels, one operator after the other."""
    found = Interpreter(
        str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    found.allocate_tensors()
    return found


def operators(path):
    return [op["op_name"] for op in interpreter(path)._get_ops_details()]


def accuracy(scores, labels):
    return float(np.mean(scores.argmax(-1) == labels))


def test_it_answers_as_the_model_does(quantised, file, digits):
    images = digits[0][1000:]
    scores = export.load(file).predict(images)
    expected = quantised.predict(images / np.float32(255), verbose=0)
    assert np.mean(scores.argmax(-1) == expected.argmax(-1)) >= 0.99
    assert np.abs(scores - expected).mean() < 0.005


def test_it_loses_nothing_to_the_model_before(trained, file, digits):
    images, labels = digits[0][1000:], digits[1][1000:]
    before = accuracy(trained.predict(images / np.float32(255), verbose=0), labels)
    assert accuracy(export.load(file).predict(images), labels) >= before - 0.005


def test_pixels_go_in_as_they_are(file):
    (takes,) = interpreter(file).get_input_details()
    assert (takes["dtype"], takes["shape"].tolist()) == (np.uint8, [1, 32, 32, 1])
    assert takes["quantization"] == (pytest.approx(1 / 255), 0)
    assert "MUL" not in operators(file)
    assert export.load(file).mode == "int8"


def test_it_computes_in_integers_throughout(file):
    kinds = {t["dtype"] for t in interpreter(file).get_tensor_details() if t["shape"].size}
    floats = [t for t in interpreter(file).get_tensor_details() if t["dtype"] == np.float32]
    assert len(floats) == 1  # the scores
    assert kinds <= {np.uint8, np.int8, np.int32, np.float32}


def test_other_preprocessing_is_before_the_network(quantised, file, tmp_path, digits):
    chain = ops.Chain(
        [ops.Decode(1), ops.Resize((32, 32)), ops.ToFloat(), ops.Normalize([0.5], [2.0])]
    )
    path = export.to_tflite(quantised, tmp_path / "a.tflite", mode="int8", prepare=chain)
    images = digits[0][1000:1020]
    floats = (images / np.float32(255) - 0.5) / 2
    expected = quantised.predict(floats, verbose=0)
    assert np.abs(export.load(path).predict(images) - expected).mean() < 0.005


def test_other_modes_are_refused(quantised, prepare, tmp_path):
    with pytest.raises(RequestError) as caught:
        export.to_tflite(quantised, tmp_path / "a.tflite", prepare=prepare)
    assert str(caught.value) == (
        "Expected mode='int8' for 'lenet5', which was trained for it. Received: mode='float32'. "
        "For another mode, give the model from before `quantize_aware`."
    )
    assert list(tmp_path.iterdir()) == []


def folding():
    """Convolutions with batch normalisation, depthwise too, as mobile networks have them."""
    x = h = keras.Input((32, 32, 1))
    for stage, width in enumerate((16, 32, 32)):
        h = L.Conv2D(width, 3, 2, "same", use_bias=False, name=f"conv{stage}")(h)
        h = L.ReLU()(L.BatchNormalization(momentum=0.9, name=f"norm{stage}")(h))
        h = L.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"depthwise{stage}")(h)
        h = L.ReLU(6.0)(L.BatchNormalization(momentum=0.9)(h))
    model = keras.Model(x, L.Dense(10, activation="softmax")(L.GlobalAveragePooling2D()(h)))
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    return model


def stretch(model):
    """Scales channels by 1 to 300 and the weights behind them back: the same function."""
    scales = np.random.default_rng(0)
    for stage in range(3):
        norm, depthwise = model.get_layer(f"norm{stage}"), model.get_layer(f"depthwise{stage}")
        scale = np.exp(scales.uniform(0, np.log(300), norm.gamma.shape)).astype(np.float32)
        norm.gamma.assign(norm.gamma * scale)
        norm.beta.assign(norm.beta * scale)
        depthwise.kernel.assign(depthwise.kernel / scale[:, None])


@pytest.mark.slow
def test_it_mends_a_model_that_int8_breaks(digits, prepare, tmp_path):
    """Channels of very different ranges: int8 has one range for all."""
    images, labels = digits
    data = tf.data.Dataset.from_tensor_slices((images[:1400] / np.float32(255), labels[:1400]))
    train = data.shuffle(1400, seed=0).batch(32)
    keras.utils.set_random_seed(0)
    model = folding()
    model.fit(train, epochs=25, verbose=0, shuffle=False)
    before = accuracy(model.predict(images[1400:] / np.float32(255), verbose=0), labels[1400:])
    stretch(model)
    calibration = tf.data.Dataset.from_tensor_slices(images[:500]).batch(50)
    files = {
        "calibrated": export.to_tflite(
            model, tmp_path / "a.tflite", mode="int8", prepare=prepare, calibration=calibration
        ),
        "trained": export.to_tflite(
            compress.quantize_aware(model, train, epochs=10, optimizer=keras.optimizers.Adam(1e-3)),
            tmp_path / "b.tflite",
            mode="int8",
            prepare=prepare,
        ),
    }
    scores = {
        name: accuracy(export.load(path).predict(images[1400:]), labels[1400:])
        for name, path in files.items()
    }
    assert operators(files["trained"]) == operators(files["calibrated"])
    assert scores["calibrated"] < before - 0.2
    assert scores["trained"] >= before - 0.05


@pytest.mark.slow
def test_a_resnet50_in_24_megabytes(tmp_path):
    """Rebuilt, quantised, trained for a step, written: fifty convolutions, in integers."""
    model = keras.applications.ResNet50(weights=None, input_shape=(224, 224, 3), classes=10)
    model.compile(keras.optimizers.Adam(1e-5), "sparse_categorical_crossentropy")
    images = np.random.default_rng(0).random((4, 224, 224, 3), np.float32)
    train = tf.data.Dataset.from_tensors((images, np.arange(4)))
    quantised = compress.quantize_aware(model, train, epochs=1)
    path = export.to_tflite(quantised, tmp_path / "a.tflite", mode="int8")
    assert path.stat().st_size < 25e6
    assert operators(path).count("CONV_2D") == 53
    assert "MUL" not in operators(path)  # the batch normalisation is in the convolutions


@pytest.mark.slow
def test_mnist(shared_data, tmp_path):
    """LeNet-5 pruned to 80 % zeros, then quantised: the score and the zeros stay."""
    source = records.idx(shared_data("mnist"))
    manifest = records.write(source, tmp_path / "records")
    prepare = ops.Chain([ops.Decode(1), ops.Resize((32, 32)), ops.ToFloat()])
    train = records.read(manifest, "train", prepare, batch_size=64, shuffle_seed=0)
    test = records.read(manifest, "test", prepare.outside(), batch_size=256)
    keras.utils.set_random_seed(0)
    model = lenet5()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train, epochs=3, verbose=0, shuffle=False)
    pruned = compress.prune(model, train, final_sparsity=0.8, epochs=2)
    quantised = compress.quantize_aware(
        pruned, train, epochs=1, optimizer=keras.optimizers.Adam(1e-4)
    )
    path = export.to_tflite(quantised, tmp_path / "a.tflite", mode="int8", prepare=prepare)
    report = export.verify(export.from_keras(pruned, prepare), [path], test)
    report.require(agreement=0.99, score_lost=0.005)
    assert report.files[0].sparsity == pytest.approx(0.8, abs=0.01)
