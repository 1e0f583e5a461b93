"""Blood cells: YOLOv8 from random weights, trained on boxes, as float32 and int8 TFLite files.

    python -m pipelines.blood_cells                    on drawn smears, no data needed
    python -m pipelines.blood_cells --data DIR         a folder in Pascal VOC's layout, such as BCCD
    python -m pipelines.blood_cells --data data.yaml   Ultralytics' layout

Trains on the train split alone, and ends in a bundle: both files, run on the whole test split, with
COCO's mAP, its interval, and drawings of boxes. Everything lands in --out; an interrupted run
continues, in the middle of its training, too.

On BCCD (205, 87 and 72 images): mAP@50 0.911 (95 %: 0.885 to 0.933) and mAP@50-95 0.600 on test,
int8 loses 0.0045; 2,370 s on four cores that others used, too; see docs/results/blood_cells.txt.
"""

from __future__ import annotations  # the rooms load TensorFlow; --help need not wait for it

import dataclasses
import functools
import pathlib
import sys
from typing import Any

import tfpipe as tp
from tfpipe import pipeline
from tfpipe.cli import flag


@dataclasses.dataclass(frozen=True)
class Flags:
    data: str = flag("", "a folder in Pascal VOC's layout, or a data.yaml; none: cells are drawn")
    out: str = flag("out/blood_cells", "the folder for everything")
    size: str = flag("xs", "of YOLOv8", choices=("xs", "s", "m", "l"))
    epochs: int = flag(0, "passes over the data; 0: 20 if drawn, 100 if not", least=0)
    batch_size: int = flag(8, "images in a batch", least=1)
    learning_rate: float = flag(1e-3, "Adam's, after the warm-up", least=0)
    seed: int = flag(0, "of the order, the weights, the augmentation, the drawing", least=0)
    overwrite: bool = flag(False, "begin anew where --out holds a run already")


def load_source(flags: Flags) -> tp.records.Source:
    """Images and boxes, in the splits of their lists or folders; else by the seed."""
    if not flags.data:
        from pipelines.drawn.cells import cells

        print("The cells are drawn: the scores say nothing about real ones.")
        return cells(flags.seed)
    if flags.data.endswith((".yaml", ".yml")):
        return tp.records.yolo_boxes(flags.data, seed=flags.seed)
    return tp.records.voc_boxes(flags.data, seed=flags.seed)


def make(flags: Flags, manifest: tp.records.Manifest, out: pathlib.Path) -> tp.export.Bundle:
    ops, drawn = tp.ops, not flags.data
    epochs = flags.epochs or (20 if drawn else 100)
    image_size = (96, 128) if drawn else (288, 384)  # 4:3, as the pictures, and divisible by 32
    augment = [
        ops.RandomFlip("horizontal_and_vertical"),
        ops.RandomZoom((0.6, 1.4)),
        ops.ColorJitter(brightness=0.1, contrast=0.2, saturation=0.2, hue=0.02),
    ]
    resize = ops.Resize(image_size)
    prepare = ops.Chain([ops.Decode(channels=3), resize, *augment, ops.ToFloat()])
    read = functools.partial(tp.records.read, manifest, batch_size=flags.batch_size, cache=True)
    train = read("train", prepare, shuffle_seed=flags.seed).map(tp.models.box_targets)
    val = read("val", prepare.inference()).map(tp.models.box_targets)

    def detect() -> Any:
        model = tp.models.yolov8((*image_size, 3), manifest.num_classes, size=flags.size)
        rate, steps = flags.learning_rate, epochs * len(train)
        adam = tp.train.cosine_adam(rate, steps, warm_up=0.03, average=0.02)
        model.compile(adam, tp.models.YoloLoss(image_size))
        tp.train.fit(model, train, val, epochs=epochs, clip_norm=10.0, resume=out / "training")
        return model

    with tp.train.distribute(seed=flags.seed):
        model, history = tp.train.keep(out / "model.keras", detect)
    return tp.export.bundle(
        model,
        manifest,
        out / "bundle",
        prepare=prepare,
        formats=("float32", "int8"),
        notes={
            "Intended use": "Not for clinical use.",
            "Training": tp.report.curves(history),
        },
    )


if __name__ == "__main__":
    sys.exit(pipeline.run(load_source, make, Flags, doc=__doc__))
