"""The whole input pipeline, beside what people use today: files to normalised batches.

    python scripts/bench_pipeline.py [--images 2000] [--side 500] [--size 256] [--repeats 5]

Draws grey JPEG and PNG files, then decodes, resizes, applies CLAHE, scales to 0..1 and batches
them

- with `records.read` and a chain (from TFRecord), with either backend of `Clahe`,
- with a `tf.data.Dataset` of the files that calls OpenCV in a `numpy_function` per image,
- with PyTorch's DataLoader and OpenCV, a process per core, and
- with `keras.utils.image_dataset_from_directory` and Keras' CLAHE layer.

All resize with the plain bilinear filter, the default of OpenCV and of Keras' loader; with
`--antialias` tfpipe takes its own default, which widens the filter, and OpenCV INTER_AREA (Keras'
loader has no such filter). The datasets of TensorFlow run without its autotuner. The runs take
turns; medians and ratios are printed. PyTorch is no dependency: without it that row is left out.
`pip install --target DIR torch` installs it where only `PYTHONPATH=DIR` sees it.
"""

import argparse
import importlib.util
import os
import pathlib
import tempfile
from collections.abc import Callable, Iterable
from typing import Any

import cv2
import keras
import numpy as np
import tensorflow as tf
from _bench import take_turns, tell

import tfpipe as tp
from tfpipe.untuned import untuned

BATCH_SIZE = 64
CLASSES = ("first", "second")
CLIP_LIMIT = 2.0


def draw(folder: pathlib.Path, num_images: int, side_px: int, suffix: str) -> None:
    """Writes files of smooth noise, about as large as photographs of that size."""
    random = np.random.default_rng(0)
    for index in range(num_images):
        coarse = random.integers(0, 256, (side_px // 8, side_px // 8), np.uint8)
        image = cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
        path = folder / CLASSES[index % 2] / f"{index:06d}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)


def with_tfpipe(
    manifest: tp.records.Manifest, size_px: int, antialias: bool, backend: str
) -> tf.data.Dataset:
    chain = tp.ops.Chain(
        [
            tp.ops.Decode(channels=1),
            tp.ops.Resize((size_px, size_px), antialias=antialias),
            tp.ops.Clahe(clip_limit=CLIP_LIMIT, backend=backend),
            tp.ops.ToFloat(),
        ]
    )
    return tp.records.read(manifest, "train", chain, batch_size=BATCH_SIZE)


def prepare_with_opencv(image: np.ndarray, size_px: int, antialias: bool) -> np.ndarray:
    interpolation = cv2.INTER_AREA if antialias else cv2.INTER_LINEAR
    resized = cv2.resize(image, (size_px, size_px), interpolation=interpolation)
    clahe = cv2.createCLAHE(CLIP_LIMIT, (8, 8))
    return clahe.apply(resized)[..., None] * np.float32(1 / 255)


def with_numpy_function(images: pathlib.Path, size_px: int, antialias: bool) -> tf.data.Dataset:
    cv2.setNumThreads(0)  # tf.data calls it from many threads itself
    paths = sorted(map(str, images.glob("*/*")))
    labels = [CLASSES.index(pathlib.Path(path).parent.name) for path in paths]

    def one(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image = tf.io.decode_image(tf.io.read_file(path), 1, expand_animations=False)[..., 0]
        prepared = tf.numpy_function(
            lambda image: prepare_with_opencv(image, size_px, antialias), [image], tf.float32
        )
        return tf.ensure_shape(prepared, (size_px, size_px, 1)), label

    dataset = tf.data.Dataset.from_tensor_slices((paths, labels))
    batches = dataset.map(one, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH_SIZE)
    return untuned(batches.prefetch(tf.data.AUTOTUNE))


class Files:
    """A dataset as PyTorch's DataLoader takes it: a length, and an item by its index."""

    def __init__(self, images: pathlib.Path, size_px: int, antialias: bool):
        self.paths = sorted(map(str, images.glob("*/*")))
        self.size_px, self.antialias = size_px, antialias

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        image = cv2.imread(self.paths[index], cv2.IMREAD_GRAYSCALE)
        label = CLASSES.index(pathlib.Path(self.paths[index]).parent.name)
        return prepare_with_opencv(image, self.size_px, self.antialias), label


def with_torch(images: pathlib.Path, size_px: int, antialias: bool) -> Iterable[Any]:
    from torch.utils.data import DataLoader

    return DataLoader(
        Files(images, size_px, antialias),
        batch_size=BATCH_SIZE,
        num_workers=os.cpu_count() or 1,
        persistent_workers=True,  # they start once, in the round that is not counted
        multiprocessing_context="spawn",  # TensorFlow's threads do not survive a fork
        worker_init_fn=one_thread,
    )


def one_thread(worker: int) -> None:
    cv2.setNumThreads(0)


def with_keras(images: pathlib.Path, size_px: int) -> tf.data.Dataset:
    layer = keras.layers.ContrastLimitedAdaptiveHistogramEqualization(
        value_range=(0, 255), clip_limit=CLIP_LIMIT, tile_grid_size=(8, 8)
    )
    # One image at a time: the layer makes 256 floats of every pixel, 4 GB for a batch.
    examples = keras.utils.image_dataset_from_directory(
        images,
        color_mode="grayscale",
        image_size=(size_px, size_px),
        batch_size=None,
        shuffle=False,
        verbose=False,
    )

    def prepare(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return layer(image) / 255, label

    batches = examples.map(prepare, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH_SIZE)
    return untuned(batches.prefetch(tf.data.AUTOTUNE))


def bench(flags: argparse.Namespace, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        images, out = pathlib.Path(folder) / "images", pathlib.Path(folder) / "records"
        draw(images, flags.images, flags.side, suffix)
        source = tp.records.image_folder(images, split=(1.0,), channels=1)
        manifest = tp.records.write(source, out)
        size = (flags.size, flags.antialias)
        pipelines: dict[str, Iterable[Any]] = {
            "tfpipe": with_tfpipe(manifest, *size, backend="tensorflow"),
            'backend="opencv"': with_tfpipe(manifest, *size, backend="opencv"),
            "numpy_function": with_numpy_function(images, flags.size, flags.antialias),
        }
        if importlib.util.find_spec("torch") is None:
            print("PyTorch is not installed: its row is left out (see --help).")
        else:
            pipelines["torch"] = with_torch(images, flags.size, flags.antialias)
        if not flags.skip_keras:
            pipelines["keras"] = with_keras(images, flags.size)

        def drain(pipeline: Iterable[Any]) -> Callable[[], object]:
            return lambda: [None for _ in pipeline]

        runs = {name: drain(pipeline) for name, pipeline in pipelines.items()}
        title = f"{suffix[1:]} {flags.side} to {flags.size}"
        tell(title, take_turns(runs, flags.repeats), flags.images)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--side", type=int, default=500)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--antialias", action="store_true", help="filter what gets smaller")
    parser.add_argument("--skip-keras", action="store_true", help="it is by far the slowest")
    flags = parser.parse_args()
    for suffix in (".jpg", ".png"):
        bench(flags, suffix)


if __name__ == "__main__":
    main()
