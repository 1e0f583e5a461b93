"""The folder that a user ships: files that were run and scored, and all that goes with them.

Example:

    bundle = tp.export.bundle(model, manifest, "out/xray", prepare=prepare)
    print(bundle)
"""

import functools
import pathlib
import shutil
import types
from collections.abc import Mapping, Sequence

import numpy as np

from tfpipe.backend import keras
from tfpipe.errors import RequestError, received
from tfpipe.export.bundling import aware
from tfpipe.export.bundling.bundled import Bundle, is_bundle, load_bundle, seal
from tfpipe.export.bundling.data import Data, data_of
from tfpipe.export.bundling.describe import Parts, describe
from tfpipe.export.bundling.facts import facts
from tfpipe.export.bundling.formats import check_formats, write
from tfpipe.export.bundling.ladder import check_bars, climb, standing
from tfpipe.export.bundling.page import PNG
from tfpipe.export.bundling.profiled import to_profile
from tfpipe.export.bundling.sections.results import Results, same
from tfpipe.export.bundling.thresholds import about_labels
from tfpipe.export.reading.load import load
from tfpipe.export.scoring.boxes import in_words
from tfpipe.export.scoring.file_report import FileReport
from tfpipe.export.scoring.report import Report
from tfpipe.export.scoring.running import Answers
from tfpipe.export.scoring.verify import examine
from tfpipe.export.writing.calibration import MIN_EXAMPLES
from tfpipe.export.writing.metadata import attach
from tfpipe.files import Path, staged
from tfpipe.ops import Chain, Standardize
from tfpipe.records import Manifest, ids

FEW = (
    "Where ranges of int8 and int16x8 were taken from examples, it was from all {} of the split "
    "'train'; 100 would be few."
)
BARS: Mapping[str, float] = types.MappingProxyType({"score_lost": 0.02})


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

    In it are the model files, `labels.txt` (where there are classes), `chain.json`,
    `manifest.json` (what the data was), `report.json`, `report.html`, `model_card.md`, and for
    TFLite files a program of some 20 lines in Python, Kotlin and Swift that uses one of them; for
    texts in Python alone.

    The data may be images, texts or sequences of numbers, and their targets classes, labels,
    masks, boxes or numbers. Of a text, whose chain is `Tokenize` and `Window`, all windows are
    scored and averaged, and the words are in the files, as `load_texts` wants them.

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

    Example:

    >>> made = bundle(model, manifest, folder / "out", prepare=prepare, formats=["keras"])
    >>> made.models, sorted(set(made.files) - {"model.keras"})
    (('model.keras',), ['chain.json', 'labels.txt', 'manifest.json', 'report.html', 'report.json'])
    """
    wanted, target = check_formats(formats), pathlib.Path(path)
    check_bars(require)
    _check_notes(notes)
    refuse_other_content(target)
    data = data_of(model, manifest, prepare, split=split)
    head, (expected,) = examine(data.reference, [], data.check)
    answers = {expected.name: expected}
    with staged(target) as folder:
        folder.mkdir()

        @functools.cache  # two formats may meet on the same rung
        def make(rung: str) -> FileReport:
            """Writes the file of a rung, and runs it on the split."""
            file = _write(rung, model, manifest, folder, prepare=prepare, data=data)
            report, (_, answers[file.name]) = examine(data.reference, [file], data.check)
            return report.files[0]

        report = standing(head, [climb(format, make, require) for format in wanted])
        more = facts(model, manifest, data.reference, split=split, require=require, notes=notes)
        few = [FEW.format(data.least_examples)] if data.least_examples < MIN_EXAMPLES else []
        report = report.telling(**more, instead=[*report.reference["instead"], *few])
        results = _results(report, data, answers=answers, folder=folder, prepare=prepare)
        results = results._replace(ids=ids(manifest, split))
        if data.task == "labels":
            known = about_labels(results, manifest, prepare, data.reference, split=split)
            report = report.telling(labels=known)
        if data.task == "boxes":
            report = report.telling(more=in_words(expected.rows, manifest.class_names))
        _remove_all_but(folder, results.files)
        describe(folder, Parts(manifest, prepare, data.task, report, results, notes))
        to_profile(folder, model, manifest, prepare, split=split)
        seal(folder)
    return load_bundle(target)


def _write(
    rung: str,
    model: keras.Model,
    manifest: Manifest,
    folder: pathlib.Path,
    *,
    prepare: Chain,
    data: Data,
) -> pathlib.Path:
    """The file of a rung, with the texts that belong into it."""
    if rung == aware.NAME:
        file = aware.write_aware(model, manifest, folder, prepare=prepare)
    else:
        ranges = {"calibration": data.calibration, "least_examples": data.least_examples}
        file = write(rung, model, folder, prepare=prepare, **ranges)
    if data.attached:
        attach(file, data.attached)
    return file


def _results(
    report: Report,
    data: Data,
    *,
    answers: Mapping[str, Answers],
    folder: pathlib.Path,
    prepare: Chain,
) -> Results:
    """What the page is made of: the answers of the model, and of the files that stand."""
    reference = data.reference
    names = [reference.name, *(file.path for file in report.files)]

    def run(name: str, inputs: np.ndarray) -> np.ndarray:
        if name == reference.name:
            return reference.predict(inputs)
        return reference.around(load(folder / name)).predict(inputs)

    restored = next((op.restored for op in prepare.ops if isinstance(op, Standardize)), same)
    return Results({name: answers[name] for name in names}, data.check, run, restored)


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


def _remove_all_but(folder: pathlib.Path, names: Sequence[str]) -> None:
    for entry in folder.iterdir():
        if entry.name in names:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
