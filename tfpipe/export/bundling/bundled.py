"""A bundle on disk: what is in the folder, and the sums that prove it.

Example:

    bundle = load_bundle("out/xray")
    predictor = load(bundle.path / bundle.models[0])
"""

import dataclasses
import hashlib
import json
import pathlib
import re
from collections.abc import Mapping

from tfpipe.errors import DataError, RequestError
from tfpipe.export.scoring.report import Report, load_report
from tfpipe.files import Path, write_json
from tfpipe.report import human_bytes

FILE = "bundle.json"
FORMAT = 1
REPORT = "report.json"
CARD = "model_card.md"
ENGINES = {"model.onnx": "onnx", "model.keras": "keras"}  # the others have their files' names
LABELS = "labels.txt"


@dataclasses.dataclass(frozen=True)
class Bundle:
    """A folder that a user ships; prints as its table.

    Args:
        path: the folder.
        report: what verification found, a row per model file.
        files: the SHA-256 of each file by its name in the folder, but for the model card, which
            a person fills in.

    Example:

    >>> made.name, made.models, made.class_names
    ('arrays', ('model.keras', 'saved_model'), ('0', '1'))
    """

    path: pathlib.Path
    report: Report
    files: Mapping[str, str]

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the model files, in the report's order."""
        return tuple(file.path for file in self.report.files)

    @property
    def name(self) -> str:
        """The data's name, as it can stand in the path of a request.

        Raises:
            DataError: it holds other characters than letters, digits, ".", "-" and "_".
        """
        file = self.path / "manifest.json"
        name = str(json.loads(file.read_bytes())["name"])
        if not re.fullmatch(r"[\w.-]+", name, re.ASCII):
            problem = f"expected a name of letters, digits, '.', '-' and '_', found {name!r}"
            raise DataError(file, problem)
        return name

    @property
    def engines(self) -> Mapping[str, str]:
        """The model files by the names that a server's `--engine` takes, in the report's order."""
        return {ENGINES.get(name, pathlib.PurePath(name).stem): name for name in self.models}

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the scores; none where there are numbers."""
        if LABELS not in self.files:
            return ()
        text = (self.path / LABELS).read_text(encoding="utf-8")
        return tuple(text.removesuffix("\n").split("\n"))

    def __str__(self) -> str:
        size = human_bytes(sum((self.path / name).stat().st_size for name in self.files))
        return f"{self.report}\n{len(self.files)} files, {size}, in {self.path}"


def seal(folder: pathlib.Path) -> None:
    """Writes the sums of all that is in the folder, and so makes it a bundle."""
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*"))
    files = [name for name in names if (folder / name).is_file() and name != CARD]
    write_json(
        folder / FILE, {"format": FORMAT, "files": {name: _sha256(folder / name) for name in files}}
    )


def load_bundle(path: Path) -> Bundle:
    """Reads what `bundle` wrote, and compares every file with its sum.

    The model card may have changed: a person fills it in.

    Raises:
        RequestError: the folder is not a bundle.
        DataError: a file is missing, or is not what was written.

    Example:

    >>> load_bundle(made.path) == made
    True
    """
    folder = pathlib.Path(path)
    if not is_bundle(folder):
        raise RequestError(f"Expected a bundle's folder. There is no file {str(folder / FILE)!r}.")
    files = _files(folder / FILE)
    for name, sha256 in files.items():
        _check(folder / name, sha256)
    return Bundle(folder, load_report(folder / REPORT), files)


def is_bundle(folder: pathlib.Path) -> bool:
    """Whether `bundle` wrote the folder."""
    return (folder / FILE).is_file()


def _files(index: pathlib.Path) -> dict[str, str]:
    try:
        value = json.loads(index.read_bytes())
        known, files = value["format"], {str(k): str(v) for k, v in value["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(index, f"not the list of a bundle's files ({error!r})") from None
    if known != FORMAT:
        raise DataError(index, f"expected a bundle of format {FORMAT}, found {known!r}")
    return files


def _check(file: pathlib.Path, sha256: str) -> None:
    if not file.is_file():
        raise DataError(file, "the bundle lists this file, and it is not there")
    found = _sha256(file)
    if found != sha256:
        raise DataError(
            file,
            f"changed since the bundle was written: expected SHA-256 {sha256[:12]}…, "
            f"found {found[:12]}…",
        )


def _sha256(file: pathlib.Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
