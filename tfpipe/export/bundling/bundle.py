"""The folder that a user ships: files that were run and scored, and all that goes with them.

Example:

    bundle = tp.export.bundle(model, manifest, "out/xray", prepare=prepare)
    print(bundle)
"""

import dataclasses
import functools
import hashlib
import pathlib
import shutil
import types
from collections.abc import Mapping, Sequence

import numpy as np

from tfpipe.backend import keras
from tfpipe.errors import RequestError, received
from tfpipe.export.bundling import aware
from tfpipe.export.bundling.bundled import Bundle, is_bundle, load_bundle, seal
from tfpipe.export.bundling.describe import Parts, describe, run_again
from tfpipe.export.bundling.facts import facts
from tfpipe.export.bundling.formats import check_formats, write
from tfpipe.export.bundling.ladder import check_bars, climb, standing
from tfpipe.export.bundling.page import PNG
from tfpipe.export.bundling.profiled import to_profile
from tfpipe.export.bundling.thresholds import about_labels
from tfpipe.export.reading.predictor import Predictor, from_keras
from tfpipe.export.scoring.file_report import FileReport
from tfpipe.export.scoring.verify import verify
from tfpipe.files import Path, staged
from tfpipe.ops import Chain
from tfpipe.records import Manifest, read

BARS: Mapping[str, float] = types.MappingProxyType({"score_lost": 0.02})
BATCH_SIZE = 32
TARGETS = ("label", "labels", "mask", "target")  # what verification can score


def bundle(
    model: keras.Model,
    manifest: Manifest,
    path: Path,
    *,
    prepare: Chain,
    formats: Sequence[str] = ("float32", "int8", "onnx"),
    split: str = "test",
    require: Mapping[str, float] = BARS,
    notes: Mapping[str, str | bytes] = types.MappingProxyType({}),
) -> Bundle:
    """Writes the folder that a user ships, whole or not at all.

    In it are the model files, `labels.txt`, `chain.json`, `manifest.json` (what the data was),
    `report.json`, `report.html`, `model_card.md`, and for TFLite files a program of some 20 lines
    in Python, Kotlin and Swift that uses one of them.

    Every file is run on the whole split. Where one misses a bar, the next kind takes its place:
    int8, int8 with quantisation-aware training (int8_qat), int16x8, dynamic, float16. That is
    printed, and stands in the report and on the card.

    Of examples with several `labels`, the report has a table: the AUROC of each with its interval,
    and a threshold, chosen on the split "val" by Youden's J (`thresholds.json`).

    Args:
        model: a trained Keras model with one input and one output.
        manifest: what `records.write` or `records.load` returned; its split "train" is what
            quantisation takes its ranges from.
        path: the folder; a bundle that stands there is replaced.
        prepare: the chain that the model was trained with.
        formats: "float32", "float16", "dynamic", "int8", "int16x8" (TFLite), "onnx",
            "saved_model", "keras".
        split: the split that the files are run on; the model must not have been trained on it.
        require: the bars that every file must keep, as `Report.require` takes them.
        notes: what you know and tfpipe cannot: headings to text or to a picture (PNG bytes), for
            the page and the card, as {"Intended use": "Not for clinical use."}.

    Returns:
        The bundle, as `load_bundle` reads it.

    Raises:
        RequestError: no such format, split or bar, a model or chain that does not fit, a folder
            that holds other files, or no file that keeps the bars. Then nothing is written.
        DataError: the records are damaged.
    """
    wanted, target = check_formats(formats), pathlib.Path(path)
    check_bars(require)
    _check_notes(notes)
    refuse_other_content(target)
    task = _task(model, manifest)
    calibration, check = (
        read(manifest, name, prepare.outside(), batch_size=BATCH_SIZE) for name in ("train", split)
    )
    reference = _remembering(from_keras(model, prepare))
    with staged(target) as folder:
        folder.mkdir()

        @functools.cache  # two formats may meet on the same rung
        def make(rung: str) -> FileReport:
            if rung == aware.NAME:
                file = aware.write_aware(model, manifest, folder, prepare=prepare)
            else:
                options = {"prepare": prepare, "calibration": calibration}
                file = write(rung, model, folder, class_names=manifest.class_names, **options)
            return verify(reference, [file], check).files[0]

        ladders = [climb(format, make, require) for format in wanted]
        report = standing(verify(reference, [], check), ladders)
        more = facts(model, reference, split=split, require=require, notes=notes)
        report = dataclasses.replace(report, reference={**report.reference, **more})
        _remove_all_but(folder, [file.path for file in report.files])
        results = run_again(folder, report, reference, check, task=task)
        if task == "labels":
            labels = about_labels(results, manifest, prepare, reference, split=split)
            report = dataclasses.replace(report, reference={**report.reference, "labels": labels})
        describe(folder, Parts(manifest, prepare, task, report, results, notes))
        to_profile(folder, model, manifest, prepare, split=split)
        seal(folder)
    return load_bundle(target)


def refuse_other_content(folder: pathlib.Path) -> None:
    """A bundle takes the place of a bundle, of an empty folder or of nothing."""
    if folder.exists() and not folder.is_dir():
        raise RequestError(f"Expected {str(folder)!r} to be a folder. It is a file.")
    if folder.is_dir() and any(folder.iterdir()) and not is_bundle(folder):
        raise RequestError(
            f"{str(folder)!r} holds files that are not of a bundle. "
            "Choose an empty or a new folder."
        )


def _check_notes(notes: Mapping[str, str | bytes]) -> None:
    for heading, note in notes.items():
        if not isinstance(note, str) and not (isinstance(note, bytes) and note.startswith(PNG)):
            expected = f"`notes[{heading!r}]` to be text, or a picture as PNG bytes"
            raise RequestError(received(expected, note=note))


def _task(model: keras.Model, manifest: Manifest) -> str:
    """The name of the targets, where the model's output can stand for them."""
    task = next((name for name in TARGETS if name in manifest.features), "")
    if not task:
        raise RequestError(
            f"Expected examples with one of {', '.join(map(repr, TARGETS))}, so that files can be "
            f"scored. {manifest.name!r} has: {', '.join(map(repr, manifest.features))}"
        )
    num_scores, num_classes = model.output_shape[-1], manifest.num_classes
    fits = num_scores == num_classes or (num_scores == 1 and num_classes == 2)
    if manifest.class_names and not fits:
        raise RequestError(
            f"Expected a model with one score per class of {manifest.name!r}, {num_classes}. "
            f"Received: {model.name!r}, whose output has the shape {model.output_shape}."
        )
    return task


def _remembering(predictor: Predictor) -> Predictor:
    """It computes once: every rung and the page compare with the same scores.

    Those of masks are too large to be kept.
    """
    known: dict[bytes, np.ndarray] = {}

    def run(inputs: np.ndarray) -> np.ndarray:
        key = hashlib.sha256(np.ascontiguousarray(inputs).data).digest()
        scores = known[key] if key in known else predictor.run(inputs)
        if scores.ndim == 2:
            known[key] = scores
        return scores

    return dataclasses.replace(predictor, run=run)


def _remove_all_but(folder: pathlib.Path, names: Sequence[str]) -> None:
    for entry in folder.iterdir():
        if entry.name in names:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
