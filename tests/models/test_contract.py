"""What every model of the zoo promises, in both precisions, from a training step to a file."""

import dataclasses
from typing import Any

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tfpipe import export, models, train

BATCH = 8
SLOW = pytest.mark.slow


@dataclasses.dataclass(frozen=True)
class Case:
    """A model small enough for a quick test, and what is known about it from elsewhere."""

    arguments: dict[str, Any]
    output_shape: tuple[int, ...]
    parameters: int  # by hand, from the layers' sizes
    loss: Any = None  # what `fit` takes for a softmax
    highest: float = 1.0  # of the inputs
    dtype: str = "float32"


CASES = {
    "linear": Case({"input_shape": (6,), "num_outputs": 2}, (2,), 2 * (6 + 1), "mse"),
    "perceptron": Case({"input_shape": (6,)}, (1,), 6 + 1, "binary_crossentropy"),
    "mlp": Case({}, (10,), 128 * (28 * 28 + 1) + 10 * (128 + 1)),
    "lenet5": Case({"modern": True}, (10,), 61_706 + 3 * (6 + 16 + 120 + 84)),
    # Seven convolutions with four values per map, and one dense layer.
    "residual": Case(
        {"input_shape": (16, 16, 3), "depth": 8},
        (10,),
        9 * (3 * 16 + 2 * 16 * 16 + 16 * 32 + 32 * 32 + 32 * 64 + 64 * 64)
        + 4 * (3 * 16 + 2 * 32 + 2 * 64)
        + 10 * (64 + 1),
    ),
    # keras.applications documents 25,636,712 with its head of 1000 classes.
    "resnet50": Case(
        {"input_shape": (32, 32, 3), "weights": None, "num_classes": 3},
        (3,),
        25_636_712 - 1000 * (2048 + 1) + 3 * (2048 + 1),
        highest=255.0,
    ),
    "lstm": Case({"input_shape": (12, 3), "units": 8}, (2,), 4 * 8 * (3 + 8 + 1) + 2 * (8 + 1)),
    "bilstm": Case(
        {"input_shape": (12,), "vocabulary_size": 20, "units": 8},
        (2,),
        20 * 8 + 2 * 4 * 8 * (8 + 8 + 1) + 2 * (16 + 1),
        highest=19.0,
        dtype="int32",
    ),
    "unet": Case(
        {"input_shape": (16, 32, 1), "num_classes": 3, "depth": 1, "width": 4},
        (16, 32, 3),
        9 * (1 * 4 + 4 * 4 + 4 * 8 + 8 * 8 + 8 * 4 + 4 * 4)  # 3x3 convolutions
        + 4 * (4 * 4 + 2 * 8)  # BatchNormalization
        + (4 * 8 * 4 + 4)  # the way up
        + 3 * (4 + 1),
    ),
    # keras-cv's detector of the same size and classes: tests/models/test_detection.py.
    "yolov8": Case(
        {"input_shape": (64, 32, 3), "num_classes": 3},
        (8 * 4 + 4 * 2 + 2 * 1, 7),
        3_432_953,
        models.YoloLoss((64, 32)),
    ),
}
HEAVY = ("resnet50", "yolov8")


def quick(*names):
    """All models, of which these are looked at in every run."""
    return [pytest.param(name, marks=() if name in names else SLOW) for name in CASES]


@pytest.fixture
def mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


def built(name):
    keras.utils.set_random_seed(0)
    return models.build(name, **CASES[name].arguments)


def inputs(name, number=BATCH):
    """Examples that differ from each other by more than noise, so that they can be told apart."""
    case, rng = CASES[name], np.random.default_rng(0)
    shape = built(name).input_shape[1:]
    if case.dtype == "int32":
        return rng.integers(0, int(case.highest) + 1, (number, *shape), np.int32)
    levels = rng.random((number, *[1] * len(shape)))
    noise = rng.random((number, *shape))
    return (case.highest * (levels + noise) / 2).astype("float32")


def targets(name, number=BATCH):
    case, rng = CASES[name], np.random.default_rng(1)
    if name == "yolov8":
        box = [[0.1, 0.1, 0.6, 0.9, 1.0], [0.3, 0.2, 0.9, 0.8, 2.0], [-1] * 5]
        return np.tile(np.array(box, np.float32), (number, 1, 1))
    if case.loss == "mse":
        return rng.random((number, *case.output_shape)).astype("float32")
    shape = (number, *case.output_shape[:-1])
    return rng.integers(0, max(2, case.output_shape[-1]), shape, np.int32)


