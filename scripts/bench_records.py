"""Writing and reading records, beside TensorFlow Datasets on the same images.

    taskset -c 0,1 python scripts/bench_records.py [--kinds photographs x-rays digits]
        [--repeats 7] [--cpu]

Draws images of each kind, then writes them with `records.write` and with TFDS builders that decode
every image, too: with OpenCV, which accepts some that TensorFlow will refuse when they are read, or
with TensorFlow. Decoding alone, in parallel and with nothing else to do, is the bound for every
writer that makes pixels. Then reads the records with `records.read`, with TFDS' `as_dataset` and
with a bare `TFRecordDataset` that parses and decodes; these two also without TensorFlow's
autotuner, for which the end of a pass may have to wait. The runs take turns; medians and ratios
are printed. `--cpu` counts the seconds of all cores together instead of the clock's: on a machine
that others use, too, they say more.
"""

import argparse
import os
import pathlib
import shutil
import tempfile
import time
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from _bench import take_turns, tell

import tfpipe as tp
from tfpipe.untuned import untuned

CLASSES = ("first", "second")
BATCH_SIZE = 64


class Kind(NamedTuple):
    suffix: str
    num_images: int
    side_px: int
    channels: int


KINDS = {
    "photographs": Kind(".jpg", 3000, 224, 3),
    "x-rays": Kind(".png", 500, 512, 1),
    "digits": Kind(".png", 20_000, 28, 1),
}


def is_sound_for_opencv(data: bytes, kind: Kind) -> bool:
    flag = cv2.IMREAD_COLOR if kind.channels == 3 else cv2.IMREAD_GRAYSCALE
    return cv2.imdecode(np.frombuffer(data, np.uint8), flag) is not None


def is_sound_for_tensorflow(data: bytes, kind: Kind) -> bool:
    return bool(decode(data, kind).shape[0])


def decode(data: bytes | tf.Tensor, kind: Kind) -> tf.Tensor:
    return tf.io.decode_jpeg(data, kind.channels, dct_method="INTEGER_ACCURATE")  # PNG, too


class Peer(tfds.core.GeneratorBasedBuilder):
    """The same images through TFDS; it would not look at their pixels by itself."""

    VERSION = tfds.core.Version("1.0.0")
    images: pathlib.Path
    kind: Kind
    is_sound: Callable[[bytes, Kind], bool]

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Image(shape=(None, None, self.kind.channels)),
            "label": tfds.features.ClassLabel(names=CLASSES),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager: object) -> dict[str, object]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> object:
        for path in sorted(self.images.glob("*/*")):
            if not type(self).is_sound(path.read_bytes(), self.kind):
                raise ValueError(path)
            yield path.name, {"image": path, "label": path.parent.name}


def draw(folder: pathlib.Path, kind: Kind) -> None:
    """Writes files of smooth noise; JPEG ones are about as large as photographs of that size."""
    random = np.random.default_rng(0)
    side_px = kind.side_px
    for index in range(kind.num_images):
        coarse = random.integers(0, 256, (side_px // 8, side_px // 8, kind.channels), np.uint8)
        image = cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
        path = folder / CLASSES[index % 2] / f"{index:06d}{kind.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)


def write_with_tfpipe(images: pathlib.Path, out: pathlib.Path, kind: Kind) -> None:
    source = tp.records.image_folder(images, split=(1.0,), channels=kind.channels)
    tp.records.write(source, out / "tfpipe", workers=None)


def write_with_tfds(
    images: pathlib.Path, out: pathlib.Path, kind: Kind, is_sound: Callable[[bytes, Kind], bool]
) -> None:
    Peer.images, Peer.kind, Peer.is_sound = images, kind, staticmethod(is_sound)
    Peer(data_dir=out / "tfds").download_and_prepare()


def only_decode(images: pathlib.Path, out: pathlib.Path, kind: Kind) -> None:
    """What no writer that makes pixels with TensorFlow can be quicker than."""

    def height(path: tf.Tensor) -> tf.Tensor:
        return tf.shape(decode(tf.io.read_file(path), kind))[0]

    paths = tf.data.Dataset.from_tensor_slices([str(path) for path in images.glob("*/*")])
    num_cores = len(os.sched_getaffinity(0))
    for _ in untuned(paths.map(height, num_parallel_calls=num_cores)):
        pass


def bare(manifest: tp.records.Manifest, kind: Kind) -> tf.data.Dataset:
    spec = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }

    def one(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        example = tf.io.parse_single_example(record, spec)
        return decode(example["image"], kind), example["label"]

    records = tf.data.TFRecordDataset(manifest.files("train"))
    batches = records.map(one, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH_SIZE)
    return batches.prefetch(tf.data.AUTOTUNE)


def through_tfds(manifest: tp.records.Manifest) -> tf.data.Dataset:
    # Its cache would answer every round but the first from memory.
    config = tfds.ReadConfig(try_autocache=False)
    examples = tfds.builder_from_directory(manifest.path).as_dataset("train", read_config=config)
    return examples.batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)


def compare(name: str, repeats: int, clock: Callable[[], float]) -> None:
    """Prints both tables for images of one kind."""
    kind = KINDS[name]
    with tempfile.TemporaryDirectory() as folder:
        images, out = pathlib.Path(folder) / "images", pathlib.Path(folder) / "out"
        draw(images, kind)

        def anew(write: Callable[..., None], **options: object) -> Callable[[], None]:
            def run() -> None:
                shutil.rmtree(out, ignore_errors=True)
                write(images, out, kind, **options)

            return run

        writing = {
            "tfpipe": anew(write_with_tfpipe),
            "tfds, OpenCV decodes": anew(write_with_tfds, is_sound=is_sound_for_opencv),
            "tfds, TensorFlow decodes": anew(write_with_tfds, is_sound=is_sound_for_tensorflow),
            "only decoding": anew(only_decode),
        }
        tell(f"writing {name}", take_turns(writing, repeats, clock=clock), kind.num_images)
        anew(write_with_tfpipe)()
        manifest = tp.records.load(out / "tfpipe")

        def drain(dataset: tf.data.Dataset) -> Callable[[], object]:
            return lambda: [None for _ in dataset]

        reading = {
            "tfpipe": drain(tp.records.read(manifest, "train", batch_size=BATCH_SIZE)),
            "tfds": drain(through_tfds(manifest)),
            "tfds, no autotuner": drain(untuned(through_tfds(manifest))),
            "bare": drain(bare(manifest, kind)),
            "bare, no autotuner": drain(untuned(bare(manifest, kind))),
        }
        tell(f"reading {name}", take_turns(reading, repeats, clock=clock), kind.num_images)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--cpu", action="store_true")
    flags = parser.parse_args()
    for name in flags.kinds:
        compare(name, flags.repeats, time.process_time if flags.cpu else time.perf_counter)


if __name__ == "__main__":
    main()
