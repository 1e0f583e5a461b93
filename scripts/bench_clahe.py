"""CLAHE in `tf.data`, beside OpenCV in a pool of threads and Keras' own layer.

    python scripts/bench_clahe.py [--repeats 7] [--batches 64] [--megapixels 4]

Equalises batches of smooth pictures at 256x256 and 1024x1024, in turn with
`cv2.createCLAHE(2, (8, 8))` in a pool of one thread per core, and with
`keras.layers.ContrastLimitedAdaptiveHistogramEqualization` (on an eighth of the batches, each an
eighth as large), all without tf.data's autotuner. Medians and ratios are printed; then on what
share of the pixels each equals OpenCV, and the memory that tfpipe takes beyond the images that
come in, at the peak, in a process of its own.
"""

import argparse
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2
import keras
import numpy as np
import tensorflow as tf
from _bench import take_turns, tell

import tfpipe as tp
from tfpipe.untuned import untuned

SIZES_PX = (256, 1024)
MEMORY_MEGAPIXELS = 32
CLAHE = tp.ops.Clahe(2.0, (8, 8))
THROUGH_OPENCV = tp.ops.Clahe(2.0, (8, 8), backend="opencv")


def draw(count: int, size_px: int) -> np.ndarray:
    """Smooth noise, about as uneven as a photograph."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (count, size_px // 8, size_px // 8), np.uint8)
    size = (size_px, size_px)
    fine = [cv2.resize(image, size, interpolation=cv2.INTER_CUBIC) for image in coarse]
    return np.stack(fine)[..., None]


def with_opencv(image: np.ndarray) -> np.ndarray:
    return cv2.createCLAHE(2.0, (8, 8)).apply(image[..., 0])[..., None]


def through_tf_data(
    equalise: Callable[..., object], images: np.ndarray, batches: int
) -> Callable[[], object]:
    dataset = tf.data.Dataset.from_tensors(images).repeat(batches)
    dataset = dataset.map(equalise, num_parallel_calls=tf.data.AUTOTUNE)
    dataset = untuned(dataset.prefetch(tf.data.AUTOTUNE))
    return lambda: [None for _ in dataset]


def compare(size_px: int, repeats: int, batches: int, megapixels: float) -> None:
    count = max(1, int(megapixels * 2**20) // size_px**2)
    images = draw(count, size_px)
    pool = ThreadPoolExecutor(os.cpu_count())
    layer = keras.layers.ContrastLimitedAdaptiveHistogramEqualization(
        value_range=(0, 255), clip_limit=2.0, tile_grid_size=(8, 8), dtype="uint8"
    )

    def theirs() -> None:
        for _ in range(batches):
            np.stack(list(pool.map(with_opencv, images)))

    runs = {
        "tfpipe": through_tf_data(CLAHE.apply, images, batches),
        'backend="opencv"': through_tf_data(THROUGH_OPENCV.apply, images, batches),
        "OpenCV in a pool": theirs,
    }
    tell(f"{size_px}x{size_px}", take_turns(runs, repeats), count * batches)
    few = images[: max(1, count // 8)]
    runs = {
        "tfpipe": through_tf_data(CLAHE.apply, few, batches // 8),
        "Keras": through_tf_data(layer, few, batches // 8),
    }
    tell(f"{size_px}x{size_px}", take_turns(runs, min(repeats, 3)), len(few) * (batches // 8))
    expected = np.stack([with_opencv(image) for image in few])
    for name, found in (("tfpipe", CLAHE.apply(few)), ("Keras", layer(few))):
        share = (np.rint(np.asarray(found)) == expected).mean()
        print(f"{name} equals OpenCV on {share:.4f} of the pixels at {size_px}x{size_px}")


def status_bytes(name: str) -> int:
    """A field of this process' status: VmRSS, what it holds, or VmHWM, the most it held."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(name))
    return int(line.split()[1]) * 1024


def peak_memory(size_px: int, form: str) -> None:
    """Bytes per pixel beyond the images; compiling for this batch is in them."""
    images = tf.constant(draw(MEMORY_MEGAPIXELS * 2**20 // size_px**2, size_px))
    unknown = [tf.TensorSpec((None, None, None, 1), tf.uint8)]
    signature = None if form == "compiled" else unknown
    equalise = tf.function(CLAHE.apply, input_signature=signature)
    equalise(images[:1])  # loads what is loaded once
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # VmHWM starts anew
    before = status_bytes("VmRSS")
    equalise(images)
    spent = (status_bytes("VmHWM") - before) / np.prod(images.shape)
    print(f"{spent:.1f} bytes per pixel at the peak, {form}, {images.shape}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--batches", type=int, default=64)
    parser.add_argument("--megapixels", type=float, default=4, help="pixels of a batch")
    parser.add_argument("--memory", nargs=2, help=argparse.SUPPRESS)  # the process of its own
    flags = parser.parse_args()
    cv2.setNumThreads(0)
    if flags.memory:
        peak_memory(int(flags.memory[0]), flags.memory[1])
        return
    for size_px in SIZES_PX:
        compare(size_px, flags.repeats, flags.batches, flags.megapixels)
        for form in ("compiled", "plain"):
            command = [sys.executable, __file__, "--memory", str(size_px), form]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
