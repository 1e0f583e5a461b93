"""What quantisation-aware training gives: scores of int8 files, calibrated and trained.

    python scripts/bench_quantize_aware.py                # scikit-learn's digits
    python scripts/bench_quantize_aware.py --data DIR     # MNIST's four .gz files

"lenet5, pruned" has 80 % zeros. "stretched" is a small convolutional network whose channels were
scaled by 1 to 300 and back behind the next layer: the same function, which one range for all
channels cannot hold.
"""

import argparse
import pathlib
import tempfile

import cv2
import keras
import numpy as np
import tensorflow as tf

import tfpipe as tp

PREPARE = tp.ops.Chain([tp.ops.Decode(channels=1), tp.ops.Resize((32, 32)), tp.ops.ToFloat()])
L = keras.layers


def source(data: str | None) -> tp.records.Source:
    """The digits, divided into train, val and test."""
    if data:
        return tp.records.idx(data)
    from sklearn.datasets import load_digits

    digits = load_digits()
    greys = np.stack([cv2.resize(image, (32, 32)) for image in digits.images * 255 / 16])
    pixels = greys.round().astype(np.uint8)
    return tp.records.arrays(pixels, digits.target, split=(0.7, 0.1, 0.2), name="digits")


def stretched(train: tf.data.Dataset, epochs: int) -> keras.Model:
    """Convolutions with batch normalisation, trained, then scaled channel by channel."""
    x = h = keras.Input((32, 32, 1))
    for stage, width in enumerate((16, 32, 32)):
        h = L.Conv2D(width, 3, 2, "same", use_bias=False, name=f"conv{stage}")(h)
        h = L.ReLU()(L.BatchNormalization(momentum=0.9, name=f"norm{stage}")(h))
        h = L.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"depthwise{stage}")(h)
        h = L.ReLU(6.0)(L.BatchNormalization(momentum=0.9)(h))
    model = keras.Model(x, L.Dense(10, activation="softmax")(L.GlobalAveragePooling2D()(h)))
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    tp.train.fit(model, train, epochs=epochs)
    draws = np.random.default_rng(0)
    for stage in range(3):
        norm, depthwise = model.get_layer(f"norm{stage}"), model.get_layer(f"depthwise{stage}")
        scale = np.exp(draws.uniform(0, np.log(300), norm.gamma.shape)).astype(np.float32)
        norm.gamma.assign(norm.gamma * scale)
        norm.beta.assign(norm.beta * scale)
        depthwise.kernel.assign(depthwise.kernel / scale[:, None])
    return model


def lenet(train: tf.data.Dataset, epochs: int) -> keras.Model:
    """LeNet-5 with 80 % zeros."""
    model = tp.models.build("lenet5", input_shape=(32, 32, 1), num_classes=10)
    tp.train.fit(model, train, epochs=epochs)
    return tp.compress.prune(model, train, final_sparsity=0.8, epochs=max(1, epochs // 2))


def row(name: str, report: tp.export.Report, place: int) -> list[str]:
    """A file's line of the table."""
    file = report.files[place]
    cells = [f"{value:.4f}" for value in (file.agreement, file.score, file.score_lost)]
    return [name, f"{file.bytes:,}", *cells, f"{file.sparsity:.3f}"]


def main() -> None:
    """Trains, writes, verifies, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="the folder of MNIST's files")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--quantized-epochs", type=int, default=5)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp())
    manifest = tp.records.write(source(options.data), folder / "records")
    train = tp.records.read(manifest, "train", PREPARE, batch_size=64, shuffle_seed=0, cache=True)
    pixels = tp.records.read(manifest, "train", PREPARE.outside(), batch_size=64)
    test = tp.records.read(manifest, "test", PREPARE.outside(), batch_size=64)
    rows = []
    for name, build in (("lenet5, pruned", lenet), ("stretched", stretched)):
        keras.utils.set_random_seed(0)
        model = build(train, options.epochs)
        quantised = tp.compress.quantize_aware(
            model, train, epochs=options.quantized_epochs, optimizer=keras.optimizers.Adam(1e-3)
        )
        write = {"mode": "int8", "prepare": PREPARE, "calibration": pixels}
        files = [
            tp.export.to_tflite(model, folder / "calibrated.tflite", **write),
            tp.export.to_tflite(quantised, folder / "trained.tflite", **write),
        ]
        report = tp.export.verify(tp.export.from_keras(model, PREPARE), files, test)
        rows += [[name, "", "", f"{report.reference['score']:.4f}", "", ""]]
        rows += [row("  int8, calibrated", report, 0), row("  int8, trained", report, 1)]
    heads = ["file", "bytes", "agreement", "score", "lost", "sparsity"]
    print(tp.report.text_table(heads, rows))


if __name__ == "__main__":
    main()
