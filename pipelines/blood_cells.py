"""Blood cells: YOLOv8 from random weights, trained on boxes, as float32 and int8 TFLite files.

    python -m pipelines.blood_cells                    on drawn smears, no data needed
    python -m pipelines.blood_cells --data DIR         a folder in Pascal VOC's layout, such as BCCD
    python -m pipelines.blood_cells --data data.yaml   Ultralytics' layout

An interrupted run goes on in the middle of its training. Not for clinical use.

On BCCD (205, 87 and 72 images): mAP@50 0.911 (95 %: 0.885 to 0.933) and mAP@50-95 0.600 on test,
int8 loses 0.0045; 2,605 s on four cores that others used, too; see docs/results/blood_cells.txt.
On drawn cells mAP@50 is 0.864 (0.835 to 0.895) and int8's 0.872, after 181 s on two busy cores.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import dataclasses
import functools
import pathlib

import tfpipe as tp
from pipelines.drawn.cells import cells
from tfpipe.pipeline import flag, judged, run


@dataclasses.dataclass(frozen=True)
class Flags:
    data: str = flag("", "a folder in Pascal VOC's layout, or a data.yaml; none: cells are drawn")
    out: str = flag(
        "out/blood_cells", "the folder for everything; an interrupted run goes on there"
    )
    size: str = flag("xs", "of YOLOv8", choices=("xs", "s", "m", "l"))
    epochs: int = flag(0, "passes over the data; 0: 20 if drawn, 100 if not", least=0)
    batch_size: int = flag(8, "images in a batch", least=1)
    seed: int = flag(0, "of the order, the weights, the augmentation, the drawing", least=0)
    overwrite: bool = flag(False, "begin anew where --out holds a run already")


def load_source(flags: Flags) -> tp.records.Source:
    if not flags.data:
        return cells(flags.seed)
    if flags.data.endswith((".yaml", ".yml")):
        source = tp.records.yolo_boxes(flags.data, seed=flags.seed)
    else:
        source = tp.records.voc_boxes(flags.data, seed=flags.seed)
    return tp.records.with_val(source, seed=flags.seed)


def make(flags: Flags, manifest: tp.records.Manifest, out: pathlib.Path) -> tp.export.Bundle:
    ops, drawn = tp.ops, not flags.data
    epochs = flags.epochs or (20 if drawn else 100)
    size = (96, 128) if drawn else (288, 384)  # 4:3, as the pictures, and divisible by 32
    moved = (ops.RandomFlip("horizontal_and_vertical"), ops.RandomZoom((0.6, 1.4)))
    stained = ops.ColorJitter(brightness=0.1, contrast=0.2, saturation=0.2, hue=0.02)
    prepare = ops.Chain([ops.Decode(3), ops.Resize(size), *moved, stained, ops.ToFloat()])
    read = functools.partial(tp.records.read, manifest, batch_size=flags.batch_size, cache=True)
    train = read("train", prepare, shuffle_seed=flags.seed).map(tp.models.box_targets)
    val = read("val", prepare.inference()).map(tp.models.box_targets)
    with tp.train.distribute(seed=flags.seed):
        model = tp.models.yolov8((*size, 3), manifest.num_classes, size=flags.size)
        adam = tp.train.cosine_adam(1e-3, epochs * len(train), warm_up=0.03, average=0.02)
        model.compile(adam, tp.models.YoloLoss(size))
        fit = functools.partial(tp.train.fit, clip_norm=10.0, resume=out / "training")
        model, history = tp.train.keep(out / "model.keras", fit, model, train, val, epochs=epochs)
    notes: dict[str, str | bytes] = {
        "Intended use": "Not for clinical use.",
        "Training": tp.report.curves(history),
    }
    bundle = functools.partial(tp.export.bundle, prepare=prepare, formats=("float32", "int8"))
    return bundle(model, manifest, out / "bundle", split=judged(manifest), notes=notes)


if __name__ == "__main__":
    raise SystemExit(run(load_source, make, Flags, doc=__doc__))
