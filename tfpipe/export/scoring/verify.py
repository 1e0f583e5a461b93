"""Runs model files on real examples, and says what each one costs and what it lost.

Example:

    report = verify(from_keras(model, prepare), ["out/int8.tflite"], pixels)
    report.require(agreement=0.99, score_lost=0.01)
"""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.errors import RequestError
from tfpipe.export.reading.load import load
from tfpipe.export.reading.predictor import Predictor
from tfpipe.export.scoring.costs import costs
from tfpipe.export.scoring.file_report import FileReport
from tfpipe.export.scoring.report import Report
from tfpipe.export.scoring.resampling import Interval, intervals
from tfpipe.export.scoring.running import Answers, run_all
from tfpipe.export.scoring.scores import LABELS, Score, Task, left_out
from tfpipe.files import Path
from tfpipe.untuned import untuned

TIMED = 200  # examples, the first of the data


def verify(
    reference: Predictor,
    paths: Sequence[Path],
    data: tf.data.Dataset,
    *,
    score: str | Score = "auto",
    threads: int = 1,
    seed: int = 0,
    safe_mode: bool = True,
) -> Report:
    """Runs every file on every example of `data`, beside the reference.

    The examples pass by in batches. Then each file runs the first 200 of them again, one by one,
    in a process of its own: for its time and memory.

    Args:
        reference: what the files should do: `from_keras(model, prepare)`, with the files'
            `input_size` if they have one.
        paths: `.tflite`, `.onnx` and `.keras` files, and SavedModel folders.
        data: batches of (inputs, targets), as the files take them, in an order that does not
            change: a whole split that the model was not trained on, such as
            `records.read(manifest, "test", prepare.outside(), ...)`.
        score: "auto" goes by targets and scores: accuracy, the mean area under the ROC curve over
            labels, mean IoU of masks, mAP@50 of boxes, R2 of numbers; `scoring.scores.choose` has
            the whole table. Or a function of (scores, targets), both as arrays, to a number of
            which more is better.
        threads: that a file may use while it is run and timed; see `costs` for `.keras`.
        seed: of the bootstrap's resamples.
        safe_mode: as `load` takes it.

    Returns:
        A report with a row per file.

    Raises:
        RequestError: there is no such file, `threads` is under 1, there are fewer than two
            examples, inputs and targets do not fit, all targets are the same where a score needs
            others, or the reference gives scores that are not finite.
        DataError: a file cannot be run.

    Example:

    >>> from tfpipe import export
    >>> from tfpipe.backend import keras
    >>> x = keras.Input((2,))
    >>> model = keras.Model(x, keras.layers.Softmax()(x), name="largest")
    >>> data = tf.data.Dataset.from_tensors((tf.eye(2), [0, 1]))
    >>> print(verify(export.from_keras(model), [], data).summary())
    The reference is the Keras model 'largest': accuracy 1.0000 (95 %: 1.000 to 1.000) on 2
    examples, sparsity 0.000.
    """
    return examine(
        reference, paths, data, score=score, threads=threads, seed=seed, safe_mode=safe_mode
    )[0]


def examine(
    reference: Predictor,
    paths: Sequence[Path],
    data: tf.data.Dataset,
    *,
    score: str | Score = "auto",
    threads: int = 1,
    seed: int = 0,
    safe_mode: bool = True,
) -> tuple[Report, tuple[Answers, ...]]:
    """What `verify` returns, and what each file answered to each example.

    Args: as for `verify`.

    Returns:
        The report, and the answers: the reference's, then those of the files in their order.
        `np.flatnonzero(answers[1].agreement < 1)` are the examples on which the first file
        disagrees with the reference, by their places in `data`.

    Raises: as for `verify`.

    Example:

    >>> from tfpipe import export
    >>> from tfpipe.backend import keras
    >>> x = keras.Input((2,))
    >>> model = keras.Model(x, keras.layers.Softmax()(x), name="largest")
    >>> data = tf.data.Dataset.from_tensors((tf.eye(2), [0, 1]))
    >>> report, (answers,) = examine(export.from_keras(model), [], data)
    >>> report.reference["score"], answers.agreement.tolist()
    (1.0, [1.0, 1.0])
    """
    loaded = [load(path, threads=threads, safe_mode=safe_mode) for path in paths]
    predictors = [reference.around(predictor) for predictor in loaded]
    task, expected, found = run_all(reference, predictors, data, score)
    scores = [_score(task, answers) for answers in (expected, *found)]
    own, lost = intervals(task, expected.rows, [a.rows for a in found], seed=seed)
    examples = _first(data) if predictors else np.empty(0)
    files = []
    for place, (path, predictor, answers) in enumerate(zip(paths, predictors, found, strict=True)):
        row = FileReport(
            path=pathlib.Path(path).name,
            format=predictor.format,
            mode=predictor.mode,
            **costs(pathlib.Path(path), predictor, examples, threads=threads),
            **_beside(answers, expected),
            score=scores[1 + place],
            score_lost=scores[0] - scores[1 + place],
            score_lost_low=lost[place][0],
            score_lost_high=lost[place][1],
            sparsity=predictor.sparsity,
            operators=predictor.operators,
        )
        files.append(row)
    head = _head(reference, task, expected, scores[0], own)
    return Report(reference=head, files=tuple(files)), (expected, *found)


def _head(
    reference: Predictor, task: Task, expected: Answers, score: float, interval: Interval
) -> dict[str, Any]:
    head = {
        "path": reference.name,
        "format": reference.format,
        "score_name": task.name,
        "score": score,
        "score_low": interval[0],
        "score_high": interval[1],
        "sparsity": reference.sparsity,
        "num_examples": len(expected.rows),
        "timed": reference.timed,
    }
    if task is LABELS and left_out(expected.rows):
        head["labels_left_out"] = left_out(expected.rows)
    if task.more is not None:
        head["more"] = task.more(expected.rows)
    return head


def _score(task: Task, answers: Answers) -> float:
    (found,) = task.score(answers.rows, np.ones((1, len(answers.rows))))
    if np.isnan(found):
        raise RequestError(
            f"Expected `data` with targets that differ: there is no {task.name} where all are "
            f"the same. Received: {len(answers.rows):,} examples with the same targets."
        )
    return float(found)


def _beside(answers: Answers, expected: Answers) -> dict[str, Any]:
    """The fields of a `FileReport` that hold its answers against the reference's."""
    return {
        "agreement": float(answers.agreement.mean()),
        "max_abs_diff": float(answers.max_abs_diff.max()),
        "mean_abs_diff": float(answers.mean_abs_diff.mean()),
        "fault": _fault(answers, expected),
    }


def _fault(answers: Answers, expected: Answers) -> str:
    """What no score makes good; "" if there is nothing."""
    if answers.infinite.any():
        return f"the scores of {answers.infinite.sum():,} examples are infinite or no number"
    if answers.constant and not expected.constant:
        return "it gives the same scores to every example; the reference does not"
    if answers.one_answer and not expected.one_answer:
        return "it gives one answer to every example; the reference does not"
    return ""


def _first(data: tf.data.Dataset) -> np.ndarray:
    """The first examples' inputs, (N, ...)."""
    inputs = data.map(lambda inputs, targets: inputs).unbatch().take(TIMED)
    return np.stack(list(untuned(inputs).as_numpy_iterator()))