@pytest.mark.parametrize("name", models.names())
def test_every_model_of_the_zoo_is_here(name):
    assert name in CASES


@pytest.mark.parametrize(
    "name", ["lenet5", "residual", *(pytest.param(name, marks=SLOW) for name in HEAVY)]
)
def test_averages_of_batches_follow_a_hundred_steps(name):
    """A small data set has few more. `unet` says why its averages are slower."""
    norms = [x for x in built(name).layers if isinstance(x, keras.layers.BatchNormalization)]
    assert norms
    assert all(norm.momentum**100 < 0.05 for norm in norms)


@pytest.mark.parametrize("name", quick(*[name for name in CASES if name not in HEAVY]))
def test_shapes_and_parameters(name):
    model = built(name)
    assert isinstance(model, keras.Model)
    assert type(model).__name__ == "Functional"
    assert (model.name, len(model.inputs), len(model.outputs)) == (name, 1, 1)
    assert model.inputs[0].dtype == CASES[name].dtype
    assert model.output_shape == (None, *CASES[name].output_shape)
    assert model.count_params() == CASES[name].parameters
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)


def fit(name, model, epochs):
    """The losses on one batch, as many times."""
    batch = tf.data.Dataset.from_tensors((inputs(name), targets(name)))
    optimizer = keras.optimizers.Adam(1e-4 if name in HEAVY else 1e-3)
    history = train.fit(model, batch, loss=CASES[name].loss, optimizer=optimizer, epochs=epochs)
    return history.history["loss"]


@pytest.mark.parametrize("name", quick("lenet5", "lstm"))
def test_a_training_step_lowers_the_loss(name):
    before, after = fit(name, built(name), epochs=2)
    assert after < before


@pytest.mark.parametrize("name", quick("lenet5"))
@pytest.mark.usefixtures("mixed_float16")
def test_it_trains_in_mixed_precision_and_its_outputs_are_float32(name):
    model = built(name)
    inner = {layer.compute_dtype for layer in model.layers[:-1] if layer.weights}
    assert inner <= {"float16"}
    # The first steps look for the loss scale: ten of them where gradients are large.
    losses = fit(name, model, epochs=14 if name in HEAVY else 6)
    assert losses[-1] < losses[0]
    outputs = model(inputs(name))
    assert (outputs.dtype, outputs.shape) == (np.float32, (BATCH, *CASES[name].output_shape))


@pytest.mark.parametrize("name", quick("lenet5", "bilstm"))
def test_a_saved_model_gives_the_same_outputs(name, tmp_path):
    model, data = built(name), inputs(name)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.count_params() == CASES[name].parameters
    np.testing.assert_array_equal(loaded(data), model(data))


@pytest.mark.parametrize("name", quick("lenet5", "bilstm", "unet"))
def test_summary_and_picture(name, tmp_path):
    text = models.draw(built(name), tmp_path / "model.png")
    assert f"Total params: {CASES[name].parameters:,}" in text
    assert (tmp_path / "model.png").read_bytes()[1:4] == b"PNG"


def litert(path, data):
    """What a TFLite file makes of examples, one by one."""
    runner = Interpreter(str(path)).get_signature_runner("serving_default")
    (name,) = runner.get_input_details()
    return np.concatenate([runner(**{name: example[None]})["scores"] for example in data])


def onnx(path, data):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["scores"], {session.get_inputs()[0].name: data})[0]


@pytest.mark.parametrize("name", quick("perceptron"))
def test_its_files_compute_what_it_computes(name, tmp_path):
    model, data = lively(built(name), inputs(name)), inputs(name, 128)
    expected = model.predict(data, verbose=0)
    path = export.to_tflite(model, tmp_path / "float32.tflite")
    assert np.abs(litert(path, data) - expected).max() <= 1e-5
    path = export.to_onnx(model, tmp_path / "model.onnx")
    assert np.abs(onnx(path, data) - expected).max() <= 1e-5
    batches = tf.data.Dataset.from_tensor_slices(data).batch(32)
    path = export.to_tflite(model, tmp_path / "a.tflite", mode="int8", calibration=batches)
    found = litert(path, data)
    assert np.abs(found - expected).mean() <= 0.01 * max(1, np.ptp(expected))
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] >= 0.98


def lively(model, data):
    """The model as training leaves it, in sizes: its outputs are neither alike nor large."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.9 if model.name in HEAVY else 0.0
        if isinstance(layer, keras.layers.Embedding):
            layer.embeddings.assign(20 * layer.embeddings)
    model(data, training=True)
    return model
