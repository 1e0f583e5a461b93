"""The ladder: where a small file misses the bars, the next kind is tried, and it is said.

Example:

    attempts = climb("int8", make, {"score_lost": 0.01})
    attempts[-1].tried                                      # "int16x8": the one that stands
"""

import dataclasses
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence

from tfpipe.errors import DataError, RequestError, one_of
from tfpipe.export.scoring.file_report import FileReport
from tfpipe.export.scoring.report import Report

# From the smallest file to the one that is nearest to float32.
RUNGS = ("int8", "int8_qat", "int16x8", "dynamic", "float16")

Make = Callable[[str], FileReport]


@dataclasses.dataclass(frozen=True)
class Attempt:
    """One kind of file that was tried.

    Args:
        asked: the format that was asked for.
        tried: the format of this file: the same, or one further up the ladder.
        missed: the bar that it missed, with both numbers, or why there is no such file of this
            model; "" if it stands.
        file: what verification found; None where there is no file.
    """

    asked: str
    tried: str
    missed: str
    file: FileReport | None


class MissedError(RequestError):
    """No file of a format, or above it on the ladder, keeps the bars.

    Args:
        sentence: with the numbers of each.
        files: what verification found of those that were made.
    """

    def __init__(self, sentence: str, files: Sequence[FileReport]):
        self.files = tuple(files)
        super().__init__(sentence)


def climb(asked: str, make: Make, require: Mapping[str, float]) -> list[Attempt]:
    """Tries the format that is asked for, and then those above it, until one keeps the bars.

    Args:
        asked: the format; one that is not on the ladder has nothing above it.
        make: writes a file of a format and verifies it. Where it raises a RequestError for what
            was asked for, that is raised; where for a rung above, that rung counts as missed, and
            so does a file that its runtime cannot run (a DataError).
        require: the bars, as `Report.require` takes them.

    Returns:
        The attempts in order; the last one stands.

    Raises:
        MissedError: all missed.
    """
    attempts: list[Attempt] = []
    for rung in rungs(asked):
        attempts.append(_attempt(asked, rung, make, require))
        if not attempts[-1].missed:
            return attempts
        _say(attempts[-1])
    raise MissedError(
        f"No file keeps the bars that stands for {asked!r}: "
        f"{'; '.join(attempt.missed for attempt in attempts)}. Nothing was written.",
        [attempt.file for attempt in attempts if attempt.file is not None],
    )


def rungs(asked: str) -> Sequence[str]:
    """The format itself, and those that are tried after it.

    >>> rungs("int16x8"), rungs("onnx")
    (('int16x8', 'dynamic', 'float16'), ('onnx',))
    """
    return RUNGS[RUNGS.index(asked) :] if asked in RUNGS else (asked,)


def told(attempts: Sequence[Attempt]) -> str:
    """One sentence for what was missed and what stands instead; "" where nothing was missed.

    >>> told([Attempt("int8", "int8", "int8.tflite: too bad", None),
    ...       Attempt("int8", "float16", "", None)])
    'Instead of int8 there is float16. What missed the bars: int8.tflite: too bad.'
    """
    *missed, stands = attempts
    if not missed:
        return ""
    reasons = "; ".join(attempt.missed for attempt in missed)
    return f"Instead of {stands.asked} there is {stands.tried}. What missed the bars: {reasons}."


def standing(report: Report, ladders: Sequence[Sequence[Attempt]]) -> Report:
    """The report with the files that stand, each once; its reference tells of those that missed.

    Args:
        report: the reference, without files.
        ladders: what `climb` returned for each format.
    """
    tried = [attempt for attempts in ladders for attempt in attempts]
    files = {a.tried: a.file for a in tried if not a.missed and a.file is not None}
    missed = {a.tried: a.file for a in tried if a.missed and a.file is not None}
    head = {
        **report.reference,
        "instead": [told(attempts) for attempts in ladders if len(attempts) > 1],
        "missed": [dataclasses.asdict(file) for file in missed.values()],
    }
    return Report(head, tuple(files.values()))


def check_bars(require: Mapping[str, float]) -> None:
    """Refuses a bar that `Report.require` does not know."""
    known = [name for name in inspect.signature(Report.require).parameters if name != "self"]
    for name in require:
        if name not in known:
            raise RequestError(one_of("require", name, known))


def _attempt(asked: str, rung: str, make: Make, require: Mapping[str, float]) -> Attempt:
    try:
        file = make(rung)
    except RequestError as error:
        if rung == asked:
            raise
        return Attempt(asked, rung, f"{rung}: {str(error).rstrip('.')}", None)
    except DataError as error:  # its runtime cannot run it
        return Attempt(asked, rung, f"{rung}: {error.problem}", None)
    return Attempt(asked, rung, _missed(file, require), file)


def _missed(file: FileReport, require: Mapping[str, float]) -> str:
    try:
        Report({}, (file,)).require(**require)
    except RequestError as error:
        return str(error).rstrip(".")
    return ""


def _say(attempt: Attempt) -> None:
    above = rungs(attempt.tried)[1:]
    then = f" Trying {above[0]}." if above else ""
    print(f"{attempt.missed}.{then}", file=sys.stderr, flush=True)
