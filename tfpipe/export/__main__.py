"""Any .keras file as small files that were run and scored, in a bundle.

    python -m tfpipe.export model.keras --data records/xray --modes int8 float16

Every file is run on the whole --split. Where one misses a bar, the next kind takes its place:
int8, int8 with quantisation-aware training, int16x8, dynamic, float16. The exit code is 1 if none
keeps the bars, 2 if something is wrong with what was asked for.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import dataclasses
import pathlib
import sys
from typing import TYPE_CHECKING

import tfpipe as tp
from tfpipe import cli
from tfpipe.cli import flag
from tfpipe.errors import RequestError, received
from tfpipe.export.writing.modes import FORMATS
from tfpipe.report.tables import terminal_width

if TYPE_CHECKING:
    from tfpipe.backend import keras


@dataclasses.dataclass(frozen=True)
class Flags:
    """The command line."""

    model: str = flag("", "a .keras file", positional=True)
    data: str = flag("", "the records folder that `tfpipe.records.write` made")
    modes: tuple[str, ...] = flag(("float32", "int8"), "the files to write", choices=FORMATS)
    prepare: str = flag("", "the chain.json of the training; without it, the model gets 0 to 255")
    out: str = flag("", "the bundle's folder; without it, MODEL's name without .keras")
    split: str = flag("test", "the split that every file is run on")
    agreement: float = flag(0.0, "the least agreement with the model", least=0, most=1)
    score_lost: float = flag(0.02, "the most that may be lost of the score")


def main(flags: Flags) -> None:
    """Writes the bundle and prints its table."""
    from tfpipe.export.bundling.bundle import refuse_other_content
    from tfpipe.export.bundling.ladder import MissedError
    from tfpipe.export.scoring.file_report import COLUMNS

    out = pathlib.Path(flags.out or pathlib.Path(flags.model).with_suffix(""))
    refuse_other_content(out)
    if not flags.data:
        raise RequestError("Expected `--data DIR`, a records folder. Received: nothing.")
    manifest = tp.records.load(flags.data)
    model = _model(flags.model)
    prepare = tp.ops.Chain.from_json(flags.prepare) if flags.prepare else plain(model)
    try:
        made = tp.export.bundle(
            model,
            manifest,
            out,
            prepare=prepare,
            formats=flags.modes,
            split=flags.split,
            require={"agreement": flags.agreement, "score_lost": flags.score_lost},
        )
    except MissedError as error:
        rows = tp.export.Report({}, error.files).rows()
        print(tp.report.text_table(COLUMNS, rows, width=terminal_width()))
        sys.exit(str(error))  # code 1
    print(f"{made}\nPictures: {made.path / 'report.html'}")


def plain(model: keras.Model) -> tp.ops.Chain:
    """Decoding, resizing to what the model takes, and no more; printed, since it is a guess.

    Raises:
        RequestError: the model does not take pictures of a fixed size.
    """
    shape = model.inputs[0].shape
    if len(shape) != 4 or None in shape[1:3] or shape[3] not in (1, 3):
        expected = "`--prepare CHAIN.json`, since the model does not take pictures (H, W, 1 or 3)"
        raise RequestError(received(expected, input_shape=shape))
    ops: list[tp.ops.Op] = [tp.ops.Decode(channels=shape[3]), tp.ops.Resize(tuple(shape[1:3]))]
    if model.inputs[0].dtype != "uint8":
        ops.append(tp.ops.PreprocessInput("none"))
    chain = tp.ops.Chain(ops)
    print(f"No --prepare: the model gets numbers from 0 to 255, by {chain}.", file=sys.stderr)
    return chain


def _model(path: str) -> keras.Model:
    """The model in the file, after `load` has told what is wrong with the file."""
    from tfpipe.backend import keras

    if pathlib.Path(path).suffix != ".keras":
        raise RequestError(received("a file that ends in '.keras'", MODEL=path))
    tp.export.load(path)
    try:
        return keras.models.load_model(path, safe_mode=True)
    except (TypeError, ValueError):  # a loss or a metric of the person's own
        print(
            "How the model was trained is not known here: int8_qat cannot be tried.",
            file=sys.stderr,
        )
        return keras.models.load_model(path, compile=False, safe_mode=True)


if __name__ == "__main__":
    sys.exit(cli.run(main, Flags, doc=__doc__))
