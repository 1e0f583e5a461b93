"""What TFLite's modes and ONNX cost and change: bytes, time, and the difference to Keras.

    python scripts/bench_export.py [--models lenet5 bilstm resnet50] [--repeats 30]

LeNet-5 is trained on scikit-learn's digits for a few epochs, a BiLSTM on their rows; ResNet50
(`keras.applications`, 256x256, two classes) has random weights and batch statistics of smooth
pictures. Each model is written in every mode with its preprocessing inside, and run by LiteRT and
ONNX Runtime in one thread, in turn: one example by each file, then the next example. Shown are
the medians, the share of examples on which a file answers as Keras does, and the largest
difference. Beside them stand

    loop        the BiLSTM as TensorFlow converts Keras 3's own: a WHILE loop
    float in    the int8 ResNet50 whose preprocessing is outside
"""

import argparse
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable

import cv2
import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

import tfpipe as tp
from tfpipe.export.writing.conversion import converted
from tfpipe.export.writing.graph import scoring
from tfpipe.export.writing.modes import MODES
from tfpipe.export.writing.twin import float32_twin

Run = Callable[[np.ndarray], np.ndarray]


def by_litert(path: pathlib.Path) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    (takes,), (gives,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(example: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(takes["index"], example[None])
        interpreter.invoke()
        return interpreter.get_tensor(gives["index"])[0]

    return run


def by_onnxruntime(path: pathlib.Path) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options)
    (takes,) = session.get_inputs()
    return lambda example: session.run(None, {takes.name: example[None]})[0][0]


def digits() -> tuple[np.ndarray, np.ndarray]:
    source = load_digits()
    images = [cv2.resize(image, (32, 32)) for image in source.images * 255 / 16]
    return np.stack(images).round().astype(np.uint8)[..., None], source.target


def trained(model: keras.Model, inputs: np.ndarray, labels: np.ndarray) -> keras.Model:
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(inputs, labels, epochs=8, verbose=0)
    return model


def lenet5() -> tuple[keras.Model, tp.ops.Chain | None, np.ndarray, np.ndarray]:
    images, labels = digits()
    model = trained(tp.models.build("lenet5"), images[:1300] / np.float32(255), labels[:1300])
    return model, tp.ops.Chain([tp.ops.Decode(1), tp.ops.ToFloat()]), images[:1300], images[1300:]


def bilstm() -> tuple[keras.Model, tp.ops.Chain | None, np.ndarray, np.ndarray]:
    images, labels = digits()
    rows = (images[..., 0] / np.float32(255)).astype(np.float32)
    x = keras.Input((32, 32))
    y = keras.layers.Bidirectional(keras.layers.LSTM(64, return_sequences=True))(x)
    y = keras.layers.Bidirectional(keras.layers.LSTM(64))(y)
    model = keras.Model(x, keras.layers.Dense(10, activation="softmax")(y), name="bilstm")
    return trained(model, rows[:1300], labels[:1300]), None, rows[:1300], rows[1300:]


def resnet50() -> tuple[keras.Model, tp.ops.Chain | None, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (130, 9, 9, 3), np.uint8)
    images = [cv2.resize(c, (256, 256), interpolation=cv2.INTER_CUBIC) for c in coarse]
    pixels = np.stack(images)
    model = keras.applications.ResNet50(weights=None, input_shape=(256, 256, 3), classes=2)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(pixels[:32] / np.float32(255), training=True)
    chain = tp.ops.Chain([tp.ops.Decode(3), tp.ops.ToFloat()])
    return model, chain, pixels[:100], pixels[100:]


def compare(name: str, repeats: int, folder: pathlib.Path) -> None:
    model, prepare, training, examples = MODELS[name]()
    calibration = tf.data.Dataset.from_tensor_slices(training).batch(50)
    files: dict[str, pathlib.Path] = {}
    for mode in MODES:
        files[mode] = tp.export.to_tflite(
            model, folder / f"{mode}.tflite", mode=mode, prepare=prepare, calibration=calibration
        )
    files["onnx"] = tp.export.to_onnx(model, folder / "model.onnx", prepare=prepare)
    runs = {k: by_onnxruntime(v) if k == "onnx" else by_litert(v) for k, v in files.items()}
    if name == "bilstm":
        files["loop"] = loop(model, folder)
        runs["loop"] = by_litert(files["loop"])
    if name == "resnet50":
        floats = calibration.map(lambda images: tf.cast(images, tf.float32) / 255)
        options = {"mode": "int8", "calibration": floats}
        files["float in"] = tp.export.to_tflite(model, folder / "floats.tflite", **options)
        outside = by_litert(files["float in"])
        runs["float in"] = lambda pixels: outside(pixels / np.float32(255))
    expected = tp.export.from_keras(model, prepare).predict(examples)
    seconds, scores = in_turn(runs, examples, repeats)
    tell(name, files, seconds, scores, expected)


def loop(model: keras.Model, folder: pathlib.Path) -> pathlib.Path:
    takes = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, "sequences")
    data = converted(scoring(float32_twin(model), (), "tflite"), takes, model)
    path = folder / "loop.tflite"
    path.write_bytes(data)
    return path


def in_turn(
    runs: dict[str, Run], examples: np.ndarray, repeats: int
) -> tuple[dict[str, list[float]], dict[str, list[np.ndarray]]]:
    """Seconds of each run on the first examples, and the scores for all."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    scores: dict[str, list[np.ndarray]] = {name: [] for name in runs}
    for place, example in enumerate(examples):
        for name, run in runs.items():
            if place >= SLOW_EXAMPLES and statistics.median(seconds[name]) > 1:
                continue
            started = time.perf_counter()
            scores[name].append(run(example).copy())
            if 0 < place <= repeats:
                seconds[name].append(time.perf_counter() - started)
    return seconds, scores


def tell(
    title: str,
    files: dict[str, pathlib.Path],
    seconds: dict[str, list[float]],
    scores: dict[str, list[np.ndarray]],
    expected: np.ndarray,
) -> None:
    size, exact = files["float32"].stat().st_size, seconds["float32"]
    rows = []
    for name, path in files.items():
        found = np.stack(scores[name])
        keras_scores = expected[: len(found)]
        ratios = [e / s for e, s in zip(exact, seconds[name], strict=False)]
        rows.append(
            [
                name,
                f"{path.stat().st_size:,}",
                f"{path.stat().st_size / size:.3f}",
                f"{statistics.median(seconds[name]) * 1000:.3f}",
                f"{statistics.median(ratios):.2f}",
                f"{np.mean(found.argmax(-1) == keras_scores.argmax(-1)):.4f}",
                f"{np.abs(found - keras_scores).max():.1e}",
            ]
        )
    heads = [title, "bytes", "of float32", "ms", "float32's ms / its", "agreement", "largest diff"]
    print(tp.report.text_table(heads, rows), flush=True)


MODELS = {"lenet5": lenet5, "bilstm": bilstm, "resnet50": resnet50}
SLOW_EXAMPLES = 4  # of a mode that takes seconds for each


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--repeats", type=int, default=30, help="examples that are timed")
    flags = parser.parse_args()
    keras.utils.set_random_seed(0)
    for name in flags.models:
        with tempfile.TemporaryDirectory() as folder:
            compare(name, flags.repeats, pathlib.Path(folder))


if __name__ == "__main__":
    main()
