"""What goes with the model files."""

import numpy as np
import tensorflow as tf

from tfpipe import export
from tfpipe.export.bundling.describe import run_again


def test_the_programs_use_the_smallest_tflite_file(bundled):
    sizes = {f.path: f.bytes for f in bundled.report.files if f.format == "tflite"}
    assert min(sizes, key=sizes.get) == "int8.tflite"
    for name in ("use.py", "Use.kt", "Use.swift"):
        assert "Runs int8.tflite on" in (bundled.path / name).read_text(encoding="utf-8")


def test_of_masks_the_classes_are_kept_in_bytes(tmp_path):
    def run(images):
        return np.stack([images[..., 0] < 100, images[..., 0] >= 100], -1).astype(np.float32)

    reference = export.Predictor("by hand", "keras", "float32", (4, 4, 1), "uint8", 0.0, run)
    images = np.arange(48, dtype=np.uint8).reshape(3, 4, 4, 1) * 5
    masks = np.zeros((3, 4, 4, 1), np.int32)
    check = tf.data.Dataset.from_tensor_slices((images, masks)).batch(2)
    results = run_again(tmp_path, export.Report({}, ()), reference, check, task="mask")
    np.testing.assert_array_equal(results.inputs, images)
    assert results.scores["by hand"].dtype == np.uint8
    np.testing.assert_array_equal(results.scores["by hand"], images[..., 0] >= 100)
