"""A small job, from drawn pictures to answers: does everything work together here?

Each step takes what the one before left in a folder, and returns a Finding:

    for step in STEPS.values():
        print(step(pathlib.Path("tour")))
"""

import pathlib
import types
from collections.abc import Callable, Mapping

import cv2
import numpy as np

from tfpipe import export, models, ops, records, train
from tfpipe.backend import keras
from tfpipe.doctor.finding import GOOD, WRONG, Finding
from tfpipe.export import Predictor

CLASSES = ("cross", "disc", "square")
NUM_EACH = 120
SIZE_PX = 32
EPOCHS = 6
BATCH = 16
LEAST_ACCURACY = 0.9  # 1.0 is usual: the shapes are easy to tell apart
LEAST_AGREEMENT = 0.95
FILES = ("float32.tflite", "int8.tflite", "model.onnx", "saved_model")
TODO = (
    "Packages do not fit together: install the tested versions (see `packages`); where it is so "
    "with them, report it with what --json prints"
)


def ingest(folder: pathlib.Path) -> Finding:
    """Draws pictures in folders of their classes, and writes them as TFRecord shards."""
    rng = np.random.default_rng(0)
    for name in CLASSES:
        (folder / "pictures" / name).mkdir(parents=True)
        for number in range(NUM_EACH):
            cv2.imwrite(str(folder / "pictures" / name / f"{number}.png"), drawn(name, rng))
    source = records.image_folder(folder / "pictures", split=(0.7, 0.1, 0.2), channels=1)
    manifest = records.write(source, folder / "records", workers=0)
    counts = ", ".join(f"{name} {info.num_examples}" for name, info in manifest.splits.items())
    return Finding("ingest", GOOD, f"drawn pictures to TFRecord shards: {counts}")


def learn(folder: pathlib.Path) -> Finding:
    """Trains LeNet-5 on them, and looks at how many of the others it knows."""
    manifest, prepare = records.load(folder / "records"), _prepare()
    batches = {
        split: records.read(manifest, split, prepare, batch_size=BATCH, shuffle_seed=seed)
        for split, seed in (("train", 0), ("test", None))
    }
    with train.distribute(seed=0):
        model = models.lenet5((SIZE_PX, SIZE_PX, 1), num_classes=len(CLASSES))
        adam = keras.optimizers.Adam(3e-3)
        history = train.fit(model, batches["train"], batches["test"], optimizer=adam, epochs=EPOCHS)
    model.save(folder / "model.keras")
    accuracy = history.history["val_accuracy"][-1]
    found = f"LeNet-5, {EPOCHS} epochs: accuracy {accuracy:.3f} on pictures that it has not seen"
    return _judged("train", found, accuracy >= LEAST_ACCURACY)


def write(folder: pathlib.Path) -> Finding:
    """Writes the model in every format."""
    model, prepare = keras.models.load_model(folder / "model.keras"), _prepare()
    manifest = records.load(folder / "records")
    calibration = records.read(manifest, "train", prepare.outside(), batch_size=BATCH)
    small = {"prepare": prepare, "calibration": calibration}
    export.to_tflite(model, folder / FILES[0], prepare=prepare)
    export.to_tflite(model, folder / FILES[1], mode="int8", **small)
    export.to_onnx(model, folder / FILES[2], prepare=prepare)
    export.to_saved_model(model, folder / FILES[3], prepare=prepare)
    return Finding("export", GOOD, ", ".join(FILES))


def predict(folder: pathlib.Path) -> Finding:
    """Loads the files, and compares what they say with what the model says."""
    prepare = _prepare()
    pixels = records.read(
        records.load(folder / "records"), "test", prepare.outside(), batch_size=BATCH
    )
    images = np.concatenate([inputs for inputs, _ in pixels.as_numpy_iterator()])
    model = keras.models.load_model(folder / "model.keras")
    expected = _answers(export.from_keras(model, prepare), images)
    shares = {
        name: float(np.mean(_answers(export.load(folder / name), images) == expected))
        for name in FILES
    }
    found = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
    right = min(shares.values()) >= LEAST_AGREEMENT
    return _judged("predict", f"answers as the Keras model does: {found}", right)


STEPS: Mapping[str, Callable[[pathlib.Path], Finding]] = types.MappingProxyType(
    {"ingest": ingest, "train": learn, "export": write, "predict": predict}
)


def drawn(name: str, rng: np.random.Generator) -> np.ndarray:
    """A bright shape on a dark ground with noise, uint8 (32, 32).

    Args:
        name: "cross", "disc" or "square".
        rng: for place, size and noise.

    >>> drawn("disc", np.random.default_rng(0)).shape
    (32, 32)
    """
    picture = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
    x, y = (int(place) for place in rng.integers(13, 19, 2))
    size = int(rng.integers(6, 10))
    bright = int(rng.integers(150, 250))
    if name == "disc":
        cv2.circle(picture, (x, y), size, bright, -1)
    elif name == "square":
        cv2.rectangle(picture, (x - size, y - size), (x + size, y + size), bright, -1)
    else:
        cv2.line(picture, (x - size, y - size), (x + size, y + size), bright, 3)
        cv2.line(picture, (x - size, y + size), (x + size, y - size), bright, 3)
    return cv2.add(picture, rng.integers(0, 30, picture.shape, dtype=np.uint8))


def _prepare() -> ops.Chain:
    return ops.Chain([ops.Decode(channels=1), ops.Resize((SIZE_PX, SIZE_PX)), ops.ToFloat()])


def _answers(predictor: Predictor, images: np.ndarray) -> np.ndarray:
    return predictor.predict(images).argmax(-1)


def _judged(name: str, found: str, right: bool) -> Finding:
    return Finding(name, GOOD, found) if right else Finding(name, WRONG, found, TODO)
