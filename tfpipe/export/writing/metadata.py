"""Small texts inside a finished model file: the names of its classes, how it was made.

Each format has a place for them: a TFLite file a zip archive at its end, described in its
`TFLITE_METADATA` (https://www.tensorflow.org/lite/models/convert/metadata); an ONNX file its
`metadata_props`; a SavedModel the folder `assets.extra`; a `.keras` file, which is a zip archive,
a folder of that name.

Example:

    attach("out/int8.tflite", {"labels.txt": "cat\\ndog\\n"})
    attached("out/int8.tflite")["labels.txt"]
"""

import importlib.metadata
import json
import pathlib
import shutil
import zipfile
from collections.abc import Callable, Mapping

from tfpipe import __version__
from tfpipe.errors import DataError, RequestError, received
from tfpipe.export.writing.tflite_metadata import read_files, with_files
from tfpipe.files import Path, staged
from tfpipe.ops import Chain
from tfpipe.ops.chain import FORMAT
from tfpipe.ops.config import to_config

ABOUT = "tfpipe.json"
LABELS = "labels.txt"  # task libraries name the scores by it
WARMUP = "tf_serving_warmup_requests"  # TensorFlow Serving's, which is no text

_EXTRA = "assets.extra"


def attach(path: Path, files: Mapping[str, str]) -> pathlib.Path:
    """Puts texts into a model file, beside those that are there, or in the place of one's name.

    Args:
        path: a `.tflite`, `.onnx` or `.keras` file, or a SavedModel's folder; it is written anew,
            whole or not at all.
        files: texts by name. "labels.txt", one class a line in the order of the scores, is what
            TFLite's task libraries look for.

    Returns:
        The path.

    Raises:
        RequestError: there is no such file, it has another ending, or a name is none of a file.
        DataError: the file is not of its format.

    Example:

    >>> import tempfile
    >>> from tfpipe import export, models
    >>> path = export.to_tflite(models.lenet5(), pathlib.Path(tempfile.mkdtemp()) / "a.tflite")
    >>> attached(attach(path, {"labels.txt": "zero\\none\\n"}))["labels.txt"]
    'zero\\none\\n'
    """
    source = _existing(path)
    for name in files:
        if name in ("", "..") or pathlib.PurePath(name).name != name:
            raise RequestError(received("the names of files, without folders", name=name))
    with staged(source) as aside:
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, aside)
        put(aside, files)
    return source


def attached(path: Path) -> dict[str, str]:
    """Reads what `attach` put into a model file, and what tfpipe wrote there itself.

    `tfpipe.json` tells of the file: {"mode", "converter", "tfpipe", "chain"}.

    Args:
        path: a `.tflite`, `.onnx` or `.keras` file, or a SavedModel's folder.

    Returns:
        The texts by their names; {} where there are none.

    Raises:
        RequestError: there is no such file, or it has another ending.
        DataError: the file is not of its format.

    Example:

    >>> import tempfile
    >>> from tfpipe import export, models
    >>> path = export.to_keras(models.lenet5(), tempfile.mkdtemp() + "/a.keras")
    >>> json.loads(attached(path)["tfpipe.json"])["mode"]
    'float32'
    """
    file = _existing(path)
    _, read = _FORMATS[_format(file)]
    return read(file)


def put(path: pathlib.Path, files: Mapping[str, str]) -> None:
    """`attach` for a file that is not finished yet."""
    write, read = _FORMATS[_format(path)]
    write(path, {**read(path), **files})


def about(mode: str, package: str, prepare: Chain | None) -> dict[str, str]:
    """`tfpipe.json`: the mode, what converted the model, and the chain."""
    chain = None if prepare is None else {"format": FORMAT, "ops": to_config(prepare.ops)}
    values = {
        "mode": mode,
        "converter": f"{package} {importlib.metadata.version(package)}",
        "tfpipe": __version__,
        "chain": chain,
    }
    return {ABOUT: json.dumps(values) + "\n"}


def _existing(path: Path) -> pathlib.Path:
    file = pathlib.Path(path)
    if not file.exists():
        raise RequestError(f"Expected a model file. There is no file {str(file)!r}.")
    _format(file)
    return file


def _format(path: pathlib.Path) -> str:
    if path.is_dir():
        return ""
    if path.suffix not in _FORMATS:
        expected = "a SavedModel's folder, or a file that ends in '.tflite', '.onnx' or '.keras'"
        raise RequestError(received(expected, path=str(path)))
    return path.suffix


def _write_tflite(path: pathlib.Path, files: Mapping[str, str]) -> None:
    path.write_bytes(with_files(path.read_bytes(), files))


def _read_tflite(path: pathlib.Path) -> dict[str, str]:
    data = path.read_bytes()
    if data[4:8] != b"TFL3":
        raise DataError(path, "not a TFLite file: its bytes 4 to 8 are not TFL3")
    return read_files(data)


def _write_onnx(path: pathlib.Path, files: Mapping[str, str]) -> None:
    import onnx

    model = onnx.load(path)
    onnx.helper.set_model_props(model, dict(files))
    path.write_bytes(model.SerializeToString())


def _read_onnx(path: pathlib.Path) -> dict[str, str]:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(path)
    except DecodeError:
        raise DataError(path, "not a whole ONNX file") from None
    return {entry.key: entry.value for entry in model.metadata_props}


def _write_folder(path: pathlib.Path, files: Mapping[str, str]) -> None:
    folder = path / _EXTRA
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def _read_folder(path: pathlib.Path) -> dict[str, str]:
    files = [file for file in sorted((path / _EXTRA).glob("*")) if file.name != WARMUP]
    return {file.name: file.read_text(encoding="utf-8") for file in files}


def _write_keras(path: pathlib.Path, files: Mapping[str, str]) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for info, data in parts:
            if not info.filename.startswith(f"{_EXTRA}/"):
                archive.writestr(info, data)
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(f"{_EXTRA}/{name}"), text)


def _read_keras(path: pathlib.Path) -> dict[str, str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.startswith(f"{_EXTRA}/")]
            return {n.removeprefix(f"{_EXTRA}/"): archive.read(n).decode() for n in names}
    except zipfile.BadZipFile:
        raise DataError(path, "not a whole zip archive, as .keras files are") from None


_Write = Callable[[pathlib.Path, Mapping[str, str]], None]
_Read = Callable[[pathlib.Path], dict[str, str]]

_FORMATS: dict[str, tuple[_Write, _Read]] = {
    "": (_write_folder, _read_folder),
    ".keras": (_write_keras, _read_keras),
    ".onnx": (_write_onnx, _read_onnx),
    ".tflite": (_write_tflite, _read_tflite),
}
