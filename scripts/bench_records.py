"""Writing and reading records, beside TensorFlow Datasets on the same images.

    taskset -c 0,1 python scripts/bench_records.py [--images 3000] [--side 224] [--repeats 7]

Draws JPEG files, then writes them with `records.write` and with TFDS builders that decode every
image, too: with OpenCV, which accepts some that TensorFlow will refuse when they are read, or
with TensorFlow. Decoding alone, in parallel and with nothing else to do, is the bound for every
writer that looks at the pixels. Then reads the records with `records.read`, with TFDS'
`as_dataset` and with a bare `TFRecordDataset` that parses and decodes. The runs take turns;
medians and ratios are printed.
"""

import argparse
import functools
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable

import cv2
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from _bench import take_turns, tell

import tfpipe as tp

CLASSES = ("first", "second")
BATCH_SIZE = 64


def is_sound_for_opencv(data: bytes) -> bool:
    return cv2.imdecode(np.frombuffer(data, np.uint8), 1) is not None


def is_sound_for_tensorflow(data: bytes) -> bool:
    return bool(tf.io.decode_jpeg(data, 3, dct_method="INTEGER_ACCURATE").shape[0])


class Peer(tfds.core.GeneratorBasedBuilder):
    """The same images through TFDS; it would not look at their pixels by itself."""

    VERSION = tfds.core.Version("1.0.0")
    images: pathlib.Path
    is_sound: Callable[[bytes], bool]

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Image(),
            "label": tfds.features.ClassLabel(names=CLASSES),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager: object) -> dict[str, object]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> object:
        for path in sorted(self.images.glob("*/*")):
            if not type(self).is_sound(path.read_bytes()):
                raise ValueError(path)
            yield path.name, {"image": path, "label": path.parent.name}


def draw(folder: pathlib.Path, num_images: int, side_px: int) -> None:
    """Writes JPEG files of smooth noise, about as large as photographs of that size."""
    random = np.random.default_rng(0)
    for index in range(num_images):
        coarse = random.integers(0, 256, (side_px // 8, side_px // 8, 3), np.uint8)
        image = cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
        path = folder / CLASSES[index % 2] / f"{index:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)


def write_with_tfpipe(images: pathlib.Path, out: pathlib.Path) -> None:
    tp.records.write(tp.records.image_folder(images, split=(1.0,)), out / "tfpipe", workers=None)


def write_with_tfds(
    images: pathlib.Path, out: pathlib.Path, is_sound: Callable[[bytes], bool]
) -> None:
    Peer.images, Peer.is_sound = images, staticmethod(is_sound)
    Peer(data_dir=out / "tfds").download_and_prepare()


def only_decode(images: pathlib.Path, out: pathlib.Path) -> None:
    """What no writer that decodes with TensorFlow can be quicker than."""

    def height(path: tf.Tensor) -> tf.Tensor:
        data = tf.io.read_file(path)
        return tf.shape(tf.io.decode_jpeg(data, 3, dct_method="INTEGER_ACCURATE"))[0]

    paths = tf.data.Dataset.from_tensor_slices([str(path) for path in images.glob("*/*")])
    for _ in paths.map(height, num_parallel_calls=len(os.sched_getaffinity(0))):
        pass


def bare(manifest: tp.records.Manifest) -> tf.data.Dataset:
    spec = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }

    def one(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        example = tf.io.parse_single_example(record, spec)
        image = tf.io.decode_jpeg(example["image"], channels=3, dct_method="INTEGER_ACCURATE")
        return image, example["label"]

    records = tf.data.TFRecordDataset(manifest.files("train"))
    batches = records.map(one, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH_SIZE)
    return batches.prefetch(tf.data.AUTOTUNE)


def through_tfds(manifest: tp.records.Manifest) -> tf.data.Dataset:
    # Its cache would answer every round but the first from memory.
    config = tfds.ReadConfig(try_autocache=False)
    examples = tfds.builder_from_directory(manifest.path).as_dataset("train", read_config=config)
    return examples.batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--repeats", type=int, default=7)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        images, out = pathlib.Path(folder) / "images", pathlib.Path(folder) / "out"
        draw(images, flags.images, flags.side)

        def anew(write: Callable[[pathlib.Path, pathlib.Path], None]) -> Callable[[], None]:
            def run() -> None:
                shutil.rmtree(out, ignore_errors=True)
                write(images, out)

            return run

        writing = {
            "tfpipe": anew(write_with_tfpipe),
            "tfds, OpenCV decodes": anew(
                functools.partial(write_with_tfds, is_sound=is_sound_for_opencv)
            ),
            "tfds, TensorFlow decodes": anew(
                functools.partial(write_with_tfds, is_sound=is_sound_for_tensorflow)
            ),
            "only decoding": anew(only_decode),
        }
        tell("writing", take_turns(writing, flags.repeats), flags.images)
        anew(write_with_tfpipe)()
        manifest = tp.records.load(out / "tfpipe")

        def drain(dataset: tf.data.Dataset) -> Callable[[], object]:
            return lambda: [None for _ in dataset]

        reading = {
            "tfpipe": drain(tp.records.read(manifest, "train", batch_size=BATCH_SIZE)),
            "tfds": drain(through_tfds(manifest)),
            "bare": drain(bare(manifest)),
        }
        tell("reading", take_turns(reading, flags.repeats), flags.images)


if __name__ == "__main__":
    main()
